"""The service on a real port: answers, refusals, limits, and what changes while it runs."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPResponse
from threading import Event

import pytest

import histories
from builders import day
from leadscore.errors import UserError
from leadscore.project.standpoint import open_standpoint
from leadscore.registry.registry import Registry
from leadscore.serve import limits, prompt
from leadscore.serve.app import build_app
from leadscore.serve.keeper import AHEAD_US, STEP_US, Keeper, NotReadyError
from leadscore.serve.limits import MOST_BYTES, Pace
from leadscore.serve.prompt import MOST_AT_ONCE
from leadscore.serve.run import check_token
from served import WITHIN_S, as_question, ask, serving, wait_until

TOKEN = "a token of enough letters"  # noqa: S105  (of this test)


@pytest.fixture(scope="module")
def world():
    return histories.trained()


@pytest.fixture(scope="module")
def open_ids(world):
    return world.history.open_list(day(world.days))["lead_id"].tolist()


def keeper_of(world, **more):
    as_of = {"as_of_us": day(world.days)}
    return Keeper(world.settings, clock_us=lambda: day(world.days), **(as_of | more))


@pytest.fixture(scope="module")
def port(world):
    with serving(build_app(keeper_of(world), token=None, per_second=1e4)) as port:
        wait_until(lambda: ask(port, "/ready")[0] == 200)
        yield port


def test_lead_when_asked_over_http_then_the_answer_is_that_of_the_list(world, port, open_ids):
    standpoint = open_standpoint(world.settings)
    for lead_id in open_ids[:3]:
        status, answer = ask(port, "/score", {"lead_id": lead_id})
        assert (status, answer) == (200, standpoint.score_stored(lead_id).to_dict())
        assert answer["stored"]
        question = as_question(world.facts, lead_id, named=f"{lead_id} again")
        status, posted = ask(port, "/score", question)
        assert status == 200
        assert posted["score"]["log_odds"] == answer["score"]["log_odds"]
        assert posted["score"]["win_probability"] == answer["score"]["win_probability"]


LEAD = {"event_at": "2024-09-01T10:00:00Z"}


@pytest.mark.parametrize(("question", "words"), [
    ({"lead_id": "nobody"}, "lead 'nobody' is not open as of 2024-09-07T00:00:00Z: it is not in the store"),
    ({}, "lead_id is missing"),
    ([], "the body must be an object, like {...}"),
    ({"lead_id": "x", "name": "Ann"},
     "name is unknown; known are 'lead_id', 'lead', 'changes', 'activities', 'stages', 'outcomes'"),
    ({"lead_id": "x", "activites": []}, "activites is unknown; did you mean 'activities'?"),
    ({"lead_id": 7}, "lead_id must be text"),
    ({"lead_id": ""}, "lead_id is empty"),
    ({"lead_id": "x" * 201}, "lead_id has more than 200 characters"),
    ({"lead_id": "x\0"}, "lead_id has control characters"),
    ({"lead_id": "x\ny"}, "lead_id has control characters"),
    ({"lead_id": "x", "lead": 1}, "lead must be an object, like {...}"),
    ({"lead_id": "x", "lead": LEAD, "stages": {}}, "stages must be a list of rows"),
    ({"lead_id": "x", "lead": LEAD | {"channel": ["web"]}},
     "lead.channel must be text, a number, true, false or null"),
    ({"lead_id": "x", "lead": LEAD | {"channel": "we\0b"}}, "'we\\x00b' has control characters"),
    ({"lead_id": "x", "lead": LEAD | {"channel": "we\udfffb"}}, "'we\\udfffb' has half a character"),
    ({"lead_id": "x", "changes": [{"field": "budget"}]}, "changes need a lead: state at least its event_at"),
    ({"lead_id": "x", "lead": {}}, "leads, row 1: event_at is missing"),
    ({"lead_id": "x", "lead": {"event_at": "yesterday"}}, "leads, row 1: event_at cannot be 'yesterday' (rule type)"),
    ({"lead_id": "x", "lead": LEAD | {"size": "large"}}, "leads, row 1: size cannot be 'large' (rule type)"),
    ({"lead_id": "x", "lead": LEAD | {"color": "red"}}, "lead.color is unknown; known are 'owner_id', 'budget', 'channel', 'size', 'event_at', 'available_at'"),
    ({"lead_id": "x", "lead": {"event_at": "2024-09-07T00:00:00Z"}},
     "leads: 2024-09-07T00:00:00Z is not before 2024-09-07T00:00:00Z, the moment of the score"),
    ({"lead_id": "x", "lead": LEAD, "stages": [{"stage": "new", "event_at": "2024-08-31T10:00:00Z"}]},
     "stages: 2024-08-31T10:00:00Z is before the lead was created"),
    ({"lead_id": "x", "lead": LEAD, "stages": [{"stage": "won", "event_at": "2024-09-01T10:00:00Z"}]},
     "stages, row 1: stage cannot be 'won' (rule allowed)"),
    ({"lead_id": "x", "lead": LEAD, "stages": [{"stage": "signed", "event_at": "2024-09-02T10:00:00Z"}]},
     "lead 'x' is closed by the facts that were stated"),
    ({"lead_id": "00000", "lead": LEAD},
     "lead '00000' is in the store; ask for its score by lead_id alone, without facts"),
])  # fmt: skip
def test_question_when_it_cannot_be_answered_then_422_says_why(port, question, words):
    assert ask(port, "/score", question) == (422, {"error": words})


def test_body_when_it_is_no_json_then_422_says_so(port):
    status, answer = ask(port, "/score", b"{")
    assert status == 422
    assert "JSON" in answer["error"]
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/score", b"{}", {"Content-Type": "text/plain"})
    plain = connection.getresponse()
    assert plain.status == 422
    assert b"Content-Type: application/json" in plain.read()
    connection.close()


@pytest.mark.parametrize("body", [b"", b" ", b"\r\n"])
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_body_when_it_is_empty_then_the_words_say_so(port, body, kind):
    words = 'the body is empty: send JSON, such as {"lead_id": "..."}'
    assert ask(port, "/score", body, content_type=kind) == (422, {"error": words})


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"lead_id": ' + b"9" * 5_000 + b"}"])
def test_body_when_python_cannot_read_it_then_the_words_say_why(port, body):
    words = "the body cannot be read: it is nested too deeply, or has too long a number"
    assert ask(port, "/score", body) == (400, {"error": words})


@pytest.mark.parametrize("body", [b"\xff", b'{"lead_id": "Z\xfcrich"}'])
def test_body_when_it_is_not_utf8_then_the_words_say_so(port, body):
    assert ask(port, "/score", body) == (400, {"error": "the body is not UTF-8"})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"null", "the body is missing"),
        (b"7", "the body must be an object, like {...}"),
        (b"{", "the body is not JSON: Expecting property name enclosed in double quotes"),
    ],
)
def test_body_when_it_is_no_question_then_the_words_name_the_body(port, body, words):
    assert ask(port, "/score", body) == (422, {"error": words})


def test_field_with_a_history_when_stated_of_the_lead_alone_then_the_answer_warns(port):
    _, answer = ask(port, "/score", {"lead_id": "x", "lead": LEAD | {"budget": "full"}})
    (warning,) = answer["warnings"]
    assert warning.startswith("budget has a history: state it under changes")


def test_address_when_there_is_none_then_404_is_json(port):
    assert ask(port, "/nothing") == (404, {"error": "Not Found"})


def test_host_when_a_page_of_elsewhere_asks_then_it_is_refused(port):
    status, answer = ask(port, "/score", {"lead_id": "x"}, host="example.com")
    assert status == 403
    assert "localhost" in answer["error"]
    assert ask(port, "/health", host="example.com")[0] == 200


@pytest.mark.parametrize("host", ["LOCALHOST", "LocalHost:8000", "[::1]", "127.0.0.1:80"])
def test_host_when_it_is_this_machine_then_its_letters_may_be_capitals(port, host):
    assert ask(port, "/nothing", host=host)[0] == 404


@pytest.mark.parametrize(
    "request_bytes",
    [b"hello\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n"],
)
def test_request_when_it_is_not_http_then_400_is_json_and_the_connection_ends(port, request_bytes):
    with socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S) as connection:
        connection.sendall(request_bytes)
        answer = HTTPResponse(connection)
        answer.begin()
        assert (answer.status, answer.getheader("content-type")) == (400, "application/json")
        assert json.loads(answer.read()) == {"error": "the request is not valid HTTP/1.1"}
        assert connection.recv(1) == b""


def test_body_when_it_is_too_large_then_413_whatever_it_says_of_its_length(port):
    large = json.dumps({"lead_id": "x" * MOST_BYTES}).encode()
    assert ask(port, "/score", large)[0] == 413


def test_openapi_when_read_then_it_has_the_project_s_columns_and_the_page_loads_nothing(port):
    _, document = ask(port, "/openapi.json")
    rows = document["components"]["schemas"]
    (lead,) = (form for name, form in rows.items() if "leads" in name)
    assert {"channel", "size", "budget", "event_at"} <= set(lead["properties"])
    _, page = ask(port, "/")
    assert "POST /score" in page
    assert "src=" not in page
    assert "http" not in page.replace("over HTTP", "")


def test_token_when_it_is_set_then_only_health_is_free(world):
    app = build_app(keeper_of(world), token=TOKEN, per_second=1e4)
    with serving(app) as port:
        assert ask(port, "/health")[0] == 200
        for path in ("/ready", "/openapi.json", "/"):
            assert ask(port, path)[0] == 401
        assert ask(port, "/ready", authorization="Bearer another")[0] == 401
        assert ask(port, "/ready", authorization=f"Bearer {TOKEN}", host="example.com")[0] in {
            200,
            503,
        }


def test_pace_when_a_client_asks_too_often_then_it_waits_and_others_do_not():
    pace = Pace(2.0)
    assert [pace.admits("a", 0.0) for _ in range(5)] == [True] * 4 + [False]
    assert pace.admits("b", 0.0)
    assert pace.admits("a", 0.5)
    assert not pace.admits("a", 0.5)


def test_rate_when_it_is_passed_then_429(world):
    with serving(build_app(keeper_of(world), token=None, per_second=1)) as port:
        statuses = [ask(port, "/nothing")[0] for _ in range(4)]
    assert statuses[:2] == [404, 404]
    assert 429 in statuses


def test_pace_when_each_request_names_another_client_then_they_share_it(world):
    with serving(build_app(keeper_of(world), token=None, per_second=1)) as port:
        clients = [f"192.0.2.{number}" for number in range(4)]
        statuses = [ask(port, "/nothing", x_forwarded_for=client)[0] for client in clients]
    assert 429 in statuses


def test_connections_when_they_ask_nothing_then_they_are_closed_and_others_are_answered(
    world, monkeypatch
):
    monkeypatch.setattr(prompt, "ASKS_WITHIN_S", 0.2)
    with (
        serving(build_app(keeper_of(world), token=None, per_second=1e4)) as port,
        ExitStack() as stack,
    ):
        idle = []
        for _ in range(MOST_AT_ONCE):
            connection = socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S)
            idle.append(stack.enter_context(connection))
        assert [connection.recv(1) for connection in idle] == [b""] * MOST_AT_ONCE
        assert ask(port, "/health")[0] == 200


def test_connections_when_all_are_taken_then_503_is_json_and_those_that_are_open_go_on(world):
    with (
        serving(build_app(keeper_of(world), token=None, per_second=1e4)) as port,
        ExitStack() as stack,
    ):
        opened = []
        for _ in range(MOST_AT_ONCE):
            connection = HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
            opened.append(connection)
            stack.callback(connection.close)
            connection.request("GET", "/health")
            assert connection.getresponse().read() == b'{"status":"ok"}'
        status, answer = ask(port, "/health")
        assert status == 503
        assert answer["error"].startswith("more than 64 connections are open")
        opened[0].request("GET", "/health")
        assert opened[0].getresponse().status == 200


def test_body_when_it_never_ends_then_408(world, monkeypatch):
    monkeypatch.setattr(limits, "BODY_WITHIN_S", 0.2)
    with serving(build_app(keeper_of(world), token=None, per_second=1e4)) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
        connection.putrequest("POST", "/score")
        connection.putheader("Content-Length", "500")
        connection.endheaders(b"{")
        answer = connection.getresponse()
        assert answer.status == 408
        assert b"did not end" in answer.read()
        connection.close()


@pytest.mark.parametrize(("host", "token", "words"), [
    ("0.0.0.0", None, "LEADSCORE_TOKEN"),  # noqa: S104
    ("crm.example.com", None, "LEADSCORE_TOKEN"),
    ("127.0.0.1", "short", "at least 16 characters"),
    ("127.0.0.1", " " * 20, "is blank"),
    ("127.0.0.1", f"{TOKEN}\n", "begins or ends with a space or a line break"),
    ("127.0.0.1", f" {TOKEN}", "begins or ends with a space or a line break"),
])  # fmt: skip
def test_address_when_anybody_could_ask_then_the_service_does_not_start(host, token, words):
    with pytest.raises(UserError, match=words):
        check_token(host, token)


def test_address_when_it_is_this_machine_or_has_a_token_then_the_service_may_start():
    check_token("127.0.0.1", None)
    check_token("::1", None)
    check_token("0.0.0.0", TOKEN)  # noqa: S104


def test_service_when_nothing_is_stored_then_it_says_what_to_do(tmp_path):
    project = histories.sales_settings(tmp_path)
    keeper = Keeper(project, clock_us=lambda: 0, as_of_us=1)
    with serving(build_app(keeper, token=None, per_second=1e4)) as port:
        wait_until(lambda: "starting" not in ask(port, "/ready")[1]["problem"])
        status, answer = ask(port, "/score", {"lead_id": "x"})
        assert status == 503
        assert "ingest" in answer["error"]
        assert ask(port, "/health")[0] == 200


def test_moment_when_time_goes_on_then_it_is_always_ahead_and_a_failed_renewal_ends_it(world):
    now_us = day(world.days)
    keeper = Keeper(world.settings, clock_us=lambda: now_us)
    assert keeper.renew()
    assert keeper.standpoint().as_of_us == now_us + STEP_US
    assert not keeper.renew()

    now_us += STEP_US - AHEAD_US
    assert keeper.renew()
    assert keeper.standpoint().as_of_us == day(world.days) + 2 * STEP_US

    now_us += round(3 * 24 * 60 / 15) * STEP_US  # the export is too old by then
    assert not keeper.renew()
    with pytest.raises(NotReadyError, match="hours after known_until"):
        keeper.standpoint()
    assert not keeper.describe().ready


@pytest.fixture
def two_models(world, tmp_path_factory):
    """The trained project with a second model, which scores from `promote` on."""
    as_of_us = day(world.days - 7)
    second = histories.jobs.train(world.settings, as_of_us=as_of_us)
    histories.register(world.settings, second)
    registry = Registry(world.settings)
    versions = {version.version: version for version in registry.versions()}
    (other,) = (number for version, number in versions.items() if version != world.version)
    yield registry, str(other.number)
    registry.promote(str(versions[world.version].number), histories.WHO)


@pytest.mark.slow
def test_champion_when_promoted_while_requests_run_then_none_is_dropped_or_mixed(
    world, two_models, open_ids
):
    registry, other = two_models
    app = build_app(keeper_of(world, poll_s=0.1), token=None, per_second=1e4)
    questions = [as_question(world.facts, lead, named=f"{lead} again") for lead in open_ids[:4]]
    swapped = Event()

    with serving(app) as port, ThreadPoolExecutor(2) as threads:
        wait_until(lambda: ask(port, "/ready")[0] == 200)

        def ask_until_swapped(at):
            answers = []
            while not swapped.is_set():
                answers.append(ask(port, "/score", questions[len(answers) % len(questions)]))
            return answers

        running = [threads.submit(ask_until_swapped, at) for at in range(2)]
        registry.promote(other, histories.WHO)
        wait_until(lambda: ask(port, "/ready")[1]["model_version"] != world.version)
        last = [ask(port, "/score", question) for question in questions]
        swapped.set()
        answers = [*running[0].result(), *running[1].result(), *last]

    assert {status for status, _ in answers} == {200}
    by_version = {}
    for _, answer in answers:
        key = (answer["model_version"], answer["lead_id"])
        by_version.setdefault(key, []).append(answer["score"])
    assert len({version for version, _ in by_version}) == 2
    assert all(scores == [scores[0]] * len(scores) for scores in by_version.values())
