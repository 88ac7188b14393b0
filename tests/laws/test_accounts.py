"""Every row of every file is stored, ignored by name, or rejected with a reason; nothing vanishes, nothing crashes."""

import csv
import io
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from builders import make_settings
from leadscore import project as jobs
from leadscore.errors import MissingColumnsError, UserError
from leadscore.store.version import StoreVersion, read_current

IDS = st.sampled_from(["1", "2", "3", "00012", " 1", "", "9"])
TIMES = st.sampled_from(
    [
        "2024-01-01",
        "2024-01-05",
        "2024-01-02T10:00:00",
        "2024-01-03T10:00:00+02:00",
        "",
        "never",
        "9024-01-01",
        "2090-01-01",
    ]
)
WORDS = st.sampled_from(
    ["new", "signed", "won", "lost", "call", "call back", "", "Won", 'it\'s, "odd"\n', "*"]
)
SIZES = st.sampled_from(["", "5", "5.0", "1e2", "five", "-1", "99999999999999999999"])
LEADS = st.lists(st.tuples(IDS, TIMES, SIZES).map(list), max_size=7)
LOG = st.lists(
    st.one_of(*[st.tuples(IDS, TIMES, WORDS, IDS).map(list)] * 5, st.just(["ragged"])),
    min_size=1,
    max_size=12,
)
PATTERNS = st.lists(
    st.sampled_from(["new", "won", "lost", "call", "call*", "", "*", "it's*", "1"]), max_size=3
).map(tuple)
MATCHES = st.dictionaries(st.sampled_from(["what", "id"]), PATTERNS, max_size=2)
TABLES = {
    "stages": {"stage": "what"},
    "outcomes": {"outcome": "what"},
    "activities": {"kind": "what"},
    "changes": {"value": "what"},
    "leads": {},
}
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "table": st.sampled_from([*TABLES]),
            "where": MATCHES,
            "where_not": MATCHES,
            "id": st.sampled_from(["id", "other"]),
        }
    ),
    min_size=1,
    max_size=4,
)


def holds(text: str | None, patterns: tuple[str, ...]) -> bool:
    if text is None:  # where a row ends early
        return False
    return any(
        text == p or (p.endswith("*") and text != "" and text.startswith(p[:-1])) for p in patterns
    )


def fits(row: dict[str, str], match: dict[str, tuple[str, ...]]) -> bool:
    return all(holds(row.get(column), patterns) for column, patterns in match.items())


def entry(made: dict[str, Any]) -> dict[str, Any]:
    columns = {"lead_id": made["id"], "event_at": "t", **TABLES[made["table"]]}
    constants = {"field": "city"} if made["table"] == "changes" else {}
    return {
        "source": "log",
        "table": made["table"],
        "columns": columns,
        "constants": constants,
        "where": made["where"],
        "where_not": made["where_not"],
    }


def write_csv(path: Path, header: list[str], lines: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *lines])
    path.write_bytes(text.getvalue().encode())


def stored(version: StoreVersion, table: str) -> list[dict[str, Any]]:
    return [row for path in version.files(table) for row in pq.read_table(path).to_pylist()]


@settings(derandomize=True, deadline=None, max_examples=20)
@given(LEADS, LOG, ENTRIES, st.dictionaries(st.sampled_from(["tests", "old"]), MATCHES, max_size=2))
@example(  # a stage before its lead's creation is stored with a warning
    [["1", "2024-01-05", ""]],
    [["1", "2024-01-01", "new", "1"]],
    [{"table": "stages", "where": {}, "where_not": {}, "id": "id"}],
    {},
)
@example(  # a row that ends early is ignored too, if a rule matches what it has
    [],
    [["ragged"]],
    [{"table": "stages", "where": {}, "where_not": {}, "id": "id"}],
    {"tests": {}},
)
@example(
    [],
    [["1", "2024-01-01", "", "2"], ["3", "2024-01-01", "", "3"]],
    [{"table": "leads", "where": {}, "where_not": {}, "id": column} for column in ("id", "other")],
    {},
)
def test_accounts_when_files_and_mappings_are_any_then_they_add_up_and_agree_with_a_count_by_hand(
    leads, log, entries, ignore
):
    # one lead is always sound, so that there is a version to look at
    leads = [*leads, ["sound", "2024-01-01", "1"]]
    with tempfile.TemporaryDirectory() as name:
        made = write_project(Path(name), leads, log, entries, ignore)
        ingested = jobs.ingest(made)
        version = read_current(made.project_folder() / "store", project="built")
        tables = {table: stored(version, table) for table in version.manifest["tables"]}
        rejects = stored(version, "rejects")

    by_hand = count_by_hand(log, entries, ignore)
    source = ingested.accounts.sources["log"]
    assert {key: getattr(source, key) for key in by_hand.log} == by_hand.log
    assert sum(source.ignored_by.values()) == source.ignored
    assert ingested.accounts.sources["leads"].read == len(leads)

    selected = by_hand.selected + Counter({"leads": len(leads)})
    assert_adds_up(ingested, tables, rejects, selected=selected)

    ids = [row["lead_id"] for row in tables["leads"]]
    assert len(ids) == len(set(ids))
    assert all(row["lead_id"] in ids for table in tables.values() for row in table)
    assert all(row["available_us"] >= row["event_us"] for table in tables.values() for row in table)


def write_project(folder, leads, log, entries, ignore):
    write_csv(folder / "leads.csv", ["id", "created", "size"], leads)
    write_csv(folder / "log.csv", ["id", "t", "what", "other"], log)
    return make_settings(
        input_folder=folder,
        data_folder=folder / "data",
        known_until="2100-01-01",
        engine={"threads": 1},
        sources={"leads": {"path": "leads.csv"}, "log": {"path": "log.csv", "ignore": ignore}},
        mapping=[
            {
                "source": "leads",
                "table": "leads",
                "columns": {"lead_id": "id", "event_at": "created", "amount": "size"},
            },
            *map(entry, entries),
        ],
        fields={"city": {}},
        kinds={"call": "calls"},
    )


@dataclass(frozen=True)
class ByHand:
    """What becomes of the rows of a log: how many of them, and how many rows each table selects."""

    log: dict[str, int]
    selected: Counter[str]


def count_by_hand(log, entries, ignore):
    cells = ("id", "t", "what", "other")
    whole = [dict(zip(cells, map(str.strip, line), strict=True)) for line in log if len(line) == 4]
    ragged = [{"id": line[0]} for line in log if len(line) < 4]
    if all(made["table"] == "outcomes" and made["id"] == "id" for made in entries):
        # nothing that must be there is behind the row's end: it only lacks values
        whole += [dict.fromkeys(cells, "") | row for row in ragged]
        ragged = []

    def stays(row):
        return not any(fits(row, match) for match in ignore.values())

    rows = [row for row in whole if stays(row)]
    damaged = [row for row in ragged if stays(row)]
    selected = Counter()
    used = set()
    for made in entries:
        places = [place for place, row in enumerate(rows) if is_chosen(row, made)]
        selected[made["table"]] += len(places)
        used |= set(places)
    return ByHand(
        log={
            "read": len(log),
            "used": len(used),
            "ignored": len(log) - len(rows) - len(damaged),
            "rejected": len(damaged) + len(rows) - len(used),
        },
        selected=selected,
    )


def is_chosen(row, made):
    is_left_out = any(holds(row[column], shown) for column, shown in made["where_not"].items())
    return fits(row, made["where"]) and not is_left_out


def assert_adds_up(ingested, tables, rejects, *, selected):
    """Every selected row is stored, ignored, a duplicate, or among the rejects."""
    refused = [row for row in rejects if row["severity"] == "refused"]
    for table, account in ingested.accounts.tables.items():
        assert account.selected == selected[table]
        parts = ("stored", "ignored", "rejected", "duplicates")
        assert account.selected == sum(getattr(account, part) for part in parts)
        assert account.ignored == sum(account.ignored_by.values())
        assert account.stored == len(tables[table])
        assert account.rejected == sum(row["table"] == table for row in refused)
    sources = ingested.accounts.sources
    rejected = {name: account.rejected for name, account in sources.items() if account.rejected}
    assert rejected == dict(Counter(row["source"] for row in refused if row["table"] is None))
    assert ingested.rejects == dict(Counter(row["rule"] for row in refused))
    assert all(row["source"] and row["line"] and row["rule"] for row in rejects)


ODD = st.text('a,b";\n\r\t \ufeff\0é1*', max_size=40).map(str.encode) | st.binary(max_size=40)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    st.booleans(),
    ODD,
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["leads.csv", "leads.parquet"]),
)
@example(False, b"\xef\xbb\xbf", ",", "leads.csv")
@example(False, b'id,"created\n1,2024-01-01\n', ",", "leads.csv")
@example(True, b"1,2024-01-01\n", ",", "leads.csv")
@example(True, b"1,9999-12-31\n", ",", "leads.csv")
def test_ingest_when_a_file_holds_any_bytes_then_it_is_stored_or_refused_in_words(
    headed, data, delimiter, name
):
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        header = delimiter.join(["id", "created"]).encode() + b"\n" if headed else b""
        (folder / name).write_bytes(header + data)
        chosen = make_settings(
            input_folder=folder,
            data_folder=folder / "data",
            known_until="2100-01-01",
            engine={"threads": 1},
            sources={"leads": {"path": name, "delimiter": delimiter}},
            mapping=[
                {
                    "source": "leads",
                    "table": "leads",
                    "columns": {"lead_id": "id", "event_at": "created"},
                }
            ],
        )
        try:
            told = jobs.ingest(chosen)
        except UserError as refused:
            assert str(refused)  # noqa: PT017
            sound_header = headed and name == "leads.csv"
            assert not (sound_header and isinstance(refused, MissingColumnsError))  # noqa: PT017
            assert not (folder / "data").exists() or not list(
                (folder / "data").rglob("current.json")
            )
            return
    account = told.accounts.sources["leads"]
    assert account.read == account.used + account.ignored + account.rejected > 0


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=8)
@given(
    st.lists(st.tuples(IDS, TIMES, SIZES).map(list), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
def test_stored_leads_when_rows_are_shuffled_then_they_are_the_same(leads, chance):
    mixed = list(leads)
    chance.shuffle(mixed)
    assume(mixed != leads)
    versions = []
    for lines in (leads, mixed):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_csv(
                folder / "leads.csv",
                ["id", "created", "size"],
                [*lines, ["sound", "2024-01-01", ""]],
            )
            chosen = make_settings(
                input_folder=folder,
                data_folder=folder / "data",
                known_until="2100-01-01",
                engine={"threads": 1},
                mapping=[
                    {
                        "source": "leads",
                        "table": "leads",
                        "columns": {"lead_id": "id", "event_at": "created", "amount": "size"},
                    }
                ],
            )
            jobs.ingest(chosen)
            versions.append(
                read_current(chosen.project_folder() / "store", project="built").manifest
            )
    assert versions[0]["tables"] == versions[1]["tables"]
    assert versions[0]["rejects"]["rules"] == versions[1]["rejects"]["rules"]
    assert versions[0]["accounts"] == versions[1]["accounts"]
