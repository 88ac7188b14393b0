import tomllib
from pathlib import Path
from typing import Any

import pytest

from leadscore import Project
from leadscore.errors import UserError
from leadscore.onboarding.exports import find_exports
from leadscore.project.starting import start
from leadscore.results import Started
from onboarding.made_exports import start_with, write_rows

DEALS = [
    f"D-{n},2025-01-{n % 27 + 1:02},{closed},{stage}"
    for n, (stage, closed) in enumerate([("Won", "2025-03-01"), ("Lost", "2025-03-09")] * 20)
]
HEADER = "Id,Created,Closed,Status"


def write(path: Path, header: str, rows: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def started(folder: Path, **more: Any) -> tuple[Started, dict[str, Any]]:
    config = folder / "leadscore.toml"
    found = start([folder], config, **more)
    return found, tomllib.loads(config.read_text())


def parts_of(found: Started) -> dict[str, tuple[str, str]]:
    return {part.part: (part.place, f"{part.evidence}; {part.doubt}") for part in found.parts}


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("case,activity,time", [f"{n // 3},step {n % 3},2025-01-{n + 1:02}" for n in range(27)]),
        (HEADER, [*DEALS, DEALS[0].replace("Won", "Lost")]),
    ],
    ids=["event log", "a lead twice"],
)
def test_start_when_no_column_identifies_leads_then_refuses_and_leaves_no_settings(
    tmp_path: Path, header: str, rows: list[str]
) -> None:
    write(tmp_path / "log.csv", header, rows)

    with pytest.raises(UserError, match="no column that identifies a lead"):
        started(tmp_path)

    assert not (tmp_path / "leadscore.toml").exists()


def test_start_when_only_an_address_is_unique_then_says_that_it_may_not_be_an_id(
    tmp_path: Path,
) -> None:
    rows = [f"person{n}@example.com,2025-01-{n % 27 + 1:02},Won" for n in range(40)]
    write(tmp_path / "deals.csv", "Email,Created,Status", rows)

    with pytest.raises(UserError, match="'Email' is different in each row but looks personal"):
        started(tmp_path)


def test_start_when_columns_and_files_have_line_breaks_in_their_names_then_valid_toml(
    tmp_path: Path,
) -> None:
    rows = [f'{row},always,"{n}"' for n, row in enumerate(DEALS)]
    write(tmp_path / 'deals "1"\n.csv', f'{HEADER},"con\nstant = [","a\tb"', rows)
    write(tmp_path / "other\nnotes = [.csv", "left,right", ["a,b", "a,b"])

    found, settings = started(tmp_path)

    assert found.unused == ["other\nnotes = [.csv"]
    assert {entry["table"] for entry in settings["mapping"]} == {"leads", "outcomes"}


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02\xff"])
def test_start_when_another_file_cannot_be_read_then_it_is_named_and_left_out(
    tmp_path: Path, content: bytes
) -> None:
    write(tmp_path / "deals.csv", HEADER, DEALS)
    (tmp_path / "broken.csv").write_bytes(content)

    found, settings = started(tmp_path)

    assert list(settings["sources"]) == ["deals"]
    assert "broken.csv" in {parts_of(found).get("not read", ("",))[0], *found.unused}


def test_start_when_two_files_have_the_same_name_and_columns_then_says_how_to_read_both(
    tmp_path: Path,
) -> None:
    write(tmp_path / "north" / "deals.csv", HEADER, DEALS)
    write(tmp_path / "south" / "deals.csv", HEADER, DEALS)

    found, settings = started(tmp_path)

    assert settings["sources"]["deals"]["path"] == "north/deals.csv"
    assert found.unused == ["south/deals.csv"]
    assert 'path = "*/deals.csv"' in parts_of(found)["not used"][1]


def test_start_when_a_project_lies_beside_the_exports_then_its_own_files_are_no_exports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "deals.csv", HEADER, DEALS)
    started(tmp_path)
    Project(tmp_path / "leadscore.toml").ingest(known_until="2026-01-01T00:00:00Z")
    assert list(tmp_path.rglob("*.parquet"))

    assert find_exports([tmp_path]) == [path]


@pytest.mark.parametrize(
    ("status", "word"),
    [({"Won": "Won", "Lost": "Won"}, "constant"), ({"Won": "a", "Lost": "b"}, "unknown words")],
)
def test_start_when_nothing_says_won_and_lost_then_says_so(
    tmp_path: Path, status: dict[str, str], word: str
) -> None:
    rows = [f"{row.rpartition(',')[0]},{status[row.rpartition(',')[2]]}" for row in DEALS]
    write(tmp_path / "deals.csv", HEADER, rows)

    found, _ = started(tmp_path)

    assert not found.has_outcomes, word
    assert parts_of(found)["outcome"][0] == "not found"


@pytest.mark.parametrize("name", ["Gewonnen", "converted", "is_won"])
def test_start_when_a_flag_counts_open_leads_as_lost_then_doubts_it(
    tmp_path: Path, name: str
) -> None:
    rows = [row.replace("2025-03-09,Lost", ",0").replace("Won", "1") for row in DEALS]
    write(tmp_path / "deals.csv", HEADER.replace("Status", name), rows)

    found, _ = started(tmp_path)

    assert "20 lost leads have no Closed" in parts_of(found)["outcome"][1]


def test_start_when_the_moment_is_given_then_the_settings_state_it(tmp_path: Path) -> None:
    write(tmp_path / "deals.csv", HEADER, DEALS)

    _, settings = started(tmp_path, known_until="2026-02-01")

    assert str(settings["known_until"]) == "2026-02-01"


def monthly(folder: Path, names: list[str], *, shared: int = 0) -> None:
    """Deals in several files, of which each begins with the last deals of the one before."""
    size = len(DEALS) // len(names)
    for place, name in enumerate(names):
        rows = DEALS[max(0, place * size - shared) : (place + 1) * size]
        write(folder / name, HEADER, rows)


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["deals_2024-01.csv", "deals_2024-02.csv"], "deals_*.csv"),
        (["deals 1.csv", "deals 2.csv", "deals 10.csv"], "deals *.csv"),
        (["Jan-deals.csv", "February-deals.csv"], "*-deals.csv"),
        (["deals[1].csv", "deals[2].csv"], "deals[[]*].csv"),
    ],
)
def test_start_when_files_of_the_same_columns_differ_in_their_date_then_one_pattern_reads_them(
    tmp_path: Path, names: list[str], pattern: str
) -> None:
    monthly(tmp_path, names)

    found, settings = started(tmp_path)

    (path,) = [source["path"] for source in settings["sources"].values()]
    assert path == pattern
    assert found.unused == []
    done = Project(tmp_path / "leadscore.toml").ingest()
    assert done.accounts.tables["leads"].stored == len(DEALS) // len(names) * len(names)


def test_start_when_each_file_holds_all_leads_then_they_are_not_read_together(
    tmp_path: Path,
) -> None:
    monthly(tmp_path, ["deals_2024-01.csv", "deals_2024-02.csv"], shared=5)

    found, settings = started(tmp_path)

    assert settings["sources"]["deals_2024_01"]["path"] == "deals_2024-01.csv"
    assert found.unused == ["deals_2024-02.csv"]


def test_start_when_the_pattern_would_read_another_file_then_none_is_written(
    tmp_path: Path,
) -> None:
    monthly(tmp_path, ["deals_1.csv", "deals_2.csv"])
    write(tmp_path / "deals_3.csv", "other,columns", ["a,b", "c,d"])

    _, settings = started(tmp_path)

    assert "*" not in settings["sources"]["deals_1"]["path"]


@pytest.mark.parametrize(
    ("closes", "moment", "is_said"),
    [
        (["2025-01-30", "2025-02-08", "2025-02-17"], "2025-02-18", False),
        (["2025-01-30", "2025-02-05", "2025-09-01"], "2025-02-06", True),
    ],
)
def test_moment_when_guessed_then_it_follows_the_closes_or_says_why_not(
    tmp_path: Path, closes: list[str], moment: str, is_said: bool
) -> None:
    """The last lead is created on 27 January; later closes come within ten days, or much later."""
    rows = []
    for n in range(60):
        created = f"2025-01-{n % 27 + 1:02}"
        rows.append(f"D-{n},{created},{closes[n % 3]},{'Won' if n % 2 else 'Lost'}")
    write(tmp_path / "deals.csv", HEADER, rows)

    _, settings = started(tmp_path)

    assert settings["known_until"].date().isoformat() == moment
    assert ("taken for expected ones" in (tmp_path / "leadscore.toml").read_text()) == is_said


@pytest.mark.parametrize(
    ("of_lead", "of_call", "kind"),
    [
        ("{n}", "{n}.0", "integer"),
        ("{n:08x}-269e-0d37-f2a7-4de452e6b438", "{{{n:08X}-269E-0D37-F2A7-4DE452E6B438}}", "guid"),
    ],
)
def test_start_when_events_spell_ids_otherwise_then_the_kind_of_id_joins_them(
    tmp_path: Path, of_lead: str, of_call: str, kind: str
) -> None:
    ids = range(100_000, 100_000 + len(DEALS))
    deals = [
        f"{of_lead.format(n=n)},{row.partition(',')[2]}" for n, row in zip(ids, DEALS, strict=True)
    ]
    calls = [f"{of_call.format(n=n)},2025-02-{n % 27 + 1:02} 10:00,Call" for n in ids]
    write(tmp_path / "deals.csv", HEADER, deals)
    write(tmp_path / "calls.csv", "Deal Id,When,Type", [*calls, calls[0].replace("Call", "Email")])

    _, settings = started(tmp_path)

    assert {source["id"] for source in settings["sources"].values()} == {kind}
    done = Project(tmp_path / "leadscore.toml").ingest()
    assert not done.rejects
    assert done.accounts.tables["activities"].stored == len(calls) + 1


def test_init_when_one_word_shows_the_encoding_then_it_is_doubted(tmp_path):
    rows = [f"{row},Molière" for row in DEALS]
    deals = write(tmp_path / "deals.csv", f"{HEADER},Name", rows)
    deals.write_bytes(deals.read_text(encoding="utf-8").encode("cp1252"))
    place, doubt = parts_of(started(tmp_path)[0])["encoding"]
    assert place == "deals.csv"
    assert "read as CP1252, but the text may be CP1250" in doubt
    assert "set encoding = 'cp1250'" in doubt


def test_start_when_columns_share_a_name_then_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Amount", "Amount", "Created", "Closed", "Status"],
        lambda number, created, closed: (
            f"D{number}", 100 + number, "EUR", created.date(), closed, ("Open", "Won", "Lost", "Lost")[number % 4],
        ),
    )  # fmt: skip

    parts, _ = start_with(path, monkeypatch)

    assert parts["columns"].evidence == "several are called 'Amount'"
    assert "give each a name of its own" in (parts["columns"].doubt or "")
