"""What people see of leads: where it is, where it must never be, and how it goes."""

import json
from pathlib import Path
from typing import Any

import pytest

from builders import make_settings
from leadscore import project as jobs
from leadscore.errors import DamagedFileError, UserError
from leadscore.ingest.shown.current import read_shown
from leadscore.project.showing import forget, read_shown_leads
from leadscore.settings.settings import Settings

HEADER = "id,created,Deal,Firma,Ansprechpartner,Mail,Tel"
ROWS = (
    "1,2024-01-01,Zwölf Pumpen,Quellwerk GmbH,Xenia Zorbas,Xenia.Zorbas@quellwerk.test,+49 30 7654321",
    "2,2024-01-02,Filter,Quellwerk GmbH,Xenia Zorbas,,",
    "3,2024-01-03,Ventile,Nordlicht AB,Bo Quist,bo@nordlicht.test,030 7654321",
    "4,2024-01-04,,,Yara Vex,yara+crm@vex.test,",
)
PLANTED = ("Zwölf Pumpen", "Quellwerk", "Zorbas", "7654321", "Nordlicht", "Quist", "yara", "Vex")
SHOW = {
    "name": "Deal",
    "company": "Firma",
    "contact": "Ansprechpartner",
    "email": "Mail",
    "phone": "Tel",
}
COLUMNS = {"lead_id": "id", "event_at": "created"}


def settings_of(folder: Path, rows=ROWS, header=HEADER, **changes: Any) -> Settings:
    folder.mkdir(exist_ok=True)
    (folder / "leads.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    mapping = [{"source": "leads", "table": "leads", "columns": COLUMNS}]
    known = {
        "input_folder": folder,
        "data_folder": folder / "data",
        "models_folder": folder / "models",
        "mapping": mapping,
        "known_until": "2024-03-01",
        "show": SHOW,
    }
    return make_settings(**(known | changes))


def shown(settings: Settings) -> dict[str, tuple]:
    rows = read_shown_leads(settings).to_pylist()
    return {row.pop("lead_id"): tuple(row.values()) for row in rows}


def files_with(folder: Path, words: tuple[str, ...]) -> set[str]:
    """The files below a folder that hold one of the words, in UTF-8 or in Parquet's pages."""
    import pyarrow.parquet as pq

    holding = set()
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        data = path.read_bytes().decode("utf-8", errors="replace")
        if path.suffix == ".parquet":
            data = json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False)
        if any(word in data for word in words):
            holding.add(path.relative_to(folder).parts[0])
    return holding


def test_texts_when_an_export_is_read_then_lie_beside_the_store_for_its_owner_alone(tmp_path):
    settings = settings_of(tmp_path)
    jobs.ingest(settings)
    assert shown(settings)["4"] == (None, None, "Yara Vex", "yara+crm@vex.test", None)
    assert files_with(settings.project_folder(), PLANTED) == {"shown"}
    for path in (settings.project_folder() / "shown").rglob("*.parquet"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_texts_when_a_row_is_rejected_or_does_not_fit_then_are_in_no_reject(tmp_path):
    broken = [*ROWS, "5,no date,Zwölf Pumpen,Quellwerk,Zorbas,a@vex.test,1", "6,2024-01-05,Quist,x"]
    settings = settings_of(tmp_path, broken)
    ingested = jobs.ingest(settings)
    assert ingested.rejects
    assert files_with(settings.project_folder(), PLANTED) == {"shown"}
    assert "5" not in shown(settings)
    jobs.write_rejects(settings, tmp_path / "rejects.csv")
    written = (tmp_path / "rejects.csv").read_text(encoding="utf-8")
    assert not any(word in written for word in PLANTED)


def test_texts_when_the_section_goes_then_go_with_the_next_ingest(tmp_path):
    jobs.ingest(settings_of(tmp_path))
    bare = settings_of(tmp_path, show=None)
    jobs.ingest(bare)
    assert shown(bare) == {}
    assert "shown" not in files_with(bare.project_folder(), PLANTED)


def test_texts_when_a_lead_left_the_export_then_are_gone(tmp_path):
    jobs.ingest(settings_of(tmp_path))
    later = settings_of(tmp_path, ROWS[:3], known_until="2024-03-02")
    jobs.ingest(later, accept=["half_delivered"])
    assert list(shown(later)) == ["1", "2", "3"]
    assert files_with(later.project_folder(), ("Yara Vex",)) == set()


def test_file_when_it_has_not_changed_then_is_not_read_again_and_its_texts_stay(tmp_path):
    settings = settings_of(tmp_path)
    jobs.ingest(settings)
    before = shown(settings)
    assert [file.unchanged for file in jobs.ingest(settings).files] == [True]
    assert shown(settings) == before


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"PAR1")])
def test_texts_when_their_file_is_lost_then_the_export_is_read_again(tmp_path, harm):
    settings = settings_of(tmp_path)
    jobs.ingest(settings)
    before = shown(settings)
    for path in (settings.project_folder() / "shown").rglob("*.parquet"):
        harm(path)
    assert [file.unchanged for file in jobs.ingest(settings).files] == [False]
    assert shown(settings) == before


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    ("whom", "leads", "staying"),
    [
        ({"lead_id": "2"}, 1, {"1", "3", "4"}),
        ({"lead_id": "none such"}, 0, {"1", "2", "3", "4"}),
        ({"contact": "zorbas, xenia"}, 2, {"3", "4"}),
        ({"contact": "XENIA.ZORBAS+x@quellwerk.test"}, 1, {"2", "3", "4"}),
        ({"contact": "(030) 765 43 21"}, 2, {"2", "4"}),
        ({"contact": "Xenia"}, 0, {"1", "2", "3", "4"}),
    ],
)
def test_forgotten_when_the_same_export_comes_again_then_stay_so(tmp_path, whom, leads, staying):
    settings = settings_of(tmp_path)
    jobs.ingest(settings)
    assert forget(settings, **whom).leads == leads
    assert set(shown(settings)) == staying
    assert jobs.ingest(settings).files[0].unchanged
    assert set(shown(settings)) == staying
    jobs.ingest(settings_of(tmp_path, [*ROWS, "9,2024-01-09,,,,,"], known_until="2024-03-02"))
    assert set(shown(settings)) == {*staying, "9"}


def test_forgotten_contact_when_it_comes_with_another_lead_then_is_not_shown(tmp_path):
    settings = settings_of(tmp_path)
    jobs.ingest(settings)
    forget(settings, contact="Xenia Zorbas")
    more = [*ROWS, "7,2024-01-05,New,Else,Zorbas Xenia,,", "8,2024-01-06,New,Else,Una Other,,"]
    later = settings_of(tmp_path, more, known_until="2024-03-02")
    jobs.ingest(later)
    assert set(shown(later)) == {"3", "4", "8"}


def test_forgotten_when_kept_then_names_nobody(tmp_path):
    settings = settings_of(tmp_path)
    jobs.ingest(settings)
    forget(settings, contact="Xenia Zorbas")
    path = settings.project_folder() / "shown" / "forgotten.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert files_with(settings.project_folder(), ("Zorbas",)) == set()
    path.write_text("{}")
    with pytest.raises(DamagedFileError, match="store forget"):
        forget(settings, "3")


@pytest.mark.parametrize("whom", [{}, {"lead_id": "1", "contact": "Ann"}, {"contact": " ?! "}])
def test_forget_when_it_is_not_clear_whom_then_is_refused(tmp_path, whom):
    settings = settings_of(tmp_path)
    jobs.ingest(settings)
    with pytest.raises(UserError):
        forget(settings, **whom)


def test_texts_when_leads_come_from_two_sources_then_each_has_its_own_columns(tmp_path):
    (tmp_path / "deals.csv").write_text("id,created,Account\nD1,2024-01-01,Bolt\n")
    entry = {"source": "deals", "table": "leads", "columns": COLUMNS}
    settings = settings_of(
        tmp_path,
        sources={"leads": {"path": "leads.csv"}, "deals": {"path": "deals.csv"}},
        mapping=[{"source": "leads", "table": "leads", "columns": COLUMNS}, entry],
        show={"company": {"leads": "Firma", "deals": "Account"}, "contact": {"leads": "Ansprechpartner"}},
    )  # fmt: skip
    jobs.ingest(settings)
    assert shown(settings)["D1"] == (None, "Bolt", None, None, None)
    assert shown(settings)["3"] == (None, "Nordlicht AB", "Bo Quist", None, None)


def test_texts_when_a_view_makes_the_leads_then_are_its_columns(tmp_path):
    sql = 'SELECT id, created, "Deal" || \' at \' || "Firma" AS deal FROM leads'
    settings = settings_of(
        tmp_path,
        views={"ready": {"sql": sql}},
        mapping=[{"source": "ready", "table": "leads", "columns": COLUMNS}],
        show={"name": "deal"},
    )
    jobs.ingest(settings)
    assert shown(settings)["3"][0] == "Ventile at Nordlicht AB"
    assert files_with(settings.project_folder(), PLANTED) == {"shown"}


def test_texts_when_nothing_is_shown_then_no_folder_is_made(tmp_path):
    settings = settings_of(tmp_path, show=None)
    jobs.ingest(settings)
    folder = settings.project_folder() / "shown"
    assert not folder.exists()
    assert read_shown(folder).num_rows == 0
