"""What every row needs: a file without the column is refused by name, a row without it is a reject."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builders import make_settings
from leadscore import project as jobs
from leadscore.errors import MissingColumnsError, UserError
from leadscore.results import Ingested
from leadscore.settings.settings import Settings

TALKS = "SELECT d.deal, c.day, c._file, c._line FROM calls AS c JOIN links AS d ON d.call = c.Id"
DEALS = ["1,2024-01-01", "2,2024-01-05"]
CALLS = ["c1,2024-01-02", "c2,2024-01-07", ",2024-01-08"]
LINKS = ["c1,1", "c2,2", "c3,"]


def make(folder: Path, required: dict[str, Any], **headers: str) -> Settings:
    """Deals, calls, and which call belongs to which deal; a view joins the last two."""
    rows = {"deals": DEALS, "calls": CALLS, "links": LINKS}
    usual = {"deals": "Id,Created", "calls": "Id,day", "links": "call,deal"}
    for name, header in (usual | headers).items():
        text = "\n".join([header, *rows[name], ""])
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    sources: dict[str, dict[str, Any]] = {name: {"path": f"{name}.csv"} for name in rows}
    for name, columns in required.items():
        sources[name]["required"] = columns
    return make_settings(
        input_folder=folder,
        data_folder=folder / "data",
        sources=sources,
        views={"talks": {"sql": TALKS}},
        mapping=[
            {
                "source": "deals",
                "table": "leads",
                "columns": {"lead_id": "Id", "event_at": "Created"},
            },
            {
                "source": "talks",
                "table": "activities",
                "columns": {"lead_id": "deal", "event_at": "day"},
                "constants": {"kind": "talk"},
            },
        ],
        kinds={"talk": "talks"},
        known_until="2024-03-01",
    )


def ingest(settings: Settings) -> Ingested:
    return jobs.ingest(settings, known_until_us=settings.known_until_us())


def test_row_when_it_has_no_id_then_it_is_a_reject_with_its_place(tmp_path: Path) -> None:
    settings = make(tmp_path, {"calls": ["Id"], "links": ["call", "deal"]})

    accounts = ingest(settings).accounts

    calls, links = accounts.sources["calls"], accounts.sources["links"]
    assert (calls.read, calls.used, calls.rejected) == (3, 2, 1)
    assert (links.read, links.used, links.rejected) == (3, 2, 1)
    assert accounts.views["talks"].rows_in == {"calls": 2, "links": 2}
    rejects = jobs.list_rejects(settings).first["required"]
    assert {(row["file"], row["line"], row["column"]) for row in rejects} == {
        ("calls.csv", 4, "Id"),
        ("links.csv", 4, "deal"),
    }


def test_row_when_it_is_ignored_then_it_needs_no_id(tmp_path: Path) -> None:
    settings = make(tmp_path, {"calls": ["Id"]})
    calls = settings.sources["calls"]
    ignored = calls.model_copy(update={"ignore": {"late": {"day": ("2024-01-08",)}}})
    settings = settings.model_copy(update={"sources": settings.sources | {"calls": ignored}})

    account = ingest(settings).accounts.sources["calls"]

    assert (account.ignored, account.rejected) == (1, 0)


@pytest.mark.parametrize(
    ("required", "headers", "words"),
    [
        ({"calls": ["Id"]}, {"calls": "Call ID,day"}, "calls.csv has no column 'Id', which every"),
        ({"links": ["deal"]}, {"links": "call,deals"}, "did you mean 'deals' for 'deal'?"),
        (
            {"calls": [["Record", "Number"]]},
            {"calls": "Id,day"},
            "has no column 'Record', 'Number', one of which every row needs",
        ),
        ({}, {"calls": "Call ID,day"}, "calls.csv has no column 'Id', which views.talks reads"),
        ({}, {"deals": "Record,Created"}, "deals.csv has no column 'Id' for lead_id of leads; it"),
        ({}, {"deals": "Id,Made"}, "has no column 'Created' for event_at of leads; it has 'Id'"),
    ],
)
def test_file_when_it_lacks_a_column_that_rows_need_then_refused_by_its_name(
    tmp_path: Path, required: dict[str, Any], headers: dict[str, str], words: str
) -> None:
    settings = make(tmp_path, required, **headers)

    with pytest.raises(MissingColumnsError) as refused:
        ingest(settings)

    assert words in str(refused.value)


def test_file_when_it_has_one_of_several_then_read(tmp_path: Path) -> None:
    settings = make(tmp_path, {"calls": [["Record", "id"]]})

    assert ingest(settings).accounts.sources["calls"].rejected == 1


def test_column_when_required_and_stated_as_perhaps_lacking_then_refused(tmp_path: Path) -> None:
    settings = make(tmp_path, {})
    calls = settings.sources["calls"].model_dump() | {"columns": ["Id"], "required": ["Id"]}

    with pytest.raises(ValueError, match="'Id' is in `required` and in `columns`"):
        type(settings.sources["calls"]).model_validate(calls)


def test_leads_when_none_has_an_id_then_the_refusal_names_column_and_source(tmp_path: Path) -> None:
    settings = make(tmp_path, {})
    (tmp_path / "deals.csv").write_text("Id,Created\n,2024-01-01\n,2024-01-05\n", encoding="utf-8")

    with pytest.raises(UserError, match="2 by required \\('Id' of deals\\)"):
        ingest(settings)
