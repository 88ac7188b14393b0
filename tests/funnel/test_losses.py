"""Losses by reason, first contact, waiting leads, improvements and patterns, beside counts by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from builders import Facts, day, make_settings
from leadscore.funnel.contact import NOT_YET, describe_contact
from leadscore.funnel.early import Segment, list_segments
from leadscore.funnel.improving import Chain, describe_improvements
from leadscore.funnel.landmark import list_followed
from leadscore.funnel.losses import describe_losses
from leadscore.funnel.needed import expect_visits
from leadscore.funnel.patterns import describe_patterns
from leadscore.funnel.spells import count_endings, list_endings
from leadscore.funnel.stages import describe_moves, describe_stages
from leadscore.funnel.waiting import (
    describe_stalled,
    describe_undecided,
    describe_untouched,
    find_stalled,
)
from leadscore.history.losses import NOT_STATED, count_visits_by_reason, read_open_visits
from leadscore.history.visits import Span
from leadscore.project.losing import measure_losses
from leadscore.results import Pattern, Velocity
from leadscore.results.base import Interval
from leadscore.times import FOREVER_US

SPAN = Span(day(0), day(100))
KIND = {"email": "e-mails"}


def settings_with_reps():
    """A small sales pipeline of which activities, reasons and a field since creation are mapped."""
    plain = make_settings().model_dump(exclude_unset=True, by_alias=True)
    activities = {"lead_id": "id", "event_at": "at", "kind": "kind", "actor": "actor"}
    outcomes = {"lead_id": "id", "event_at": "at", "outcome": "outcome", "reason": "reason"}
    leads = {"lead_id": "id", "event_at": "created", "channel": "channel"}
    return make_settings(
        kinds=KIND,
        fields={"channel": {"known_from": "creation"}, "need": {}},
        mapping=[
            {"source": "leads", "table": "leads", "columns": leads},
            plain["mapping"][1],
            {"source": "leads", "table": "activities", "columns": activities},
            {"source": "leads", "table": "outcomes", "columns": outcomes},
        ],
    )


def test_losses_when_reasons_are_stated_then_are_counted_in_the_stage_and_spell_that_they_ended(
    tmp_path,
):
    facts = Facts(settings_with_reps())
    for lead_id, reason in (("a", "price"), ("b", "price"), ("c", "timing"), ("d", None)):
        facts.lead(lead_id, 1).stage(lead_id, 1, "new")
        facts.outcome(lead_id, 9, "lost", reason=reason)
    # open again, and lost later for another reason in another stage
    facts.stage("a", 30, "qualified").outcome("a", 40, "lost", reason="timing")
    facts.lead("won", 1).stage("won", 1, "new").outcome("won", 5, "won")
    history = facts.history(tmp_path, known_until=100)

    (first, *rest) = describe_losses(
        count_visits_by_reason(history, SPAN), history.settings.stages.open
    )
    assert (first.stage, first.reason, first.visits, first.of_losses) == ("new", "price", 2, 4)
    oracle = stats.binomtest(2, 4).proportion_ci(method="wilson")
    assert (first.share.low, first.share.high) == pytest.approx(tuple(oracle), abs=1e-4)
    assert [(loss.stage, loss.reason, loss.visits) for loss in rest] == [
        ("new", NOT_STATED, 1),
        ("new", "timing", 1),
        ("qualified", "timing", 1),
    ]


def test_losses_when_asked_about_the_past_then_what_was_learned_since_is_not_counted(tmp_path):
    facts = Facts(settings_with_reps())
    facts.lead("a", 1).stage("a", 1, "new").outcome("a", 9, "lost", reason="price")
    facts.lead("b", 1).stage("b", 1, "new").outcome("b", 60, "lost", reason="price")
    history = facts.history(tmp_path, known_until=100)
    past = count_visits_by_reason(history, Span(day(0), day(50)))
    assert [loss.visits for loss in describe_losses(past, ["new"])] == [1]


def make_leads(rows: list[tuple[float, float | None, bool]]) -> pd.DataFrame:
    """Spells of leads: start, close (None while open), won."""
    spells = pd.DataFrame(
        {
            "lead_id": [f"{place}" for place in range(len(rows))],
            "spell": 1,
            "start_us": [day(start) for start, _, _ in rows],
            "close_us": [FOREVER_US if close is None else day(close) for _, close, _ in rows],
            "won": [won for _, _, won in rows],
        }
    )
    return list_endings(spells, known_us=SPAN.known_us)


def test_contact_when_leads_are_compared_then_only_those_still_open_after_a_week_are():
    early = [(0, 60, place < 20) for place in range(40)]  # contacted on day 0.5
    late = [(0, 60, place < 10) for place in range(40)]  # contacted on day 20
    gone = [(0, 3, False)] * 15  # lost before anybody called
    spells = make_leads(early + late + gone)
    worked = pd.Series({str(n): day(0.5) for n in range(40)})
    worked = pd.concat([worked, pd.Series({str(n): day(20) for n in range(40, 80)})])

    contact = describe_contact(spells, worked, SPAN, within_days=80)
    assert (contact.leads, contact.compared) == (95, 80)
    assert contact.contacted["1"].value == pytest.approx(40 / 95)
    assert contact.median_days == 20  # 40 of 95 at once, 80 of 95 by day 20
    bands = {band.first_contact: (band.leads, band.won.value) for band in contact.bands}
    assert bands == {"within 1 day": (40, None), NOT_YET: (40, None)}  # followed for 53 days only

    shorter = describe_contact(spells, worked, SPAN, within_days=53)
    assert [band.won.value for band in shorter.bands] == [0.5, 0.25]


def test_contact_when_no_rep_did_anything_then_there_is_none():
    assert (
        describe_contact(
            make_leads([(0, None, False)]), pd.Series(dtype="int64"), SPAN, within_days=9
        )
        is None
    )


def test_waiting_when_leads_are_old_or_untouched_then_are_named_with_how_unusual_they_are(tmp_path):
    facts = Facts(settings_with_reps())
    for place in range(60):  # most leave on day 2, a few on day 30
        name = f"{place:02}"
        facts.lead(name, 0).stage(name, 0, "new").activity(name, 1, "email")
        facts.stage(name, 2 if place < 57 else 30, "qualified")
    facts.lead("old", 80).stage("old", 80, "new").activity("old", 81, "email")
    facts.activity("old", 82, "email", actor="lead")
    facts.lead("idle", 90).stage("idle", 90, "new")
    history = facts.history(tmp_path, known_until=100)

    visits = history.count_visits(SPAN)
    open_visits = read_open_visits(history, SPAN)
    flows = describe_stages(visits, history.settings.stages)
    ages = find_stalled(open_visits, visits, flows[:1])
    stalled = describe_stalled(ages)
    responded = history.facts.last_active(SPAN.known_us, actors=["lead"])
    undecided = describe_undecided(ages, responded, known_us=SPAN.known_us)
    assert [lead.lead_id for lead in undecided] == ["old"]  # the other does nothing
    assert describe_undecided(ages, responded - day(90) + day(0), known_us=SPAN.known_us) == []
    assert [(lead.lead_id, lead.days) for lead in stalled] == [("old", 20), ("idle", 10)]
    assert len(stalled) == flows[0].stalled
    # 62 visits, 57 ended on day 2, and 3 later than both
    assert not any(lead.longer_than_any for lead in stalled)
    assert stalled[0].lasted_longer == pytest.approx(5 / 62)

    spells = list_endings(history.spells(SPAN.known_us), known_us=SPAN.known_us)
    untouched = describe_untouched(spells, open_visits, history.facts.first_worked(SPAN.known_us))
    assert (untouched.leads, untouched.of_open, untouched.median_days) == (1, 62, 10)
    assert (untouched.longest[0].lead_id, untouched.longest[0].stage) == ("idle", "new")


def test_stalled_when_longer_than_every_visit_that_has_ended_then_says_so_and_comes_first(tmp_path):
    facts = Facts(settings_with_reps())
    for place in range(60):
        name = f"{place:02}"
        facts.lead(name, 0).stage(name, 0, "new").stage(name, 2 + place % 10, "qualified")
    facts.lead("old", 80).stage("old", 80, "new").lead("older", 70).stage("older", 70, "new")
    history = facts.history(tmp_path, known_until=100)

    visits = history.count_visits(SPAN)
    flows = describe_stages(visits, history.settings.stages)
    stalled = describe_stalled(find_stalled(read_open_visits(history, SPAN), visits, flows[:1]))
    assert [(lead.lead_id, lead.longer_than_any) for lead in stalled] == [
        ("older", True),
        ("old", True),
    ]


VELOCITY = Velocity(
    leads=1, wins=1, value=1000, currency="EUR", win_rate=Interval(value=0.5), cycle_days=1,
    within_days=1, per_day=1, won_per_day=1,
)  # fmt: skip


def describe_rows(rows):
    """Stages and moves of counted visits."""
    columns = ["period", "stage", "exit", "next_stage", "hours", "visits"]
    visits = pd.DataFrame(rows, columns=columns).assign(part="", is_first=0)
    stages = make_settings().stages
    return describe_stages(visits, stages), describe_moves(visits, stages)


def improve(rows):
    """What better stages would bring, by stage."""
    better = describe_improvements(*describe_rows(rows), VELOCITY, days=365 / 4)
    return {improvement.stage: improvement for improvement in better}


def test_improvement_when_one_stage_gets_better_then_is_what_a_hand_computation_gives():
    rows = [
        ("now", "new", "forward", "qualified", 24, 60), ("now", "new", "lost", None, 24, 40),
        ("now", "qualified", "forward", "proposal", 24, 40), ("now", "qualified", "lost", None, 24, 20),
        ("now", "proposal", "won", None, 24, 30), ("now", "proposal", "lost", None, 24, 10),
    ]  # fmt: skip
    by_stage = improve(rows)
    # 100 leads a quarter; wins are 100 x 0.6 x 2/3 x 3/4 = 30
    assert by_stage["new"].wins == pytest.approx(100 * 0.05 * 2 / 3 * 3 / 4)
    assert by_stage["qualified"].wins == pytest.approx(60 * 0.05 * 3 / 4)
    assert by_stage["proposal"].wins == pytest.approx(40 * 0.05)
    assert by_stage["proposal"].value == pytest.approx(2000)


def test_improvement_when_leads_would_go_round_for_ever_or_none_is_lost_then_is_not_stated():
    to_and_fro = [
        ("now", "new", "forward", "qualified", 24, 100), ("now", "qualified", "back", "new", 24, 100),
        ("now", "proposal", "won", None, 24, 40),
    ]  # fmt: skip
    assert improve(to_and_fro) == {}
    assert expect_visits(*describe_rows(to_and_fro), leads=100) == {}
    few_leave = [
        ("now", "new", "forward", "qualified", 24, 95), ("now", "new", "lost", None, 24, 5),
        ("now", "qualified", "back", "new", 24, 100),
        ("now", "proposal", "won", None, 24, 30), ("now", "proposal", "lost", None, 24, 10),
    ]  # fmt: skip
    assert list(improve(few_leave)) == ["proposal"]


def test_chain_when_leads_move_back_then_its_visits_and_wins_are_those_it_was_built_from():
    rng = np.random.default_rng(5)
    moves = rng.dirichlet(np.ones(5), 3)[:, :3] * (1 - np.eye(3))
    won = rng.uniform(0, 0.2, 3)
    chain = Chain(entries=np.array([100.0, 20.0, 5.0]), moves=moves, won=won, lost=1 - won,
        pipelines=np.full(3, ""))  # fmt: skip
    visits = chain.entries.copy()
    walked = np.zeros(3)
    for _ in range(3000):  # leads walk from stage to stage until none is left
        walked += visits
        visits = visits @ moves
    assert chain.wins() == pytest.approx(float(walked @ won))


def make_followed(
    n: int, *, seed: int, effect: float, base: float = 0.3
) -> tuple[pd.DataFrame, np.ndarray]:
    """Leads closed after 10 days, of which those of group x are won more often."""
    rng = np.random.default_rng(seed)
    group = rng.choice(["x", "y", "z", "small"], n, p=[0.3, 0.3, 0.3, 0.1])
    won = rng.uniform(size=n) < base + effect * (group == "x")
    spells = make_leads([(0, 10 + 7, bool(value)) for value in won])
    return list_followed(spells, SPAN), group


def search_patterns(followed: pd.DataFrame, group: np.ndarray) -> list[Pattern]:
    """The patterns of the groups with enough leads."""
    segments = [
        Segment("group", value, count_endings(followed[group == value]))
        for value in ("x", "y", "z", "small")
    ]
    return describe_patterns(count_endings(followed), segments, within_days=10)


def test_pattern_when_a_group_wins_more_then_it_comes_first_with_its_lift_and_the_plain_test():
    followed, group = make_followed(900, seed=1, effect=0.3)
    patterns = search_patterns(followed, group)
    first = patterns[0]
    assert (first.field, first.value) == ("group", "x")
    is_x = group == "x"
    won = (followed["ending"] == "won").to_numpy()
    assert first.won.value == pytest.approx(won[is_x].mean())
    assert first.others.value == pytest.approx(won[~is_x].mean())
    assert first.lift == pytest.approx(won[is_x].mean() / won.mean())
    table = [[sum(won & part), sum(~won & part)] for part in (is_x, ~is_x)]
    oracle = stats.chi2_contingency(table, correction=False)
    assert first.p_value == pytest.approx(oracle.pvalue, rel=1e-6)
    raw = [pattern.p_value for pattern in patterns]
    assert [p.adjusted for p in patterns] == pytest.approx(list(stats.false_discovery_control(raw)))


def test_patterns_when_nothing_matters_then_few_searches_report_any():
    """Under the null, Benjamini and Hochberg report anything in at most 5% of the searches."""
    reported = 0
    for seed in range(60):
        followed, group = make_followed(400, seed=seed, effect=0, base=0.1)
        patterns = search_patterns(followed, group)
        reported += any(pattern.adjusted < 0.05 for pattern in patterns)
    assert stats.binomtest(reported, 60, 0.05, alternative="greater").pvalue > 0.01


def test_patterns_when_a_field_changed_later_then_the_value_of_the_first_week_counts(tmp_path):
    facts = Facts(settings_with_reps())
    for place in range(80):
        name, is_good = f"{place:02}", place < 40
        facts.lead(name, 0, channel="web" if is_good else "list").stage(name, 0, "new")
        facts.change(name, 3, "need", "high" if is_good else "low")
        facts.change(name, 20, "need", "high")  # later: learned from the win, say
        facts.activity(name, 5 if is_good else 20, "email")
        wins = place % 2 == 0 if is_good else place % 10 == 0
        facts.outcome(name, 30, "won" if wins else "lost")
    history = facts.history(tmp_path, known_until=100)
    spells = list_endings(history.spells(SPAN.known_us), known_us=SPAN.known_us)
    visits = history.count_visits(SPAN)
    parts = measure_losses(history, SPAN, visits=visits, spells=spells, flows=[], within_days=23)
    leads = {(p.field, p.value): (p.leads, p.won.value) for p in parts["patterns"]}
    assert leads == {
        ("channel", "web"): (40, 0.5),
        ("channel", "list"): (40, 0.1),
        ("need", "high"): (40, 0.5),
        ("need", "low"): (40, 0.1),
        ("activity", "e-mails"): (40, 0.5),
    }
    assert {pattern.lift for pattern in parts["patterns"]} == {0.5 / 0.3, 0.1 / 0.3}


def test_segments_when_values_are_numbers_then_are_thirds_of_the_leads(tmp_path):
    settings = settings_with_reps()
    fields = {"size": {"type": "number", "known_from": "creation"}}
    settings = settings.model_copy(update={"fields": make_settings(fields=fields).fields})
    facts = Facts(settings)
    for place in range(99):
        facts.lead(f"{place:02}", 0, size=100 * place).stage(f"{place:02}", 0, "new")
    history = facts.history(tmp_path, known_until=100)
    spells = list_endings(history.spells(SPAN.known_us), known_us=SPAN.known_us)
    segments = list_segments(history, list_followed(spells, SPAN))
    leads = {segment.value: segment.ends.count() for segment in segments}
    assert leads == {"up to 33": 33, "33 to 65": 33, "over 65": 33}
