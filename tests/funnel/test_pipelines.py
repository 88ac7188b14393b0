"""Several pipelines side by side: key = pipeline + stage."""

import numpy as np
import pandas as pd
import pytest

from builders import Facts, day, make_settings
from leadscore.errors import UserError
from leadscore.funnel.forecast import expect_new_wins, simulate_parts, simulate_periods
from leadscore.funnel.improving import describe_improvements
from leadscore.funnel.outlook import build_outlook
from leadscore.funnel.periods import list_periods
from leadscore.funnel.stages import describe_moves, describe_stages
from leadscore.history.visits import Span
from leadscore.model.pace.pace import Pace
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
    outcomes = {"lead_id": "id", "event_at": "at", "outcome": "outcome", "amount": "amount"}
    entry = {"source": "leads", "table": "outcomes", "columns": outcomes}
    return make_settings(stages=stages, mapping=[*plain["mapping"], entry])


def new_business(facts):
    """40 leads, 16 of which are won for 1000 each."""
    for place in range(40):
        name = f"n{place}"
        facts.lead(name, 1).stage(name, 1, "new").stage(name, 5, "qualified")
        facts.outcome(name, 20, "won" if place < 16 else "lost", amount=1000_00)
    return facts


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """40 new deals, 16 of them won, and 35 renewals, all won; one lead moves over."""
    facts = new_business(Facts(settings_of({"new business": NEW, "renewal": RENEWAL})))
    for place in range(35):
        name = f"r{place}"
        facts.lead(name, 1).stage(name, 1, RENEWAL[0]).stage(name, 5, RENEWAL[1])
        facts.outcome(name, 20, "won", amount=50_00)
    facts.lead("over", 1).stage("over", 1, "new").stage("over", 3, RENEWAL[1])
    opened = facts.history(tmp_path_factory.mktemp("pipelines"), known_until=100)
    yield opened
    opened.engine.close()


def test_funnel_when_pipelines_stand_side_by_side_then_each_is_counted_by_itself(history):
    funnel = measure_funnel(history, SPAN, by="pipeline")
    assert [(flow.pipeline, flow.stage, flow.visits) for flow in funnel.stages] == [
        ("new business", "new", 41),
        ("new business", "qualified", 40),
        ("renewal", "due (renewal)", 35),
        ("renewal", "offer (renewal)", 36),
    ]
    # a renewal does not enter midway, and its offer is no skipped stage of new business
    counts = funnel.irregular
    assert (counts.entered_midway, counts.skipped, counts.changed_pipeline) == (0, 0, 1)
    assert funnel.irregular.moved_back == 0
    groups = {group.value: (group.leads, group.won.value, group.open) for group in funnel.groups}
    assert groups["new business"] == (40, pytest.approx(0.4), 0)
    assert groups["renewal"] == (36, pytest.approx(35 / 36), 1)


def test_move_when_it_leads_into_another_pipeline_then_ends_the_visit_as_that(history):
    funnel = measure_funnel(history, SPAN)
    new = funnel.stages[0]
    counts = {way: out.visits for way, out in new.ways.items()}
    assert counts == {"forward": 40, "back": 0, "other_pipeline": 1, "won": 0, "lost": 0}
    shares = [out.share for out in new.ways.values()]
    assert sum(shares) + new.staying == pytest.approx(1)
    assert new.ways["other_pipeline"].share == pytest.approx(1 / 41)


def test_improvement_when_some_leads_change_pipelines_then_the_others_go_on_in_their_own(history):
    """From new, 10 of 11 go to qualified and 1 into renewals, whose leads are all won."""
    rows = [
        ("now", "new", "forward", "qualified", 24, 50), ("now", "new", "lost", None, 24, 40),
        ("now", "new", "other_pipeline", RENEWAL[1], 24, 10),
        ("now", "qualified", "won", None, 24, 25), ("now", "qualified", "lost", None, 24, 25),
        ("now", RENEWAL[0], "forward", RENEWAL[1], 24, 40), ("now", RENEWAL[1], "won", None, 24, 50),
    ]  # fmt: skip
    columns = ["period", "stage", "exit", "next_stage", "hours", "visits"]
    visits = pd.DataFrame(rows, columns=columns).assign(part="", is_first=0)
    stages = history.settings.stages
    flows, moves = describe_stages(visits, stages), describe_moves(visits, stages)
    velocity = measure_funnel(history, SPAN).velocity
    improved = describe_improvements(flows, moves, velocity, days=365 / 4)
    wins = {improvement.stage: improvement.wins for improvement in improved}
    # 5 of the 100 new ones more reach qualified, where half are won
    assert wins["new"] == pytest.approx(2.5)
    assert wins["qualified"] == pytest.approx(2.5)


def test_speed_when_pipelines_stand_side_by_side_then_is_that_of_each_alone(history, tmp_path):
    """Each beside the same leads in a store of their own, with no other pipeline."""
    both = {speed.pipeline: speed for speed in measure_funnel(history, SPAN).pipelines}
    assert list(both) == ["new business", "renewal"]
    alone = new_business(Facts(settings_of({})))
    funnel = measure_funnel(alone.history(tmp_path, known_until=100), SPAN)
    assert funnel.pipelines == []
    assert both["new business"].cohorts == funnel.cohorts
    assert both["new business"].velocity == funnel.velocity
    renewal = both["renewal"].velocity
    # one open lead x 50 a win x 35 of 36 won / 19 days
    assert renewal.per_day == pytest.approx(1 * 50 * 35 / 36 / 19, rel=1e-6)
    assert funnel.velocity.win_rate.value == pytest.approx(0.4)
    assert [cohort.won for cohort in both["renewal"].cohorts] == [35]


def trading(facts, names=("n", "r")):
    """Deals that take 20 days, 40 of 80 won, and renewals that take 5, all 40 won; both go on."""
    for place in range(80):
        created = place
        if "n" in names:
            name = f"n{place}"
            facts.lead(name, created, amount=1000_00).stage(name, created, "new")
            facts.outcome(name, created + 20, ("won", "lost")[place % 2])
        if "r" in names and place < 40:
            name = f"r{place}"
            facts.lead(name, 2 * created, amount=50_00).stage(name, 2 * created, RENEWAL[0])
            facts.outcome(name, 2 * created + 5, "won")
    return facts


def look(settings, folder, names=("n", "r")):
    """The outlook at day 80 with a probability of a half for every open lead."""
    history = trading(Facts(settings), names).history(folder, known_until=80)
    leads = history.open_list(day(80))[["lead_id", "spell"]].assign(probability=0.5, amount=100.0)
    pace = Pace.unknown(len(leads), horizon_days=history.settings.target.horizon_days)
    return build_outlook(history, leads, pace, as_of_us=day(80))


def test_forecast_when_pipelines_stand_side_by_side_then_each_goes_by_its_own_rates(tmp_path):
    pipelines = {"new business": NEW, "renewal": RENEWAL}
    outlook = look(settings_of(pipelines), tmp_path / "both")
    for name, letter in (("new business", "n"), ("renewal", "r")):
        alone = look(settings_of({}), tmp_path / name, (letter,))
        part = outlook.parts()[name]
        assert part.timing.win.tolist() == alone.timing.win.tolist()
        assert part.arrivals.per_day == alone.arrivals.per_day
        is_own = (outlook.leads["pipeline"] == name).to_numpy()
        assert outlook.win_by(day(83))[is_own].tolist() == alone.win_by(day(83)).tolist()
        assert outlook.close_us(0.5)[is_own].tolist() == alone.close_us(0.5).tolist()
    assert set(outlook.win_by(day(110))) == {0.5}  # the horizon


def test_forecast_when_pipelines_stand_side_by_side_then_they_add_up_to_the_whole(tmp_path):
    outlook = look(settings_of({"new business": NEW, "renewal": RENEWAL}), tmp_path)
    months = list_periods(day(80), by="month", count=2, zone="UTC")
    parts = simulate_parts(outlook, months)
    whole = simulate_periods(outlook, months)
    assert list(parts) == ["new business", "renewal", ""]
    assert (whole.wins == sum(part.wins for part in parts.values())).all()
    assert (whole.revenue == sum(part.revenue for part in parts.values())).all()
    assert expect_new_wins(outlook, months) == pytest.approx(whole.new_wins)
    assert len(outlook.parts()[""].leads) == 0
    # draws of unlike pipelines have nothing to do with each other
    new, renewal = (parts[name].draws.rate[:, 0] for name in ("new business", "renewal"))
    assert abs(np.corrcoef(new, renewal)[0, 1]) < 0.1


def test_pipelines_when_there_is_only_one_then_it_tells_nobody_apart(tmp_path):
    facts = Facts().lead("a", 1).stage("a", 1, "new")
    with pytest.raises(UserError, match="only one pipeline"):
        read_parts(facts.history(tmp_path, known_until=9), "pipeline", known_us=day(9))


@pytest.mark.parametrize(
    ("pipelines", "words"),
    [
        ({"new business": ("new", "qualifed")}, "did you mean 'qualified'"),
        ({"new business": NEW}, "are in none"),
        ({"": NEW, "renewal": RENEWAL}, "each needs a name"),
        ({"new business": NEW, "renewal": RENEWAL, "upsell": []}, "upsell: list its open stages"),
        ({"renewal": RENEWAL, "new business": NEW}, "in the order of `open`"),
    ],
)
def test_settings_when_pipelines_do_not_fit_the_open_stages_then_are_refused(pipelines, words):
    with pytest.raises(ValueError, match=words):
        settings_of(pipelines)
