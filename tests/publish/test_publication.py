"""Publications: their files, manifest, receipts, and that one is never touched again."""

import csv
import json
import os
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadscore.scoring.score import SCORES
from leadscore.store.receipts import read_receipts, receipts_path
from leadscore.tables import RECEIPTS
from publish.publishing import AS_OF, FILES, contents, make_scores, publish, read_whole

HOSTILE = [
    'he said "yes", then left', "one line\nanother", "a line\r\nof windows", "an old\rmac", " spaces ", "Zürich ☎",
    "", "'single'", ";semi;", "tab\there", "=1+1",
]  # fmt: skip


def stamps(folder):
    return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.rglob("*")}


def test_publication_when_made_then_its_manifest_tells_all_of_it(tmp_path):
    scores = make_scores()
    publication = publish(tmp_path, scores)
    assert sorted(path.name for path in publication.folder.iterdir()) == FILES
    assert read_whole(tmp_path) == publication.id
    manifest = json.loads((publication.folder / "manifest.json").read_bytes())
    assert manifest["schema_version"] == 4
    assert manifest["inputs"] == {}
    assert (manifest["project"], manifest["as_of"]) == ("synthetic", "2024-04-10T00:00:00.000001Z")
    assert (manifest["model_version"], manifest["store_version"]) == ("m" * 16, "s" * 16)
    assert manifest["columns"] == SCORES.names
    assert manifest["counts"] == {"scored": 7}
    assert publication.id.startswith("20240410T000000Z-")
    assert publication.manifest == manifest


def test_publication_when_made_then_can_be_read_by_others(tmp_path):
    publication = publish(tmp_path, make_scores())
    assert publication.folder.stat().st_mode & 0o777 == 0o755
    files = [*publication.folder.iterdir(), tmp_path / "scores" / "current.json"]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o644}


@pytest.mark.parametrize(
    ("n", "texts"), [(7, ()), (0, ()), (11, HOSTILE)], ids=["plain", "no lead", "hostile texts"]
)
def test_csv_when_parsed_back_then_says_what_the_parquet_says(tmp_path, n, texts):
    publication = publish(tmp_path, make_scores(n, texts=texts))
    table = pq.read_table(publication.folder / "scores.parquet")
    assert table.schema == SCORES
    assert table.equals(make_scores(n, texts=texts))
    with (publication.folder / "scores.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == SCORES.names
    read = {pa.float64(): float, pa.string(): str, pa.bool_(): {"true": True, "false": False}.get}
    expected = table.to_pylist()
    assert len(rows) == len(expected)
    for row, lead in zip(rows, expected, strict=True):
        for field, cell in zip(SCORES, row, strict=True):
            if pa.types.is_timestamp(field.type):
                assert cell.endswith("Z")
                assert datetime.fromisoformat(cell) == lead[field.name]
            else:
                assert read[field.type](cell) == lead[field.name], (field.name, cell)


def test_csv_when_read_as_bytes_then_is_utf_8_with_line_feeds(tmp_path):
    data = (publish(tmp_path, make_scores(3, texts=["Zürich"])).folder / "scores.csv").read_bytes()
    header = data.split(b"\n")[0].replace(b'"', b"")
    assert header.startswith(
        b"lead_id,as_of,win_probability,probability_low,probability_high,score,tier,amount"
    )
    assert b"\r" not in data
    assert data.count(b"\n") == 4
    assert "Zürich".encode() in data


def test_publication_when_made_again_then_nothing_is_touched(tmp_path):
    first = publish(tmp_path, make_scores())
    for path in tmp_path.rglob("*"):
        os.utime(path, ns=(10**18, 10**18))
    before, states = contents(tmp_path), stamps(tmp_path)
    assert publish(tmp_path, make_scores()) == first
    assert contents(tmp_path) == before
    # folders keep their times too, but for those in which a temporary file came and went; there must be none
    assert stamps(tmp_path) == states


def test_publication_when_made_in_another_place_then_has_the_same_bytes(tmp_path):
    publish(tmp_path / "a", make_scores())
    publish(tmp_path / "b", make_scores())
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"scores": make_scores(shift=1e-12)}, id="a number in its last digits"),
        pytest.param({"scores": make_scores(texts=["other"])}, id="a reason"),
        pytest.param({"as_of_us": AS_OF + 1}, id="as_of by a microsecond"),
        pytest.param({"model_version": "other"}, id="the model"),
    ],
)
def test_publication_when_anything_of_it_differs_then_is_another_and_the_first_stays(
    tmp_path, change
):
    first = publish(tmp_path, make_scores())
    before = contents(first.folder)
    second = publish(tmp_path, **({"scores": make_scores()} | change))
    assert second.id != first.id
    assert contents(first.folder) == before
    assert read_whole(tmp_path) == second.id
    assert (
        publish(tmp_path, make_scores(), replace_newer=True).id == read_whole(tmp_path) == first.id
    )


def test_receipts_when_older_ones_name_the_log_odds_raw_then_they_are_read_alike(tmp_path):
    publication = publish(tmp_path, make_scores())
    path = receipts_path(tmp_path / "store", publication.id)
    receipts = read_receipts(tmp_path / "store")
    names = ["raw" if name == "log_odds" else name for name in receipts.schema.names]
    path.chmod(0o644)
    pq.write_table(receipts.rename_columns(names), path)
    assert read_receipts(tmp_path / "store").equals(receipts)


def test_receipts_when_scores_are_published_then_hold_each_lead_once(tmp_path):
    scores = make_scores()
    first = publish(tmp_path, scores)
    publish(tmp_path, scores)
    second = publish(tmp_path, make_scores(3))
    receipts = read_receipts(tmp_path / "store")
    assert receipts.schema == RECEIPTS
    rows = receipts.to_pylist()
    ours = [row for row in rows if row["publication_id"] == first.id]
    assert len(rows) == 10
    for row, lead in zip(ours, scores.to_pylist(), strict=True):
        assert row == {
            "publication_id": first.id, "lead_id": lead["lead_id"], "as_of": lead["as_of"], "log_odds": lead["log_odds"],
            "win_probability": lead["win_probability"], "score": lead["score"], "tier": lead["tier"], "rep_id": None,
            "exploration_probability": None, "model_version": "m" * 16, "store_version": "s" * 16,
        }  # fmt: skip
    assert {row["publication_id"] for row in rows} == {first.id, second.id}


def test_receipts_when_nothing_was_published_then_are_an_empty_table(tmp_path):
    assert read_receipts(tmp_path).equals(RECEIPTS.empty_table())
