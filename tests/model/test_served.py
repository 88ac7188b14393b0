"""The champion as MLflow serves it: a real server, asked over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import numpy as np
import pandas as pd
import pytest

import histories

pytestmark = pytest.mark.slow
STARTS_IN = 90.0  # seconds, at most
TEXT, NUMBER = "profile_channel", "profile_size"


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def answers(url):
    try:
        with urllib.request.urlopen(f"{url}/ping", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of `mlflow models serve`, which ends with the tests of this file."""
    uri = histories.trained().settings.tracking_uri()
    port = free_port()
    command = [
        sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/leadscore-synthetic@champion",
        "--env-manager", "local", "-h", "127.0.0.1", "-p", str(port), "--workers", "1",
    ]  # fmt: skip
    bin_folder = os.path.dirname(sys.executable)  # noqa: PTH120
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
    }
    told = tmp_path_factory.mktemp("served") / "told.txt"
    with told.open("wb") as out:
        process = subprocess.Popen(
            command, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            url = f"http://127.0.0.1:{port}"
            ended = threading.Event()
            clock = threading.Timer(STARTS_IN, ended.set)
            clock.start()
            while not answers(url):
                if process.poll() is not None or ended.wait(0.1):
                    pytest.fail(f"no server: {told.read_text(errors='replace')}")
            clock.cancel()
            yield url
        finally:
            clock.cancel()
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(20)


@pytest.fixture(scope="module")
def columns():
    """The raw features of all open leads as JSON has them: None for unknown."""
    found = {name: values.tolist() for name, values in histories.open_matrix().columns.items()}
    return {name: [None if pd.isna(v) else v for v in values] for name, values in found.items()}


@pytest.fixture(scope="module")
def batch():
    """What the model says of all open leads at once."""
    world = histories.trained()
    raw = world.model.log_odds(histories.open_matrix().columns)
    probability = world.model.probability(raw)
    return [
        {"log_odds": r, "win_probability": p}
        for r, p in zip(raw.tolist(), probability.tolist(), strict=True)
    ]


def split(columns, rows=None, names=None):
    names = list(columns) if names is None else names
    rows = range(len(next(iter(columns.values())))) if rows is None else rows
    return {
        "dataframe_split": {
            "columns": names,
            "data": [[columns[name][row] for name in names] for row in rows],
        }
    }


def ask(server, body):
    """The status and the answer to a body, which is sent as it is if it is text."""
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    request = urllib.request.Request(
        f"{server}/invocations", data, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as e:
        with e:
            return e.code, e.read().decode()


def predictions(server, body):
    status, told = ask(server, body)
    assert status == 200, told
    return told["predictions"]


def test_served_when_asked_for_all_open_leads_then_says_bit_for_bit_what_the_batch_says(
    server, columns, batch
):
    assert len(batch) > 200
    assert len({row["win_probability"] for row in batch}) > 10
    nulls = {name for name, values in columns.items() if None in values}
    assert {"bant_budget", "profile_size"} <= nulls
    assert any(all(value is None for value in values) for values in columns.values())
    assert predictions(server, split(columns)) == batch


def test_served_when_asked_for_single_leads_then_says_the_same_of_each(server, columns, batch):
    rows = range(0, len(batch), 5)
    assert [predictions(server, split(columns, [row]))[0] for row in rows] == [
        batch[row] for row in rows
    ]


def test_served_when_rows_and_columns_come_in_another_order_then_says_the_same(
    server, columns, batch
):
    rng = np.random.default_rng(4)
    rows = rng.permutation(len(batch)).tolist()
    names = rng.permutation(list(columns)).tolist()
    assert predictions(server, split(columns, rows, names)) == [batch[row] for row in rows]


def test_served_when_there_is_a_column_more_then_it_is_ignored(server, columns, batch):
    more = columns | {"win_probability": [1.0] * len(batch)}
    assert predictions(server, split(more)) == batch


def test_served_when_whole_numbers_come_as_json_integers_then_says_the_same(server, columns, batch):
    def whole(value):
        return int(value) if isinstance(value, float) and value.is_integer() else value

    integers = {name: [whole(value) for value in values] for name, values in columns.items()}
    only = [
        name for name, values in integers.items() if all(isinstance(value, int) for value in values)
    ]
    assert only
    assert any(max(integers[name]) > 1 for name in only)
    assert predictions(server, split(integers)) == batch
    assert predictions(server, split(integers, [7])) == [batch[7]]


def test_served_when_a_column_is_unknown_for_all_then_says_what_the_batch_says(server, columns):
    world = histories.trained()
    for name in columns:
        empty = columns | {name: [None] * len(columns[name])}
        raw = dict(histories.open_matrix().columns)
        raw[name] = np.full(
            len(raw[name]), None if raw[name].dtype == object else np.nan, raw[name].dtype
        )
        expected = world.model.log_odds(raw)[:20].tolist()
        assert [
            row["log_odds"] for row in predictions(server, split(empty, range(20)))
        ] == expected, name
    nothing = predictions(server, split({name: [None] for name in columns}))
    assert 0 < nothing[0]["win_probability"] < 1


def test_served_when_a_text_was_never_seen_then_counts_as_any_other(server, columns):
    world = histories.trained()
    texts = ["", "null", "NaN", "5", "Zürich ☎", "x" * 5000]
    rows = list(range(len(texts)))
    raw = {name: values[rows].copy() for name, values in histories.open_matrix().columns.items()}
    raw[TEXT] = np.array(texts, object)
    changed = columns | {TEXT: texts + columns[TEXT][len(texts) :]}
    assert [
        row["log_odds"] for row in predictions(server, split(changed, rows))
    ] == world.model.log_odds(raw).tolist()


def test_served_when_there_is_no_row_then_says_nothing(server, columns):
    assert predictions(server, split(columns, [])) == []


def with_value(columns, name, value):
    """A body whose second row has a value, in JSON, that is not right."""
    body = split(columns, range(3))
    body["dataframe_split"]["data"][1][list(columns).index(name)] = "<here>"
    return json.dumps(body).replace('"<here>"', value)


def of_another_length(columns, change, rows):
    """A body some of whose rows have a value too few or too many."""
    body = split(columns, range(3))
    for row in rows:
        data = body["dataframe_split"]["data"]
        data[row] = [*data[row], 1.0][: len(columns) + change]
    return body


BAD = {
    "missing number": (
        lambda c: split({k: v for k, v in c.items() if k != NUMBER}),
        [f"missing inputs ['{NUMBER}']"],
    ),
    "missing text": (
        lambda c: split({k: v for k, v in c.items() if k != TEXT}),
        [f"missing inputs ['{TEXT}']"],
    ),
    "text for a number": (lambda c: with_value(c, NUMBER, '"many"'), [NUMBER, "'many'"]),
    "no text for a number": (lambda c: with_value(c, NUMBER, '""'), [NUMBER]),
    "list for a number": (lambda c: with_value(c, NUMBER, "[1, 2]"), [NUMBER]),
    "infinite": (
        lambda c: with_value(c, NUMBER, "1e999"),
        [NUMBER, "must be a finite number or null"],
    ),
    "minus infinite": (
        lambda c: with_value(c, NUMBER, "-Infinity"),
        [NUMBER, "must be a finite number or null"],
    ),
    "infinite text": (
        lambda c: with_value(c, NUMBER, '"inf"'),
        [NUMBER, "must be a finite number or null"],
    ),
    "too large": (lambda c: with_value(c, NUMBER, "1" + "0" * 400), [NUMBER]),
    "number for a text": (lambda c: with_value(c, TEXT, "5"), [TEXT, "must be text or null"]),
    "true for a text": (lambda c: with_value(c, TEXT, "true"), [TEXT, "must be text or null"]),
    "list for a text": (lambda c: with_value(c, TEXT, '["web"]'), [TEXT, "must be text or null"]),
    "infinite for a text": (lambda c: with_value(c, TEXT, "1e999"), [TEXT, "must be text or null"]),
    "short rows": (lambda c: of_another_length(c, -1, [0, 1, 2]), ["columns passed"]),
    "a long row": (lambda c: of_another_length(c, 1, [1]), ["columns passed"]),
    "long rows": (lambda c: of_another_length(c, 1, [0, 1, 2]), ["columns passed"]),
    "no columns": (
        lambda c: {"dataframe_split": {"data": split(c)["dataframe_split"]["data"]}},
        ["missing inputs"],
    ),
    "no data": (lambda c: {"dataframe_split": {"columns": list(c)}}, ["'data'"]),
    "nothing in it": (lambda c: "{}", ["dataframe_split"]),
    "empty body": (lambda c: "", ["JSON"]),
    "not JSON": (lambda c: "{hello", ["JSON"]),
    "a list": (lambda c: "[1, 2]", ["dataframe_split"]),
}


@pytest.mark.parametrize("name", list(BAD))
def test_served_when_a_row_cannot_be_used_then_400_says_why_and_the_server_goes_on(
    server, columns, batch, name
):
    make, words = BAD[name]
    status, told = ask(server, make(columns))
    assert status == 400, told
    for word in words:
        assert word in json.loads(told)["message"]
    assert "Traceback" not in json.loads(told)["message"]
    assert predictions(server, split(columns, [3])) == [batch[3]]


@pytest.mark.parametrize("shape", ["instances", "inputs"])
def test_served_when_mlflow_turned_null_into_text_then_answers_400_rather_than_a_wrong_number(
    server, columns, shape
):
    row = {name: values[0] for name, values in columns.items()} | {TEXT: None}
    status, told = ask(server, {shape: [row]})
    assert status == 400
    assert TEXT in told
    assert "send dataframe_records or dataframe_split" in told
    assert ask(server, {"dataframe_records": [row]})[0] == 200
