"""Fields that are called like columns of ours: each is an attribute like any other, or is refused."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from builders import make_settings
from leadscore import project as jobs
from leadscore.settings.fields import RESERVED
from leadscore.settings.settings import Settings
from leadscore.store.version import read_current
from leadscore.tables import CLOSES, OPENS, PRESENCE, REJECTS, TABLES, TEXT_CHANGES
from leadscore.times import parse_moment

BUILT_IN = {"lead_id", "owner_id", "amount", "currency"}
LEADS = 30


def names_of_ours() -> list[str]:
    """The columns of all tables and files, but for those that no field can be called like."""
    names = {column.name for table in TABLES.values() for column in table.columns}
    for schema in (CLOSES, OPENS, PRESENCE, REJECTS, TEXT_CHANGES):
        names |= set(schema.names)
    return sorted(names - RESERVED - BUILT_IN)


def settings_of(folder: Path, names: list[str]) -> Settings:
    columns = {"lead_id": "id", "event_at": "created"}
    columns |= {name: f"the {name}" for name in names}
    return make_settings(
        input_folder=folder,
        data_folder=folder / "data",
        sources={"leads": {"path": "leads.csv"}, "stages": {"path": "stages.csv"}},
        fields={name: {"known_from": "creation"} for name in names},
        mapping=[
            {"source": "leads", "table": "leads", "columns": columns},
            {
                "source": "stages",
                "table": "stages",
                "columns": {"lead_id": "id", "event_at": "at", "stage": "to", "stage_before": "of"},
            },
        ],
    )


def write_leads(folder: Path, names: list[str], value: str) -> None:
    header = ",".join(["id", "created", *(f"the {name}" for name in names)])
    rows = [f"L{number},2024-01-{1 + number % 28:02}" for number in range(LEADS)]
    values = "".join(f",{value} {name}" for name in names)
    text = "\n".join([header, *(row + values for row in rows)])
    (folder / "leads.csv").write_text(text, encoding="utf-8")


def test_fields_when_called_like_columns_of_ours_then_their_values_and_changes_are_kept(
    tmp_path: Path,
) -> None:
    names = names_of_ours()
    settings = settings_of(tmp_path, names)
    (tmp_path / "stages.csv").write_text("id,at,to,of\nL1,2024-02-01,qualified,new\n")
    write_leads(tmp_path, names, "old")
    jobs.ingest(settings, known_until_us=parse_moment("2024-03-01", zone="UTC"))
    write_leads(tmp_path, names, "new")

    jobs.ingest(
        settings,
        known_until_us=parse_moment("2024-03-02", zone="UTC"),
        accept=["renamed"],
    )

    version = read_current(settings.project_folder() / "store", project=settings.project)
    leads = [row for path in version.files("leads") for row in pq.read_table(path).to_pylist()]
    changes = [row for path in version.files("observed") for row in pq.read_table(path).to_pylist()]
    assert [{name: row[name] for name in names} for row in leads] == (
        [{name: f"old {name}" for name in names}] * LEADS
    )
    known = {(row["field"], row["value"]) for row in changes}
    assert known >= {(name, f"new {name}") for name in names}
