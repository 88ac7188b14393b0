"""Checkers answer whatever stands in a job, a list of fields or a file of requests; none ends in a traceback."""

import json

import pytest

from leadscore.errors import CorruptFileError
from leadscore.publish.checkers.check import CHECKS, check_file
from publish.checkers.test_check_file import CALL, EDIT, FILES, JOBS, PATCH

REQUESTS = {"hubspot": CALL, "dynamics": PATCH, "pipedrive": EDIT}
WRONG = (None, 1, "", "x", [], [1], [[]], {}, {"a": 1}, True)


def spoil(value):
    """Every copy of a JSON value in which one part is of another type, or is missing."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {name: value[name] for name in value if name != key}
            for spoilt in [*WRONG, *spoil(inner)]:
                yield value | {key: spoilt}
    if isinstance(value, list):
        for place, inner in enumerate(value):
            for spoilt in [*WRONG, *spoil(inner)]:
                yield [*value[:place], spoilt, *value[place + 1 :]]


@pytest.mark.parametrize("kind", CHECKS)
def test_job_when_any_part_is_wrong_then_the_checker_answers_with_words(kind):
    for job in spoil(JOBS[kind]):
        for problem in CHECKS[kind]("f.csv", FILES[kind], job, None):
            assert "None" not in problem.reason, (job, problem)


@pytest.mark.parametrize("kind", CHECKS)
def test_job_when_empty_then_every_value_is_named_as_missing(kind):
    problems = CHECKS[kind]("f.csv", FILES[kind], {}, None)
    assert problems
    assert all(problem.field for problem in problems if problem.line == 0)


@pytest.mark.parametrize("kind", REQUESTS)
def test_request_when_any_part_is_wrong_then_the_checker_answers(kind):
    for request in spoil(REQUESTS[kind]):
        line = json.dumps(request).encode() + b"\n"
        CHECKS[kind]("f.jsonl", line, None, None)


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize(("data", "reason"), [
    (b"", "is empty"),
    (b"\n\n", "is empty"),
    (b"garbage", "no JSON"),
    (b"{}\n", "no request"),
    (b"\xfc\n", "not UTF-8: byte 0xfc"),
    (b"[" * 100_000 + b"\n", "no JSON"),
    (b"[1]\n", "no request"),
    (b'{"body": NaN}\n', "no JSON"),
])  # fmt: skip
def test_requests_when_they_are_garbage_then_are_refused(kind, data, reason):
    problems = CHECKS[kind]("f.jsonl", data, None, None)
    assert any(reason in problem.reason for problem in problems), problems


@pytest.mark.parametrize("kind", REQUESTS)
def test_requests_when_the_last_line_is_cut_then_are_refused(kind):
    whole = json.dumps(REQUESTS[kind]).encode()
    assert CHECKS[kind]("f.jsonl", whole + b"\n", None, None) == []
    (problem,) = CHECKS[kind]("f.jsonl", whole, None, None)
    assert "may be cut" in problem.reason


def test_request_of_hubspot_when_it_finds_records_by_another_property_then_is_refused():
    fields = {"key": {"field": "leadscore_id"}, "fields": []}
    line = json.dumps(CALL).encode() + b"\n"
    (problem,) = CHECKS["hubspot"]("f.jsonl", line, None, fields)
    assert "is not the key, which is 'leadscore_id'" in problem.reason


@pytest.mark.parametrize("fields", ["{}", '{"fields": null}', '{"fields": [{}], "key": {}}', "?"])
def test_fields_when_their_file_is_damaged_then_says_so(tmp_path, fields):
    (tmp_path / "f.csv").write_bytes(FILES["salesforce"])
    (tmp_path / "f.job.json").write_text(json.dumps(JOBS["salesforce"]))
    (tmp_path / "FIELDS.json").write_text(fields)
    with pytest.raises(CorruptFileError, match=r"FIELDS\.json is damaged"):
        check_file(tmp_path / "f.csv", "salesforce")
