"""Keys of leads, from files to a store: only salted hashes, with a history like other columns."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from builders import make_settings
from leadscore import project as jobs
from leadscore.settings.settings import Settings
from leadscore.store.version import read_current

FIRST, SECOND = "2024-03-01", "2024-04-01"
NAMES = ("Zebrafink", "Quastenflosser", "Ameisenigel")
LEADS = f"""id,created,company,person
1,2024-01-01,{NAMES[0]} GmbH,Ann {NAMES[1]}
2,2024-01-02,{NAMES[0]} GmbH,
3,2024-01-03,n/a,Bo {NAMES[2]}
"""
MOVED = LEADS.replace(f"2,2024-01-02,{NAMES[0]} GmbH", f"2,2024-01-02,{NAMES[1]} AG")
LOG = f"""id,at,field,value
2,2024-02-01,account,{NAMES[2]} KG
"""


def export(
    folder: Path, until: str, leads: str, *, log: str | None = None, **more: Any
) -> Settings:
    """Write the files; company and person are the keys of the leads."""
    (folder / "leads.csv").write_text(leads, encoding="utf-8")
    keys = {"account": "company", "contact": "person"}
    columns = {"lead_id": "id", "event_at": "created"} | keys
    mapping: list[dict[str, Any]] = [{"source": "leads", "table": "leads", "columns": columns}]
    sources: dict[str, Any] = {"leads": {"path": "leads.csv", "missing": ["n/a"]}}
    if log is not None:
        (folder / "log.csv").write_text(log, encoding="utf-8")
        told = {"lead_id": "id", "event_at": "at", "field": "field", "value": "value"}
        mapping.append({"source": "log", "table": "changes", "columns": told})
        sources["log"] = {"path": "log.csv"}
    return make_settings(
        input_folder=folder,
        data_folder=folder / "data",
        sources=sources,
        mapping=mapping,
        known_until=until,
        **({"memory": {"account": "creation", "contact": "creation"}} | more),
    )


def rows_of(settings: Settings, table: str) -> list[dict[str, Any]]:
    version = read_current(settings.project_folder() / "store", project=settings.project)
    return [row for path in version.files(table) for row in pq.read_table(path).to_pylist()]


def clear_names(folder: Path) -> set[str]:
    """The planted names that some file below a folder holds; Parquet is read, not only grepped."""
    found = set()
    for path in (path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes().decode("utf-8", "ignore")
        if path.suffix == ".parquet":
            content += str(pq.read_table(path).to_pydict())
        found |= {name for name in NAMES if name.lower() in content.lower()}
    return found


@pytest.mark.parametrize("log", [None, LOG], ids=["leads", "leads and a history"])
def test_store_when_keys_are_names_then_holds_hashes_alone(tmp_path, log):
    memory = {"contact": "creation"} if log else {"account": "creation"}
    for until, leads in {FIRST: LEADS, SECOND: MOVED}.items():
        jobs.ingest(export(tmp_path, until, leads, log=log, memory=memory))
    assert clear_names(tmp_path / "data") == set()
    assert clear_names(tmp_path) == set(NAMES)  # of the files themselves: the search finds them


def test_leads_when_keys_are_mapped_then_equal_texts_have_equal_hashes(tmp_path):
    settings = export(tmp_path, FIRST, LEADS)
    jobs.ingest(settings)
    accounts = {row["lead_id"]: row["account"] for row in rows_of(settings, "leads")}
    contacts = {row["lead_id"]: row["contact"] for row in rows_of(settings, "leads")}
    assert accounts["1"] == accounts["2"] is not None
    assert accounts["3"] is contacts["2"] is None
    assert len({contacts["1"], contacts["3"], accounts["1"]}) == 3


def test_account_when_a_later_export_shows_another_then_the_first_stays_and_changes_from_then(
    tmp_path,
):
    jobs.ingest(export(tmp_path, FIRST, LEADS))
    settings = export(tmp_path, SECOND, MOVED)
    jobs.ingest(settings)
    accounts = {row["lead_id"]: row["account"] for row in rows_of(settings, "leads")}
    assert accounts["1"] == accounts["2"]
    (change,) = rows_of(settings, "observed")
    assert (change["lead_id"], change["field"]) == ("2", "account")
    assert change["value"] not in {None, accounts["1"]}


def test_account_when_it_is_back_at_a_missing_word_then_is_unknown_from_then(tmp_path):
    jobs.ingest(export(tmp_path, FIRST, LEADS))
    settings = export(
        tmp_path, SECOND, LEADS.replace(f"1,2024-01-01,{NAMES[0]} GmbH", "1,2024-01-01,n/a")
    )
    jobs.ingest(settings)
    (change,) = rows_of(settings, "observed")
    assert (change["lead_id"], change["field"], change["value"]) == ("1", "account", None)


def test_history_when_a_log_names_accounts_then_a_name_has_the_hash_that_leads_have(tmp_path):
    settings = export(tmp_path, FIRST, LEADS, log=LOG, memory={"contact": "creation"})
    jobs.ingest(settings)
    (change,) = rows_of(settings, "changes")
    other = export(
        tmp_path, SECOND, LEADS.replace(f"{NAMES[0]} GmbH", f"{NAMES[2]} KG"), log=LOG, memory={}
    )
    jobs.ingest(other)
    assert change["value"].startswith("hash:")
    assert change["value"] in {row["value"] for row in rows_of(other, "changes")}
