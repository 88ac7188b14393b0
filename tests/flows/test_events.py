"""What flows announce, as Prefect's own client was given it."""

from types import SimpleNamespace

import pytest

from builders import make_settings
from leadscore import Project
from leadscore.errors import AlarmError
from leadscore.results import Counts, Published, Scored

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # Prefect's own
    pytest.mark.slow,  # it starts a server
    pytest.mark.timeout(600),
]
COUNTS = Counts(leads=9, scored=7, closed=2, absent=0, not_yet_created=0, refused=0)
SCORED = Scored.model_construct(
    project="built",
    publication_id="20240301T000000Z-0123456789ab",
    as_of="2024-03-01T00:00:00Z",
    model_version="m" * 16,
    counts=COUNTS,
    top=[{"lead_id": "lead-1"}],
)


@pytest.fixture
def emitted(harness, monkeypatch):
    """Gives the names and contents of all leadscore events so far."""
    from prefect.events.clients import AssertingEventsClient
    from prefect.events.worker import EventsWorker

    AssertingEventsClient.reset()
    worker = EventsWorker.instance(AssertingEventsClient)
    monkeypatch.setattr(EventsWorker, "instance", lambda *_: worker)

    def read():
        worker.drain()
        events = [event for client in AssertingEventsClient.all for event in client.events]
        ours = [event for event in events if event.event.startswith("leadscore.")]
        assert {event.resource.id for event in ours} <= {"leadscore.project.built"}
        return {event.event: event.payload for event in ours}

    return read


def published(**changes):
    plain = {"publication_id": SCORED.publication_id, "folder": "x", "published": True}
    return Published(**plain | {"newer": None, "withheld": []} | changes)


@pytest.mark.parametrize(("changes", "name"), [
    ({}, "leadscore.published"),
    ({"published": False, "withheld": ["7 leads instead of 300"]}, "leadscore.withheld"),
    ({"published": False}, None),
])  # fmt: skip
def test_list_when_published_or_withheld_then_announced_without_leads(emitted, changes, name):
    from events import announce_list

    announce_list(SCORED, published(**changes))

    events = emitted()
    assert list(events) == ([name] if name else [])
    for payload in events.values():
        assert payload["leads"] == 7
        assert payload.get("reasons", []) == changes.get("withheld", [])
        assert "lead-1" not in str(payload)


def test_delivery_when_it_fails_its_alarms_then_announced_and_the_error_goes_on(emitted):
    from alarms import alarms_announced

    project = Project(make_settings())
    with pytest.raises(AlarmError), alarms_announced(project):
        raise AlarmError({"volume": ["lead-1 and others are missing"]}, version="0" * 16)

    assert emitted() == {"leadscore.withheld": {"reasons": ["volume"]}}


@pytest.mark.parametrize("alarms", [0, 1])
def test_drift_when_there_are_alarms_then_only_these_are_announced(emitted, alarms):
    from alarms import announce_drift

    alarm = SimpleNamespace(kind="missing", subject="budget", since=None, what="lead-1")
    monitored = SimpleNamespace(project="built", as_of="2024-03-01", alarms=[alarm] * alarms)

    announce_drift(monitored)

    events = emitted()
    assert list(events) == ["leadscore.drift"] * alarms
    assert "lead-1" not in str(events)
