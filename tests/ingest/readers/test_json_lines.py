import gzip
import json
from pathlib import Path

import pytest

from leadscore.errors import MissingColumnsError, UserError
from leadscore.ingest.readers import json_lines
from leadscore.ingest.readers.batch import Batch
from leadscore.ingest.readers.sources import detect_dialect, find_files, read_file, read_names
from leadscore.settings.source import Source


def read(folder: Path, text: str | bytes, columns: list[str], *, name: str = "x.jsonl", **parts):
    """The batches of a file with that text."""
    data = text if isinstance(text, bytes) else text.encode()
    (folder / name).write_bytes(data)
    source = Source(path=Path(name), **parts)
    file = find_files("deals", source, folder=folder)[0]
    assert detect_dialect(file, source) is None
    return list(read_file(file, source, columns=columns, dialect=None))


def rows_of(batches: list[Batch]) -> list[tuple]:
    """(line, values...) of all rows."""
    rows = []
    for batch in batches:
        values = batch.columns.to_pylist()
        rows += [(int(line), *row.values()) for line, row in zip(batch.lines, values, strict=True)]
    return rows


def malformed_of(batches: list[Batch]) -> list[tuple[int, str]]:
    return [row for batch in batches for row in batch.malformed]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('"Müller"', "Müller"),
        ('"M\\u00fcller"', "Müller"),
        ('"\\ud83d\\ude00"', "😀"),
        ('" padded "', "padded"),
        ('"00012"', "00012"),
        ('"\\\\u0000"', "\\u0000"),  # a backslash and letters, no NUL
        ("7", "7"),
        ("-7", "-7"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("1.0", "1"),
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("12345678901234567.25", "12345678901234567.25"),  # a float would lose the fraction
        ("4000000000180000000.0", "4.00000000018E+18"),  # as an id, it was rounded
        ("1e999999", "1e999999"),
        ("true", "true"),
        ("false", "false"),
        ("null", ""),
        ("{}", ""),
        ("[]", "[]"),
        ('[1, 2.50, "a", null, {"b": [true]}]', '[1,2.5,"a",null,{"b":[true]}]'),
    ],
)
def test_json_value_when_it_is_read_then_it_has_one_spelling(tmp_path, written, text):
    batches = read(tmp_path, f'{{"a": {written}}}\n', ["a"])
    assert rows_of(batches) == [(1, text)]


def test_json_lines_when_objects_are_nested_then_columns_have_dots(tmp_path):
    text = (
        '{"id": "7", "properties": {"dealname": "Acme", "owner": {"id": 3}}, "tags": ["a"]}\n'
        "\n"
        '{"properties": {"dealname": null}, "id": "8"}'
    )
    columns = ["id", "properties.dealname", "properties.owner.id", "tags"]
    assert rows_of(read(tmp_path, text, columns)) == [
        (1, "7", "Acme", "3", '["a"]'),
        (3, "8", "", "", ""),
    ]


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize(
    ("name", "encode"),
    [
        ("x.jsonl", str.encode),
        ("x.NDJSON", str.encode),
        ("x.ndjson.gz", lambda text: gzip.compress(text.encode())),
        ("x.jsonl", lambda text: b"\xef\xbb\xbf" + text.encode()),
    ],
)
def test_json_lines_when_lines_are_bad_then_they_are_malformed_and_the_rest_is_read(
    tmp_path, monkeypatch, size, name, encode
):
    monkeypatch.setattr(json_lines, "BATCH_ROWS", size)
    lines = {
        '{"a": 1}': None,
        '{"a": "secret", "b"': "no JSON",
        "[1]": "no object",
        '{"a": "secret", "a": 2}': "same key twice",
        '{"a.b": "secret", "a": {"b": 2}}': "more than one value for the column 'a'",
        '{"a": "secret \\ud800"}': "half a character",
        '{"a": "secret \\u0000"}': "NUL",
        '{"a": NaN}': "NaN",
        '{"a":' + "[" * 100_000 + "]" * 100_000 + "}": "nested too deeply",
        '{"a":' * 5_000 + "1" + "}" * 5_000: "nested too deeply",
        '{"a": 2}': None,
    }
    batches = read(tmp_path, encode("\n".join(lines)), ["a"], name=name)
    assert rows_of(batches) == [(1, "1"), (11, "2")]

    problems = dict(malformed_of(batches))
    assert list(problems) == list(range(2, 11))
    for line, problem in enumerate(lines.values(), 1):
        assert problem is None or problem in problems[line]
    assert "secret" not in str(problems)


def test_json_lines_when_a_column_holds_only_numbers_then_it_is_typed(tmp_path):
    text = '{"a": 1.5, "b": 1, "c": "1.5", "d": null}\n{"a": null, "b": "x", "c": "2", "d": null}\n'
    (batch,) = read(tmp_path, text, ["a", "b", "c", "d"])
    assert batch.typed == {"a"}


def test_json_lines_when_no_row_has_a_column_then_it_is_missing_and_the_nearest_is_named(tmp_path):
    text = '{"id": 1}\n{"id": 2, "properties": {"dealname": "x"}}\n'
    with pytest.raises(MissingColumnsError, match=r"did you mean 'properties.dealname'") as caught:
        read(tmp_path, text, ["id", "properties.dealnam"])
    assert caught.value.available == ("id", "properties.dealname")


def test_json_names_when_rows_have_different_keys_then_all_are_named(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"a": 1}\nbroken\n{"b": {"c": 1}, "a": 2}\n')
    source = Source(path=Path("x.jsonl"))
    (file,) = find_files("deals", source, folder=tmp_path)
    assert read_names(file, source, dialect=None) == ["a", "b.c"]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("x.jsonl", b"", "is empty"),
        ("x.jsonl", b'\n [\n{"a": 1},\n{"a": 2}\n]', "jq -c"),
        ("x.jsonl", b'[{"a": 1}, {"a": 2}]', "jq -c"),
        ("x.jsonl", b'{\n"a": 1\n}', "no line that is a JSON object: line 1"),
        ("x.jsonl", b'{"a": "M\xfcller"}', "is not UTF-8 text"),
        ("x.jsonl", b"PK\x03\x04", "holds a ZIP"),
        ("x.jsonl.gz", b'{"a": 1}', "gzip"),
    ],
)
def test_json_lines_when_it_is_something_else_then_it_is_refused(tmp_path, name, text, problem):
    with pytest.raises(UserError, match=problem):
        read(tmp_path, text, ["a"], name=name)


def test_json_lines_when_the_encoding_is_set_then_it_counts(tmp_path):
    text = json.dumps({"a": "Müller"}, ensure_ascii=False).encode("cp1252")
    assert rows_of(read(tmp_path, text, ["a"], encoding="cp1252")) == [(1, "Müller")]
