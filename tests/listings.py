"""Lists of made-up leads for tests of the report: as many as asked, and one with hostile text."""

import hashlib
import random
from dataclasses import replace

import pyarrow as pa

from evaluations import make_evaluation
from leadscore.report.listing.contents import (
    TIMELINES,
    WATERFALLS,
    LeftLead,
    ListContents,
    PastList,
    ShownLead,
)
from leadscore.results import Counts
from leadscore.scoring.score import REASON_COLUMNS, SCORES
from leadscore.scoring.timeline import Happening
from leadscore.scoring.waterfall import Part, Waterfall

EVIL = "</script><script>document.title='pwned'</script><img src=x onerror=alert(1)>\"'&"
REVERSED = "gnp.\u202eexe"
STAGES = ["New", "Contacted", "Qualified", "Proposal", "Negotiation"]
REPS = {"r1": "Ana Ruiz", "r2": "Ben Ito", "r3": "Cleo Marsh"}
UP = [
    "Budget confirmed (100,000)",
    "Replied 3 times in the last 30 days",
    "Came by referral",
    "Has reached Proposal (31% of 412 similar leads were won; usual 12%)",
    "Wants it within 30 days",
]
DOWN = [
    "No reply to the last 4 e-mails",
    "In Proposal for 61 days; usual: 20",
    "Decision maker not involved (4% of 96 similar leads were won; usual 12%)",
]
ACTIONS = ["call", "demo", "proposal", "ask for a decision", "revive"]
AS_OF = "2026-03-01T00:00:00Z"


def make_scores(n, *, seed=1):
    """A table in the shape of a routed publication's scores, the best lead first."""
    draw = random.Random(seed)  # noqa: S311
    wins = sorted((draw.betavariate(1, 5) for _ in range(n)), reverse=True)
    rows = [make_row(place, win, draw, n=n) for place, win in enumerate(wins)]
    fields = [*SCORES][:-1]
    fields += [
        pa.field("rep_id", pa.string()),
        pa.field("route_reason", pa.string()),
        SCORES.field("log_odds"),
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def make_row(place, win, draw, *, n):
    share = place / n
    tier = "ABCD"[(share > 0.1) + (share > 0.3) + (share > 0.6)]
    change = round(draw.gauss(0, 6), 1)
    rep = draw.choice([*REPS, *REPS, None])
    up, down = draw.sample(UP, 3), draw.sample(DOWN, 3)
    direction = "Up" if change > 0 else "Down"
    words = f"{direction} {abs(change):.0f} points: call yesterday {change - 2:+.0f}, other +2"
    return {
        "lead_id": f"L-{hashlib.sha256(str(place).encode()).hexdigest()[:10]}",
        "as_of": 1_772_323_200_000_000,
        "win_probability": win,
        "probability_low": win * 0.7,
        "probability_high": min(1.0, win * 1.4),
        "score": 100 * (1 - share),
        "tier": tier,
        "amount": 1000.0 * draw.randint(5, 90),
        "amount_estimated": draw.random() < 0.1,
        "expected_value": win * 40_000,
        "qualification": draw.choice(["sales_qualified", "needs_answers", "nurture"]),
        "qualification_rule": "tier A or B with two answers",
        "override": "",
        "bant": f"budget: {draw.randint(1, 90)},000; authority: VP Sales; need: high; timeline: unknown",
        "next_question": f"Ask for timeline: {win:.2f} now, {min(1, win * 1.5):.2f} with the best answer",
        "next_question_gain": 0.3,
        "suggested_action": draw.choice(ACTIONS),
        **dict(zip(REASON_COLUMNS, up + down, strict=True)),
        "change": words if abs(change) >= 1 else "",
        "change_points": change,
        "trend": "steady",
        "rep_id": rep,
        "route_reason": "best fit: DE" if rep else "no rep covers country FR",
        "log_odds": 0.0,
    }


def make_waterfall(win, draw):
    """From 12.34% to `win` in parts."""
    words = draw.sample([*UP, *DOWN], 8)
    parts = [Part(text, draw.gauss(0, 4)) for text in words]
    others = 100 * win - 12.34 - 0.26 - sum(part.points for part in parts)
    return Waterfall(12.34, tuple(parts), others=others, others_lowering=-5.0, recent=0.26)


def make_timeline(draw):
    """A plan, and fourteen things that happened over about half a year."""
    days = sorted(draw.sample(range(1, 181), 14))
    whens = [f"{day} days ago, {(day - 1) % 28 + 1} February 2026" for day in days]
    amounts = [f"Budget: {draw.randint(1, 90)},000", f"Entered {draw.choice(STAGES)}"]
    kinds = ["E-mail to the lead", "Call (rep)", "Price page seen (lead)", *amounts]
    past = [Happening(when, draw.choice(kinds)) for when in whens]
    return [Happening("in 3 days, 4 March 2026", "Planned: meeting"), *past]


def make_shown(lead, place):
    return ShownLead(
        name=f"Deal {place}",
        company=f"Firm {place} Ltd",
        contact="Dana Fox",
        email=f"dana.fox{place}@firm.example",
        phone=f"+49 30 {place:03}-{(7919 * place) % 10_000:04}",
        url=f"https://crm.example/leads/{lead}",
    )


def make_contents(n=120, *, seed=1, **changes):
    """A list with one before it: every tenth lead is new, and three left."""
    scores = make_scores(n, seed=seed)
    leads = scores["lead_id"].to_pylist()
    wins = scores["win_probability"].to_pylist()
    win_of = dict(zip(leads, wins, strict=True))
    before = {lead: 0.9 * win_of[lead] for place, lead in enumerate(leads) if place % 10}
    gone = {"L-won": 0.62, "L-lost": 0.31, "L-away": 0.05}
    ends = {"L-won": "won", "L-lost": "lost", "L-away": "not in the export"}
    tiers = dict.fromkeys([*before, *gone], "B")
    earlier = {lead: 0.8 * win for lead, win in before.items()}
    loads = {rep: {"given": 8, "load": 12, "capacity": 20 + 10 * at} for at, rep in enumerate(REPS)}
    draw = random.Random(seed)  # noqa: S311
    given = {
        "project": "acme",
        "publication_id": "20260301T000000Z-0123456789ab",
        "as_of": AS_OF,
        "model_version": "94fd9833138b394f",
        "counts": Counts(leads=n, scored=n, closed=0, absent=0, not_yet_created=0, refused=0),
        "scores": scores,
        "currency": "EUR",
        "horizon_days": 60,
        "past": [
            PastList("2026-02-15T00:00:00Z", earlier, tiers),
            PastList("2026-02-22T00:00:00Z", before | gone, tiers),
        ],
        "left": [LeftLead(lead, ends[lead], "B", win) for lead, win in gone.items()],
        "stages": {lead: STAGES[place % 5] for place, lead in enumerate(leads)},
        "rep_names": REPS,
        "routing": {"leads": n, "assigned": n - 9, "changed": 4, "reps": loads},
        "shown": {lead: make_shown(lead, place) for place, lead in enumerate(leads)},
        "waterfalls": {lead: make_waterfall(win_of[lead], draw) for lead in leads[:WATERFALLS]},
        "timelines": {lead: make_timeline(draw) for lead in leads[:TIMELINES]},
    }
    return ListContents(**(given | changes))


def make_modelled(n=60):
    """A list whose model has its evaluation still."""
    groups = [
        {"group": "stage", "share": 0.125},
        {"group": "engagement_conversations_of_more_than_a_minute", "share": 0.1},
    ]
    summary = "The score comes from stage (13%) and conversations (10%)"
    bins = [
        {"n": 900, "leads": 800, "weight": 900.0, "mean_probability": 0.014, "win_rate": 0.1},
        {"n": 900, "leads": 800, "weight": 900.0, "mean_probability": 0.364, "win_rate": 0.3},
    ]
    evaluation = make_evaluation(
        carriers={"rows": 10, "groups": groups, "summary": summary}, reliability=bins
    )
    return make_contents(n, evaluation=evaluation)


def set_column(contents, name, values):
    """The list with other values in a column of its scores."""
    scores = contents.scores
    at = scores.column_names.index(name)
    column = pa.array(values, scores.schema.field(name).type)
    return replace(contents, scores=scores.set_column(at, scores.schema.field(name), column))


def make_hostile(n=60):
    """A list whose first lead bears hostile text in every place that text from outside reaches."""
    contents = make_contents(n)
    rows = contents.scores.to_pylist()
    first = rows[0]
    for name in (
        "reason_up_1",
        "reason_down_1",
        "change",
        "next_question",
        "override",
        "qualification_rule",
    ):
        first[name] = EVIL
    first["bant"] = f"need: {EVIL}\x00"
    first["lead_id"] = "evil"
    scores = pa.Table.from_pylist(rows, schema=contents.scores.schema)
    shown = {
        "evil": ShownLead(
            company=REVERSED + "x" * 10_000,
            contact=EVIL,
            email=f"a@b.example?bcc={EVIL}",
            phone=EVIL,
            url="javascript:alert(1)",
        )
    }
    stages = contents.stages | {"evil": EVIL}
    hostile = Waterfall(10.0, (Part(EVIL + REVERSED, 5.0),), others=80.0)
    return make_contents(
        n,
        scores=scores,
        shown=shown,
        stages=stages,
        project=EVIL,
        warnings=[EVIL],
        waterfalls=contents.waterfalls | {"evil": hostile},
        timelines=contents.timelines | {"evil": [Happening("today, 1 March 2026", f"{EVIL}\x00")]},
    )
