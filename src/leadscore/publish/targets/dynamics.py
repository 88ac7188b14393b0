"""Dynamics 365: the open score table, as files for the import wizard and requests that clear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from leadscore.publish.targets.kind import Json, Kind, Layout, Part, Row

TABLE = "msdyn_predictivescores"
ENTITY_KEY = "msdyn_entityid"
ENTITY_TYPE = "msdyn_entitytype"
TREND = "msdyn_scoretrend"
TRENDS = {"improving": "0", "steady": "1", "declining": "2", "no comparison": "3"}
WHOLE = {"msdyn_score", "msdyn_grade", TREND}


def build_request(layout: Layout, part: Part) -> Json:
    """What the import of a file must be set to."""
    return {
        "entity": layout.object,
        "entitySetName": TABLE,
        "operation": "upsert",
        "alternateKey": [layout.key, *layout.constants],
        "encoding": "utf-8-bom" if layout.bom else "utf-8",
        "fieldDelimiter": ",",
        "dataDelimiter": '"',
        "lineEnding": "CRLF",
        "dateFormat": layout.moment,
        "columnMappings": [{"source": name, "target": name} for name in part.columns],
    }


def build_patches(layout: Layout, rows: Sequence[Row]) -> Iterator[Json]:
    """Web API requests that clear the empty columns of rows, and create none."""
    for row in rows:
        body = {name: _value(name, text) for name, text in row.written(layout)}
        keys = {layout.key: row.key, **layout.constants}
        address = ",".join(f"{name}='{_quote(value)}'" for name, value in keys.items())
        yield {
            "method": "PATCH",
            "path": f"/api/data/v9.2/{TABLE}({address})",
            "headers": {"If-Match": "*"},
            "body": body,
        }


def _value(name: str, text: str | None) -> int | str | None:
    """A value of a column, null if it is cleared; a trend then is "not enough information"."""
    if text is None and name == TREND:
        text = TRENDS["no comparison"]
    return int(text) if text is not None and name in WHOLE else text


def _quote(value: str) -> str:
    return quote(value.replace("'", "''"), safe="")


DYNAMICS = Kind(
    name="dynamics",
    object="msdyn_predictivescore",
    preset_object="msdyn_predictivescore",
    key=ENTITY_KEY,
    own_key=ENTITY_KEY,
    fields={
        "score": "msdyn_score",
        "tier": "msdyn_grade",
        "trend": TREND,
        "as_of": "msdyn_scoredon",
        "reasons": "msdyn_scorereasons",
    },
    types={
        "key": "Text",
        "number": "Whole Number",
        "money": "Currency",
        "text": "Choice",
        "sentence": "Multiline Text({length})",
        "moment": "Date Only",
        "flag": "Yes/No",
    },
    job=build_request,
    text_length=2000,
    empty_erases=False,
    bom=True,
    moment="%Y-%m-%d",
    is_dated=True,
    decimals={"score": 0},
    codes={"tier": {"A": "0", "B": "1", "C": "2", "D": "3"}, "trend": TRENDS},
    limits={"msdyn_score": (0.0, 100.0)},
    max_bytes=8_000_000,
    requests=build_patches,
    key_note=": the record that the score belongs to",
    has_fields=True,
)
