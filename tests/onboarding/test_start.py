import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leadscore.cli import main as cli
from leadscore.errors import UserError
from leadscore.onboarding.exports import read_exports
from leadscore.onboarding.roles import Roles, find_roles
from leadscore.onboarding.stages import order_stages
from leadscore.project.starting import start
from leadscore.results import Started
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings

DEALS = [
    f"D-{n:03},2025-01-{n % 27 + 1:02},{closed},{stage},{1000 + n},rep {n % 3},{region}"
    for n, (stage, closed, region) in enumerate(
        [("Gewonnen", "2025-03-01", "Nord"), ("Verloren", "2025-03-09", "Süd"), ("Neu", "", "Nord")]
        * 20
    )
]
HEADER = "Nummer,Erstellt am,Geschlossen am,Status,Betrag,Besitzer,Region"


def write(folder: Path, name: str, header: str, rows: list[str]) -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def roles_of(*paths: Path) -> Roles:
    return find_roles(read_exports(paths, lambda *_: None).profiles)


def columns_of(roles: Roles) -> dict[str, str | None]:
    leads = roles.leads
    parts = ("id", "created", "closed", "outcome", "amount", "owner")
    columns = {part: getattr(leads, part) for part in parts}
    return {part: column.name if column else None for part, column in columns.items()}


def started(folder: Path, *paths: Path, **more: Any) -> tuple[Started, dict[str, Any]]:
    config = folder / "leadscore.toml"
    found = start(paths, config, **more)
    return found, tomllib.loads(config.read_text())


@pytest.mark.parametrize(
    ("header", "created", "form"),
    [
        (HEADER, "2025-01-{day:02}", None),
        (HEADER, "{day:02}.01.2025 08:30", "dmy"),
        (HEADER, "01/{day:02}/2025", "mdy"),
        (HEADER, "Jan {day}, 2025", None),
    ],
)
def test_roles_when_names_are_german_then_found(
    tmp_path: Path, header: str, created: str, form: str | None
) -> None:
    rows = []
    for n, row in enumerate(DEALS):
        cells = row.split(",")
        cells[1] = f'"{created.format(day=n % 27 + 1)}"'
        cells[2] = f'"{created.format(day=28)}"' if cells[2] else ""
        rows.append(",".join(cells))
    path = write(tmp_path, "deals.csv", header, rows)

    roles = roles_of(path)

    assert columns_of(roles) == {
        "id": "Nummer",
        "created": "Erstellt am",
        "closed": "Geschlossen am",
        "outcome": "Status",
        "amount": "Betrag",
        "owner": "Besitzer",
    }
    assert (roles.leads.won, roles.leads.lost) == (["Gewonnen"], ["Verloren"])
    _, settings = started(tmp_path, path)
    assert settings["sources"]["deals"].get("dates") == form


def test_start_when_given_the_sample_then_maps_as_its_own_settings_do(tmp_path: Path) -> None:
    write_sample(tmp_path / "crm", leads=60, seed=1)
    own = read_settings(tmp_path / "crm" / "leadscore.toml")

    _, proposed = started(tmp_path, tmp_path / "crm" / "exports")

    def essentials(entries: list[dict[str, Any]]) -> set[tuple[str, str, str, str]]:
        keys = ("lead_id", "event_at", "stage", "value")
        return {
            (entry["source"], entry["table"], key, entry["columns"][key])
            for entry in entries
            for key in keys
            if key in entry["columns"]
        }

    mapped = [entry.model_dump() for entry in own.mapping]
    assert essentials(mapped) <= essentials(proposed["mapping"])
    assert proposed["stages"]["open"] == list(own.stages.open)
    assert set(proposed["stages"]["won"]) == set(own.stages.won)


def test_start_when_nobody_confirmed_a_field_then_none_is_known_from_creation(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "deals.csv", HEADER, DEALS)

    found, settings = started(tmp_path, path)

    assert found.to_confirm == ["Region", "Betrag"]
    assert all("known_from" not in field for field in settings["fields"].values())


def test_start_when_no_date_closes_a_lead_then_says_so_and_ingests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [",".join([*row.split(",")[:2], *row.split(",")[3:]]) for row in DEALS]
    write(tmp_path, "deals.csv", "Nummer,Erstellt am,Status,Betrag,Besitzer,Region", rows)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["leadscore", "init", "deals.csv", "--yes"])

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert not ended.value.code
    printed = capsys.readouterr().out
    assert "40 closed leads have no close date" in printed.replace("\n", " ")
    assert "Next: leadscore train" in printed


def test_start_when_rows_have_neither_dates_nor_ids_then_undated(tmp_path: Path) -> None:
    rows = [f"{n % 7},{'yes' if n % 3 else 'no'},{n % 5}" for n in range(60)]
    path = write(tmp_path, "calls.csv", "age,converted,rooms", rows)

    _, settings = started(tmp_path, path)

    assert settings["time"] == "none"
    outcomes = settings["mapping"][1]
    assert outcomes["values"] == {
        "converted": {"yes": {"outcome": "won"}, "no": {"outcome": "lost"}}
    }


def test_start_when_dates_can_be_read_in_two_ways_then_nothing_is_guessed(tmp_path: Path) -> None:
    rows = [row.replace("2025-01-", "01/0").replace(",2025-03-", ",03/0") for row in DEALS]
    rows = [
        ",".join([cells[0], "03/04/2025", *cells[2:]]) for cells in (r.split(",") for r in rows)
    ]
    path = write(tmp_path, "deals.csv", HEADER, rows)

    _, settings = started(tmp_path, path)

    assert "dates" not in settings["sources"]["deals"]


def test_start_when_settings_exist_then_leaves_them(tmp_path: Path) -> None:
    path = write(tmp_path, "deals.csv", HEADER, DEALS)
    (tmp_path / "leadscore.toml").write_text("mine")

    with pytest.raises(
        UserError, match=r"exists\. To read the exports with it, run `leadscore ingest`"
    ):
        started(tmp_path, path)

    assert (tmp_path / "leadscore.toml").read_text() == "mine"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["a,b", "a,b", "a,b"], "no file looks like a list of leads"),
        ([], "no file looks like a list of leads"),
    ],
)
def test_start_when_nothing_looks_like_leads_then_says_what_is_there(
    tmp_path: Path, rows: list[str], words: str
) -> None:
    path = write(tmp_path, "notes.csv", "left,right", rows)

    with pytest.raises(UserError, match=words):
        started(tmp_path, path)


def test_stages_when_some_are_skipped_then_ordered_by_where_leads_enter_them() -> None:
    refs = ["1", "1", "1", "2", "2", "3"]
    stages = ["New", "Demo", "Offer", "New", "Offer", "New"]
    moments = np.array([1, 5, 9, 2, 4, 3])

    assert order_stages(refs, moments, stages) == ["New", "Demo", "Offer"]
    assert order_stages(refs, moments, stages, known=["Offer", "New"]) == ["Offer", "New", "Demo"]


@pytest.mark.parametrize("folder", ["acme", "acme/exports", "acme/Data", "acme/downloads"])
def test_start_when_a_folder_only_says_what_it_holds_then_the_one_around_it_names_the_project(
    tmp_path: Path, folder: str
) -> None:
    (tmp_path / folder).mkdir(parents=True)
    path = write(tmp_path / folder, "deals.csv", HEADER, DEALS)

    _, settings = started(tmp_path, path)

    assert settings["project"] == "acme"


@pytest.mark.parametrize(("time", "is_doubtful"), [("T10:00:00Z", False), ("T10:00:00", True)])
def test_start_when_times_state_no_zone_then_the_settings_doubt_that_they_are_utc(
    tmp_path: Path, time: str, is_doubtful: bool
) -> None:
    rows = [f"{n},2025-01-{n % 27 + 1:02}{time}" for n in range(60)]
    path = write(tmp_path, "deals.csv", "Nummer,Erstellt am", rows)

    started(tmp_path, path)

    line = "# timezone = \"Europe/Berlin\" # CHECK: 'Erstellt am' has no time zone"
    assert (line in (tmp_path / "leadscore.toml").read_text()) is is_doubtful


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        ("2万5000円", "many values of Betrag are not read as numbers, such as '2万5000円'"),
        ("5 Dr", "many values of Betrag are not read as numbers, such as '5 Dr'"),
        ("", "no column is called so"),
        (
            "5 Cr",
            "'5 Cr' counts as crores, 10,000,000 each: if Cr marks credits, remove it in a view",
        ),
    ],
)
def test_start_when_amounts_are_unreadable_or_may_be_credits_then_says_so(
    tmp_path: Path, amount: str, message: str
) -> None:
    rows = [row.replace(f",{1000 + n},", f",{amount},") for n, row in enumerate(DEALS)]
    path = write(tmp_path, "deals.csv", HEADER, rows)

    result, _ = started(tmp_path, path)

    (part,) = [part for part in result.parts if part.part == "amount"]
    assert message in f"{part.evidence}; {part.doubt}"
