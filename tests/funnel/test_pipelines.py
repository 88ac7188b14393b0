"""Several pipelines side by side: key = pipeline + stage."""

import pytest

from builders import Facts, day, make_settings
from leadscore.errors import UserError
from leadscore.history.visits import Span
from leadscore.project.parts import read_parts
from leadscore.project.pipeline import measure_funnel

NEW = ("new", "qualified")
RENEWAL = ("due (renewal)", "offer (renewal)")
SPAN = Span(day(0), day(100))


def settings_of(
    pipelines: dict[str, tuple[str, ...]], *, open_stages: tuple[str, ...] = NEW + RENEWAL
):
    stages = {"open": open_stages, "won": ["signed"], "lost": ["rejected"], "pipelines": pipelines}
    plain = make_settings().model_dump(exclude_unset=True, by_alias=True)
    outcomes = {"lead_id": "id", "event_at": "at", "outcome": "outcome", "reason": "reason"}
    entry = {"source": "leads", "table": "outcomes", "columns": outcomes}
    return make_settings(stages=stages, mapping=[*plain["mapping"], entry])


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Ten new deals of which four are won, and five renewals of which all are; one lead moves over."""
    facts = Facts(settings_of({"new business": NEW, "renewal": RENEWAL}))
    for place in range(10):
        name = f"n{place}"
        facts.lead(name, 1).stage(name, 1, "new").stage(name, 5, "qualified")
        facts.outcome(name, 20, "won" if place < 4 else "lost")
    for place in range(5):
        name = f"r{place}"
        facts.lead(name, 1).stage(name, 1, RENEWAL[0]).stage(name, 5, RENEWAL[1])
        facts.outcome(name, 20, "won")
    facts.lead("over", 1).stage("over", 1, "new").stage("over", 3, RENEWAL[1])
    opened = facts.history(tmp_path_factory.mktemp("pipelines"), known_until=100)
    yield opened
    opened.engine.close()


def test_funnel_when_pipelines_stand_side_by_side_then_each_is_counted_by_itself(history):
    funnel = measure_funnel(history, SPAN, by="pipeline")
    assert [(flow.pipeline, flow.stage, flow.visits) for flow in funnel.stages] == [
        ("new business", "new", 11),
        ("new business", "qualified", 10),
        ("renewal", "due (renewal)", 5),
        ("renewal", "offer (renewal)", 6),
    ]
    # a renewal does not enter midway, and its offer is no skipped stage of new business
    counts = funnel.irregular
    assert (counts.entered_midway, counts.skipped, counts.changed_pipeline) == (0, 0, 1)
    groups = {group.value: (group.leads, group.won.value, group.open) for group in funnel.groups}
    assert groups["new business"] == (10, pytest.approx(0.4), 0)
    assert groups["renewal"] == (6, pytest.approx(5 / 6), 1)


def test_pipelines_when_there_is_only_one_then_it_tells_nobody_apart(tmp_path):
    facts = Facts().lead("a", 1).stage("a", 1, "new")
    with pytest.raises(UserError, match="only one pipeline"):
        read_parts(facts.history(tmp_path, known_until=9), "pipeline", known_us=day(9))


@pytest.mark.parametrize(
    ("pipelines", "words"),
    [
        ({"new business": ("new", "qualifed")}, "did you mean 'qualified'"),
        ({"new business": NEW}, "are in none"),
        ({"renewal": RENEWAL, "new business": NEW}, "in the order of `open`"),
    ],
)
def test_settings_when_pipelines_do_not_fit_the_open_stages_then_are_refused(pipelines, words):
    with pytest.raises(ValueError, match=words):
        settings_of(pipelines)
