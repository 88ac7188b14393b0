"""`leadscore status` at each step of a project's life."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

import histories
from builders import Facts, day, make_settings
from commands import run
from leadscore import Project
from leadscore.cli.rendering.standing import draw_status
from leadscore.json_files import canonical_json
from leadscore.project.reviewing import look_path
from leadscore.project.trail import record, trail_path
from leadscore.publish.publication import write_publication
from leadscore.results import (
    Alarm,
    LastLook,
    PublishedList,
    QuarantinedDelivery,
    ScoringModel,
    Status,
    WithheldList,
)
from leadscore.store.version import quarantine_version
from leadscore.times import DAY_US, HOUR_US, format_us
from publish.publishing import make_scores
from publish.publishing import publish as publish_scores

KNOWN = 100
AS_OF = day(KNOWN)
TARGET = {"crm": {"kind": "generic", "fields": {"win_probability": "win_probability"}}}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    settings = make_settings(data_folder=tmp_path / "data", models_folder=tmp_path / "models")
    return Project(settings)


def ingest(project: Project):
    facts = Facts(project.settings)
    facts.lead("a", 3)
    return histories.write_store(facts, known_until=KNOWN)


def publish(project: Project, *, leads: int = 60):
    scores = make_scores(leads)
    return publish_scores(project.settings.project_folder(), scores, as_of_us=AS_OF)


def write_newer(project: Project, previous: str, *, leads: int):
    """A list of the day after, compared with the one before, and not published."""
    folder = project.settings.project_folder() / "scores"
    return write_publication(
        [make_scores(leads)],
        folder=folder,
        as_of_us=AS_OF + DAY_US,
        model_version="m" * 16,
        store_version="s" * 16,
        project=project.settings.project,
        counts={"scored": leads},
        basis={"previous": previous},
    )


def test_status_when_nothing_ran_then_nothing_is_there(project: Project) -> None:
    status = project.status(clock=AS_OF)

    assert status.project == "built"
    parts = (status.store, status.published, status.withheld, status.champion, status.challenger)
    assert parts == (None,) * 5
    assert (status.rejects, status.ingest_stopped, status.quarantined) == ({}, None, None)


def test_status_when_something_is_stored_then_its_age_is_by_the_clock(project: Project) -> None:
    version = ingest(project)

    store = project.status(clock=AS_OF + 30 * HOUR_US).store

    assert (store.version, store.known_until) == (version.id, format_us(AS_OF))
    assert store.age_hours == 30
    assert project.status().store.age_hours is None


def test_status_when_a_later_delivery_failed_its_alarms_then_they_are_named(
    project: Project,
) -> None:
    version = ingest(project)
    later = {
        "known_until": format_us(AS_OF + DAY_US),
        "known_until_us": AS_OF + DAY_US,
        "quarantined": {"volume": ["half of the leads are missing"]},
    }
    quarantined = quarantine_version(version.folder, version.manifest | later)

    status = project.status(clock=AS_OF)

    assert status.store.version == version.id
    assert status.quarantined.version == quarantined.id
    assert status.quarantined.alarms == ["volume"]


@pytest.mark.parametrize(("days", "expired"), [(0, False), (13.9, False), (14, True), (400, True)])
def test_list_when_a_target_trusts_it_for_14_days_then_it_expires(
    project: Project, days: float, expired: bool
) -> None:
    written = publish(project)
    settings = make_settings(**project.settings.model_dump() | {"targets": TARGET})

    standing = Project(settings).status(clock=AS_OF + round(days * DAY_US)).published

    assert (standing.publication_id, standing.leads) == (written.id, 60)
    assert standing.valid_until == format_us(AS_OF + 14 * DAY_US)
    assert standing.expired is expired


@pytest.mark.parametrize(("hours", "stale"), [(36, False), (36.2, True), (9_000, True)])
def test_list_when_it_is_older_than_the_settings_allow_then_it_is_stale(
    project: Project, hours: float, stale: bool
) -> None:
    publish(project)
    assert project.status(clock=AS_OF + round(hours * HOUR_US)).published.stale is stale
    assert not project.status().published.stale  # without a clock nothing has an age


def test_command_when_the_list_is_stale_then_says_what_to_run(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(project)  # in 2024
    monkeypatch.setattr(
        "leadscore.project.project.read_settings", lambda *_, **__: project.settings
    )
    assert (
        "stale. Fetch a new export, then run `leadscore ingest` and `leadscore score`"
        in run("status").out
    )


def test_check_when_the_list_is_stale_then_exit_code_is_3(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(project)  # in 2024
    monkeypatch.setattr(
        "leadscore.project.project.read_settings", lambda *_, **__: project.settings
    )
    checked = run("status", "--check")
    assert (checked.code, run("status").code) == (3, 0)
    assert checked.out == run("status").out


WELL = Status(
    project="built",
    folder="data/built",
    store=None,
    quarantined=None,
    ingest_stopped=None,
    published=PublishedList(
        publication_id="p",
        as_of=None,
        leads=60,
        age_hours=None,
        valid_until=None,
        expired=False,
    ),
    withheld=None,
    champion=ScoringModel(number=1, version="m", known_until="k", since=None, by=None, why=None),
    challenger=None,
    last_look=LastLook(as_of="2026-03-01T00:00:00Z", alarms=[]),
)
ALARM = Alarm(
    kind="calibration",
    subject="win rates",
    what="differ",
    since=None,
    sure="20 to 1",
    share=None,
    do="train",
)
NEEDS_ATTENTION = {
    "expired": {"published": WELL.published.model_copy(update={"expired": True})},
    "stale": {"published": WELL.published.model_copy(update={"stale": True})},
    "no list": {"published": None},
    "no champion": {"champion": None},
    "quarantined": {
        "quarantined": QuarantinedDelivery(version="v", known_until="k", alarms=["volume"])
    },
    "ingest stopped": {"ingest_stopped": "same_files"},
    "withheld": {"withheld": WithheldList(publication_id="q", as_of=None, reasons=[])},
    "alarm": {"last_look": LastLook(as_of="2026-03-01T00:00:00Z", alarms=[ALARM])},
    "damaged trail": {"damaged_entries": [3]},
}


def test_attention_when_all_is_well_then_none_is_needed() -> None:
    assert not WELL.needs_attention
    assert not WELL.model_copy(update={"last_look": None}).needs_attention


@pytest.mark.parametrize("change", NEEDS_ATTENTION.values(), ids=NEEDS_ATTENTION)
def test_attention_when_one_thing_is_wrong_then_it_is_needed(change: dict) -> None:
    assert WELL.model_copy(update=change).needs_attention


def test_champion_when_only_a_challenger_is_there_then_says_how_to_promote_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = WELL.champion.model_copy(update={"number": 7})
    draw_status(WELL.model_copy(update={"champion": None, "challenger": model}))
    drawn = " ".join(capsys.readouterr().out.split())
    assert (
        "none yet: train again, or promote the challenger with leadscore models promote 7 --why ..."
        in drawn
    )


def test_list_when_no_target_is_set_then_it_never_expires(project: Project) -> None:
    publish(project)

    standing = project.status(clock=AS_OF + 400 * DAY_US).published

    assert (standing.valid_until, standing.expired) == (None, False)


@pytest.mark.parametrize(("leads", "reasons"), [(60, 0), (300, 1)])
def test_newer_list_when_it_was_not_published_then_it_is_named_with_what_is_unlike(
    project: Project, leads: int, reasons: int
) -> None:
    standing = publish(project)
    newer = write_newer(project, standing.id, leads=leads)

    status = project.status(clock=AS_OF)

    assert status.published.publication_id == standing.id
    assert status.withheld.publication_id == newer.id
    assert bool(status.withheld.reasons) is bool(reasons)


def test_older_list_when_it_was_not_published_then_it_is_not_named(project: Project) -> None:
    standing = publish(project)
    newer = write_newer(project, standing.id, leads=60)
    project.publish(newer.id)
    write_newer(project, standing.id, leads=50)  # as old, but nothing was published of it
    folder = project.settings.project_folder() / "scores"
    (folder / "20200101T000000Z-0123456789ab").mkdir()  # damaged

    status = project.status()

    assert status.published.publication_id == newer.id


SETTINGS = """
project = "shop"
[validation]
max_refused = 1.0
[sources.leads]
path = "leads.csv"
[[mapping]]
source = "leads"
table = "leads"
columns = { lead_id = "id", event_at = "created" }
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export with one row that is rejected."""
    monkeypatch.chdir(tmp_path)
    Path("leadscore.toml").write_text(SETTINGS)
    Path("leads.csv").write_text("id,created\na,2024-03-01\nb,2024-03-02\nc,no date\n")


def test_command_when_run_at_each_step_then_ends_with_0_and_names_the_next(shop: None) -> None:
    before = run("status")
    assert before.code == 0
    folder = Path.cwd() / "data" / "shop"
    hint = "data_folder is relative to the folder you run from"
    assert f"nothing is ingested in {folder} yet ({hint}): leadscore ingest" in before.out

    assert run("ingest", "--known-until", "2024-03-05").code == 0
    after = run("status")
    assert after.code == 0
    assert "known until 2024-03-05T00:00:00Z" in after.out
    assert "1 row of the last export: leadscore rejects" in after.out
    assert "none is published yet: leadscore score" in after.out
    assert "none yet: leadscore train" in after.out

    as_json = run("status", "--json")
    assert json.loads(as_json.out)["rejects"] == {"type": 1}


def test_command_when_the_store_cannot_be_read_then_ends_with_2(shop: None) -> None:
    run("ingest", "--known-until", "2024-03-05")
    (manifest,) = Path("data/shop/store/versions").glob("*.json")
    manifest.write_text("{}")

    ended = run("status")

    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.err


def test_alarms_when_a_look_raised_some_then_status_names_them_until_the_next_look(
    project: Project,
) -> None:
    ingest(project)
    assert project.status().last_look is None
    alarm = Alarm(
        kind="volume",
        subject="calls",
        what="3 instead of 40",
        since=None,
        sure="",
        share=None,
        do="",
    )
    look = LastLook(as_of=format_us(AS_OF), alarms=[alarm])
    path = look_path(project.settings)
    path.write_bytes(canonical_json(look.to_dict()))
    assert project.status().last_look == look
    path.write_text("{")
    assert project.status().last_look is None


def test_audit_trail_when_a_line_is_damaged_then_status_says_which(project: Project) -> None:
    assert project.status().damaged_entries == []
    record(project.settings, "ingested", why="a new export")
    with trail_path(project.settings).open("ab") as file:
        file.write(b'{"at": "2024-\n\xff\n')
    record(project.settings, "trained", why="the first model")
    assert project.status().damaged_entries == [2, 3]


@pytest.fixture
def prefect() -> Iterator[str]:
    """The address of a server that answers as Prefect does, with two runs of one deployment, and one of another."""
    answers = {
        "/api/deployments/filter": [{"id": "d1", "name": "nightly"}, {"id": "d2", "name": "daily"}],
        "/api/flow_runs/filter": [
            {"deployment_id": "d1", "expected_start_time": "2026-03-02T06:15:00Z"},
            {"deployment_id": "d2", "expected_start_time": "2026-03-02T08:00:00Z"},
            {"deployment_id": "other", "expected_start_time": "2026-03-02T09:00:00Z"},
            {"deployment_id": "d1", "expected_start_time": "2026-03-03T06:15:00Z"},
        ],
    }

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.dumps(answers[self.path]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()


def test_next_runs_when_a_server_answers_then_each_deployment_has_its_soonest(
    project: Project, prefect: str
) -> None:
    runs = project.status(prefect=prefect).next_runs
    assert [(run.deployment, run.at) for run in runs] == [
        ("nightly", "2026-03-02T06:15:00Z"),
        ("daily", "2026-03-02T08:00:00Z"),
    ]


def test_next_runs_when_no_server_answers_then_nothing_is_known_of_them(
    project: Project, prefect: str
) -> None:
    assert project.status().next_runs is None
    assert project.status(prefect=f"{prefect}/elsewhere").next_runs is None
    assert project.status(prefect="http://127.0.0.1:1/api").next_runs is None
