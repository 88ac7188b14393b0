"""The past stays what it was, whatever later exports show and however the settings are edited between them.

A world is a sequence of exports: leads that are missing and back, texts that change, closes, re-openings, plans. Some
of it is ingested; then the rest, with edits of the settings and rollbacks. What could be known before the end of the
first part is the same bytes as if nothing had come after.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from builders import day, make_settings
from leadscore import project as jobs
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.opening import open_history
from leadscore.settings.settings import Settings
from leadscore.store.version import read_current
from leadscore.times import format_us

IDS = ["a", "b", "c"]
STEP = 10  # days between exports
CREATED = {"a": 1, "b": 2, "c": 12}  # day; c is not in the first export
HEADER = ["id", "created", "status", "closed", "city", "size", "plan", "extra", "email"]
COLUMNS = {
    "lead_id": "id", "event_at": "created", "city": "city", "size": "size", "plan": "plan", "email": "email",
}  # fmt: skip
EDITS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a label": {"fields": {"city": {"known_from": "creation", "label": "town"}}},
    "a kind": {"kinds": {"call": "calls"}},
    "a stage": {"stages": {"open": ["new", "met"], "won": ["signed"], "lost": ["rejected"]}},
    "money": {"money": {"currency": "EUR", "rates": {"USD": 0.9}}},
    "a severity": {"validation": {"max_refused": 1.0, "severity": {"type": "warn"}}},
    "a column": {"columns": {"origin": "extra"}, "fields": {"origin": {"known_from": "creation"}}},
    "a value map": {"values": {"plan": {"": {"tariff": "none"}, "free": {"tariff": "none"}, "*": {"tariff": "some"}}},
                    "fields": {"tariff": {"known_from": "creation"}}},
}  # fmt: skip


OF_OUTCOMES = {
    "source": "leads",
    "table": "outcomes",
    "where": {"status": ["won", "lost"]},
    "columns": {"lead_id": "id", "event_at": "closed", "outcome": "status"},
}
OF_CALLS = {
    "source": "calls",
    "table": "activities",
    "columns": {"lead_id": "id", "event_at": "at"},
    "constants": {"kind": "meeting"},
}


def make(folder: Path, until: int, edits: list[str]) -> Settings:
    """The settings of an export, with all edits so far."""
    fields: dict[str, Any] = {
        "city": {"known_from": "creation"},
        "size": {"type": "number", "known_from": "creation"},
        "plan": {"known_from": "export"},
    }
    columns, values, rest = dict(COLUMNS), {}, {}
    for name in edits:
        edit = dict(EDITS[name])
        fields |= edit.pop("fields", {})
        columns |= edit.pop("columns", {})
        values |= edit.pop("values", {})
        rest |= edit
    return make_settings(
        input_folder=folder,
        data_folder=folder / "data",
        engine={"threads": 1},
        target={"horizon_days": 8, "cadence_days": 2, "max_per_lead": 100},
        sources={"leads": {"path": "leads.csv"}, "calls": {"path": "calls.csv"}},
        mapping=[
            {"source": "leads", "table": "leads", "columns": columns, "values": values},
            OF_OUTCOMES,
            OF_CALLS,
        ],
        fields=fields,
        known_until=format_us(day(until)),
        **rest,
    )


Export = dict[str, dict[str, str]]


@st.composite
def exports(draw: st.DrawFn) -> list[Export]:
    """What four exports show of each lead; a lead is sometimes missing, and one is always there."""
    found = []
    closed: dict[str, str] = {}
    for at in range(4):
        shown: Export = {}
        for lead_id in IDS:
            was_shown = any(lead_id in earlier for earlier in found)
            is_missing = was_shown and lead_id != "a" and draw(st.integers(0, 3)) == 0
            if CREATED[lead_id] >= (at + 1) * STEP or is_missing:
                continue
            status = draw(st.sampled_from(["open", "open", "won", "lost"]))
            is_new = closed.get(lead_id) != status
            if is_new and status != "open":
                closed_on = draw(
                    st.sampled_from([at * STEP + 3, at * STEP + 7, (at + 1) * STEP + 5])
                )
                shown_on = format_us(day(max(closed_on, CREATED[lead_id] + 1)))
            else:
                shown_on = (
                    found[-1].get(lead_id, {}).get("closed", "")
                    if found and status != "open"
                    else ""
                )
            closed[lead_id] = status
            shown[lead_id] = {
                "id": lead_id,
                "created": format_us(day(CREATED[lead_id])),
                "status": status,
                "closed": shown_on,
                **{
                    name: draw(st.sampled_from(["", "1", "2,5", "free"]))
                    for name in ("city", "plan", "extra")
                },
                "size": draw(st.sampled_from(["", "1", "2.50"])),
                "email": draw(st.sampled_from(["", "ann@example.com"])),
            }
        found.append(shown)
    return found


def write(folder: Path, shown: Export, at: int) -> None:
    """Write an export; a call of each export so far, and a plan."""
    rows = [[row[name] for name in HEADER] for row in shown.values()]
    lines = [",".join(f'"{value}"' for value in row) for row in [HEADER, *rows]]
    (folder / "leads.csv").write_text("\n".join([*lines, ""]))
    calls = [f"a,{format_us(day(n * STEP + 4))}" for n in range(at + 1)] + [
        f"a,{format_us(day(at * STEP + 15))}"
    ]
    (folder / "calls.csv").write_text("\n".join(["id,at", *calls, ""]))


def ingest(folder: Path, shown: Export, at: int, edits: list[str]) -> Settings:
    write(folder, shown, at)
    made = make(folder, (at + 1) * STEP, edits)
    jobs.ingest(
        made, accept=["half_delivered", "empty", "renamed", "same_files", "currency_switch"]
    )
    return made


def past(made: Settings, moment: int) -> list[Any]:
    """All that could be known at a moment: spells, list, labels with weights, and the matrix of both."""
    version = read_current(made.project_folder() / "store", project=made.project)
    engine = DuckDBEngine(made.engine)
    history = open_history(made, version, engine)
    side = history.earlier_side(moment)
    rows = pd.concat([side.rows, history.open_list(moment)])
    rows = rows.drop_duplicates(["lead_id", "as_of_us"])
    matrix = build_matrix(history.snapshot(rows), build_features(made))
    columns = {name: pa.array(column).to_pylist() for name, column in matrix.columns.items()}
    parts = [history.spells(moment), side.rows, history.open_list(moment), pd.DataFrame(columns)]
    engine.close()
    return [part.to_csv(index=False) for part in parts] + [side.unusable]


worlds = given(
    exports(),
    st.integers(1, 3),
    st.lists(st.sampled_from(sorted(EDITS)), min_size=4, max_size=4, unique=True),
    st.booleans(),
)


def check_past(shown, first, edits, goes_back):
    with tempfile.TemporaryDirectory() as name:
        plain, edited = Path(name) / "plain", Path(name) / "edited"
        for folder in (plain, edited):
            folder.mkdir()
        for at in range(
            first
        ):  # one with the last settings from the start, one with those of the time
            ingest(plain, shown[at], at, edits)
            ingest(edited, shown[at], at, edits[:at])
        version = read_current(
            make(edited, STEP, []).project_folder() / "store", project="built"
        ).id
        if goes_back and first < 4:
            strange = {lead_id: row | {"city": "strange"} for lead_id, row in shown[3].items()}
            jobs.rollback_store(ingest(edited, strange, 3, edits[:first]), version)
        for at in range(first, 4):
            made = ingest(edited, shown[at], at, edits[: at + 1])
        moments = [day(first * STEP) - 1, day(first * STEP), day(first * STEP - 3)]
        now = make(plain, first * STEP, edits)
        for moment in moments:
            assert past(now, moment) == past(made, moment)
        shutil.rmtree(plain)


@pytest.mark.parametrize("examples", [2, pytest.param(8, marks=pytest.mark.slow)])
def test_past_when_later_exports_and_edits_and_rollbacks_come_then_it_is_byte_equal(examples):
    limits = settings(
        derandomize=True, deadline=None, max_examples=examples, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    limits(worlds(check_past))()
