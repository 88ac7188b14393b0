"""A sample CRM: the exports of a believable B2B company, and the true probabilities that no company ever sees.

Each lead has a hidden class. Given its class, everything that is exported of it is drawn independently of when and
how it closes, and its chances of closing depend on the class and on working time alone. So the truth, P(won within the
horizon | everything exported before a moment), is a weighted mean over the classes in closed form: `Crowd.truth`.

Time passes as working time: tau, in working days, grows from 08:00 to 18:00, slowly at weekends, in August and around
the new year, faster at the end of a quarter. Everything is a Poisson process in tau.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from leadscore.atomic import fill_folder
from leadscore.errors import FolderTakenError

Array = np.ndarray
START, UNTIL = np.datetime64("2024-03-01"), np.datetime64("2026-03-01")  # of the exports
HORIZON_DAYS = 60
CHUNK = 20_000  # leads drawn at a time; part of what a seed means
DAY_S = 86_400
START_S, UNTIL_S = (int(day.astype("datetime64[s]").astype(np.int64)) for day in (START, UNTIL))

# Every tuple of four below gives a number for each hidden class, in this order; rates are per working day.
CLASSES = ("ready", "weighing", "curious", "unfit")
SHARE = (0.17, 0.26, 0.35, 0.22)  # of the leads that arrive at START
DRIFT = (-0.18, -0.05, 0.05, 0.10)  # change of the log of it a year: leads slowly get worse
WIN = (0.0200, 0.0060, 0.0008, 0.0001)
LOSE = (0.0060, 0.0100, 0.0160, 0.0350)
COME_BACK = (0.0040, 0.0030, 0.0015, 0.0002)  # of a lost lead
FORWARD = (0.160, 0.085, 0.045, 0.030)  # to the next stage, until the last one
BACK = (0.006, 0.012, 0.020, 0.020)  # to the one before, never to the first
STAGES = ("New", "Contacted", "Qualified", "Proposal", "Negotiation")

# What is known from creation: attribute -> value -> share in each class (columns add up to 1).
Share = tuple[float, float, float, float]
ATTRIBUTES: dict[str, dict[str, Share]] = {
    "source": {
        "Referral": (0.26, 0.16, 0.07, 0.03),
        "Demo request": (0.30, 0.20, 0.09, 0.04),
        "Trade fair": (0.16, 0.22, 0.20, 0.13),
        "Webinar": (0.12, 0.19, 0.25, 0.18),
        "Content download": (0.09, 0.15, 0.27, 0.32),
        "Bought list": (0.07, 0.08, 0.12, 0.30),
    },
    "industry": {
        "Manufacturing": (0.30, 0.26, 0.20, 0.14),
        "Logistics": (0.22, 0.20, 0.17, 0.12),
        "Wholesale": (0.17, 0.19, 0.20, 0.16),
        "Health care": (0.13, 0.14, 0.16, 0.16),
        "Public sector": (0.10, 0.12, 0.14, 0.18),
        "Education": (0.08, 0.09, 0.13, 0.24),
    },
    "employees": {"1-9": (0.05, 0.08, 0.15, 0.34), "10-49": (0.17, 0.22, 0.28, 0.30),
                  "50-249": (0.40, 0.38, 0.32, 0.21), "250-4999": (0.38, 0.32, 0.25, 0.15)},
    "amount": {"500-4999": (0.10, 0.17, 0.28, 0.45), "5000-19999": (0.30, 0.33, 0.36, 0.33),
               "20000-79999": (0.40, 0.34, 0.25, 0.16), "80000-399999": (0.20, 0.16, 0.11, 0.06)},
    "title": {"chief": (0.24, 0.17, 0.10, 0.05), "director": (0.28, 0.24, 0.16, 0.08),
              "manager": (0.26, 0.29, 0.29, 0.20), "specialist": (0.12, 0.18, 0.27, 0.33),
              "learner": (0.02, 0.03, 0.06, 0.17), "missing": (0.08, 0.09, 0.12, 0.17)},
}  # fmt: skip
TITLES: dict[str, tuple[str, ...]] = {
    "chief": ("CEO", "C.E.O.", "Geschäftsführer", "Managing Director", "Owner", "Founder & CEO", "CFO", "COO", "PDG"),
    "director": ("VP Operations", "V.P. Sales", "Head of Logistics", "head of it", "Director of Procurement",
                 "Bereichsleiter Einkauf", "IT Director", "Directeur des achats"),
    "manager": ("Procurement Manager", "Plant Manager", "IT-Manager", "Teamleiter", "Project Manager",
                "Mgr. Supply Chain", "Manager, Warehousing", "office manager"),
    "specialist": ("Buyer", "Sachbearbeiter", "Business Analyst", "Engineer", "Software Developer", "Assistant",
                   "Controller", "Quality Specialist"),
    "learner": ("Student", "Intern", "Werkstudent", "Trainee", "PhD student", "looking for a job"),
    "missing": ("",),
}  # fmt: skip

# What arrives while a lead is open: stream -> (rate, mark -> share in each class). A mark is the answer, or how many
# pages a visit has.
SAME = (1.0, 1.0, 1.0, 1.0)
PAGES = {
    "1": (0.30, 0.40, 0.55, 0.80),
    "3": (0.40, 0.38, 0.30, 0.15),
    "8": (0.30, 0.22, 0.15, 0.05),
}
Stream = tuple[Share, dict[str, Share]]
ACTIVITIES: dict[str, Stream] = {
    "email_sent": ((0.1, 0.095, 0.085, 0.075), {"1": SAME}),
    "call_attempt": ((0.05, 0.055, 0.06, 0.055), {"1": SAME}),
    "call": ((0.04, 0.025, 0.013, 0.005), {"1": SAME}),
    "meeting": ((0.0225, 0.012, 0.004, 0.001), {"1": SAME}),
    "web_visit": ((0.04, 0.035, 0.03, 0.015), PAGES),
    "pricing_visit": (
        (0.018, 0.011, 0.005, 0.0015),
        {"1": (0.5, 0.6, 0.7, 0.8), "3": (0.5, 0.4, 0.3, 0.2)},
    ),
    "download": ((0.006, 0.008, 0.008, 0.004), {"1": SAME}),
    "webinar": ((0.005, 0.006, 0.006, 0.002), {"1": SAME}),
}
ANSWERS: dict[str, Stream] = {
    "budget": ((0.040, 0.026, 0.014, 0.008), {
        "0-0": (0.03, 0.12, 0.34, 0.70), "5000-19999": (0.22, 0.34, 0.38, 0.20),
        "20000-59999": (0.42, 0.34, 0.20, 0.08), "60000-199999": (0.33, 0.20, 0.08, 0.02)}),
    "need": ((0.050, 0.036, 0.022, 0.012), {
        "none": (0.01, 0.04, 0.14, 0.42), "low": (0.08, 0.18, 0.34, 0.36), "medium": (0.27, 0.40, 0.35, 0.16),
        "high": (0.40, 0.28, 0.13, 0.05), "critical": (0.24, 0.10, 0.04, 0.01)}),
    "timeline": ((0.036, 0.024, 0.012, 0.006), {  # days ahead
        "5-30": (0.36, 0.14, 0.05, 0.03), "31-90": (0.40, 0.36, 0.20, 0.12),
        "91-180": (0.18, 0.32, 0.35, 0.30), "181-500": (0.06, 0.18, 0.40, 0.55)}),
}  # fmt: skip
STREAMS = ACTIVITIES | ANSWERS
E_MAIL = list(STREAMS).index("email_sent")
# What an e-mail may bring: kind -> (probability, mean delay in working days).
RESPONSES: dict[str, tuple[Share, float]] = {
    "email_open": ((0.60, 0.52, 0.42, 0.25), 0.5),
    "email_reply": ((0.34, 0.22, 0.10, 0.03), 1.5),
}
MOVES = {1: FORWARD, -1: BACK}
SCANNERS = 0.30  # of e-mails are opened at once by a program, whoever the lead is
BY_REP = ("email_sent", "call_attempt", "call", "meeting")
REASONS = ("no budget", "competitor", "no decision", "no answer", "too early")
SECONDS = {"call": (60, 1500), "meeting": (1200, 5400)}
TERRITORIES = {"DACH": ("DE", "AT", "CH"), "North": ("SE", "DK", "NO", "FI"), "West": ("NL", "BE", "FR"),
               "Isles": ("GB", "IE")}  # fmt: skip
REPS = ("Anke Brandt", "Jonas Keller", "Miriam Vogt", "Tim Huber", "Ingrid Solberg", "Mikkel Holm", "Aino Laine",
        "Sanne de Wit", "Luc Moreau", "Claire Dubois", "Owen Hughes", "Niamh Byrne")  # fmt: skip
REPS_A_TEAM = len(REPS) // len(TERRITORIES)
COMPANIES = (
    (
        "Nord",
        "Alpha",
        "Delta",
        "Rhein",
        "Blue",
        "Prime",
        "Terra",
        "Nova",
        "Inter",
        "Uni",
        "Stern",
        "Vita",
    ),
    ("tec", "log", "werk", "trade", "med", "soft", "form", "plast", "metal", "food", "bau", "net"),
    ("GmbH", "AG", "Ltd", "AB", "BV", "SA", "Group", "& Co"),
)
PLAIN = pa_csv.WriteOptions(quoting_style="needed")


def write_sample(folder: Path, *, leads: int, seed: int) -> dict[str, Any]:
    """Write exports/*.csv, leadscore.toml and truth/leads.csv; the same seed and number of leads give the same bytes.

    Returns the rows of each file, how many leads are open at UNTIL, and their mean true probability.

    Raises:
        FolderTakenError: there is something in `folder` already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderTakenError(folder)
    rows: dict[str, int] = {}
    truth: list[Array] = []

    def fill(beside: Path) -> None:
        with ExitStack() as stack:
            writers: dict[str, pa_csv.CSVWriter] = {}
            for crowd in draw_crowds(leads=leads, seed=seed):
                tables = crowd.tables()
                truth.append(tables["truth/leads"]["win_probability"].drop_null().to_numpy())
                for name, table in tables.items():
                    if name not in writers:
                        path = beside / f"{name}.csv"
                        path.parent.mkdir(exist_ok=True)
                        writer = pa_csv.CSVWriter(path, table.schema, write_options=PLAIN)
                        writers[name] = stack.enter_context(writer)
                    writers[name].write_table(table)
                    rows[name] = rows.get(name, 0) + table.num_rows
        pa_csv.write_csv(_reps(), beside / "exports" / "reps.csv", write_options=PLAIN)
        text = (
            resources.files("leadscore.sample").joinpath("sample.toml").read_text(encoding="utf-8")
        )
        (beside / "leadscore.toml").write_text(text, encoding="utf-8")

    taken = folder.exists()  # a mount, a link, or where the user stands: it stays, and is filled
    fill_folder(whole := folder / ".sample" if taken else folder, fill)
    if taken:
        for name in ("exports", "truth", "leadscore.toml"):
            (whole / name).rename(folder / name)
        whole.rmdir()
    chances = np.concatenate(truth)
    mean = float(chances.mean()) if len(chances) else None
    return {"folder": str(folder), "rows": rows, "open": len(chances), "mean_truth": mean}


def draw_crowds(*, leads: int, seed: int) -> Iterator[Crowd]:
    """All leads, in chunks that arrive one after another."""
    chunks = -(-leads // CHUNK)
    for chunk in range(chunks):
        first, end = leads * chunk // chunks, leads * (chunk + 1) // chunks
        arrive = (
            START_TAU + (UNTIL_TAU - START_TAU) * np.array([chunk, chunk + 1]) / chunks
        ).tolist()
        yield _draw_crowd(
            np.random.default_rng([seed, chunk]), first=first, n=end - first, arrive=arrive
        )


@dataclass(frozen=True)
class Crowd:
    """Leads drawn together: what they did, and how it would have to be weighed to guess their class.

    Arrays are of leads (n,), spells (m,), events (k,) and stays in a stage (j,); times are tau, or whole UTC seconds
    where the name ends in `_s`. A spell ends when its lead closes, be that after UNTIL.
    """

    ids: pa.Array
    lead_class: Array
    created_s: Array
    codes: dict[str, Array]  # attribute -> which of its values (n,)
    spell_lead: Array
    spell_start: Array
    spell_end: Array
    spell_end_s: Array
    spell_won: Array
    spell_gap: Array  # since the loss before it; NaN for a first spell
    event_spell: Array
    event_stream: Array
    event_mark: Array
    event_tau: Array
    event_s: Array
    responses: dict[str, Array]  # kind -> when the lead answered the event, infinite if never (k,)
    stay_spell: Array
    stay_start: Array
    stay_end: Array
    stay_stage: Array
    stay_step: Array  # 1 forward, -1 back, 0 if the lead closed in it
    columns: dict[str, dict[str, Any]]  # export -> columns that say nothing more about the class

    def log_likelihood(self, as_of: float) -> Array:
        """Of all that was exported before tau `as_of`, up to a constant, for each lead and class (n, 4)."""
        n, of_lead = len(self.ids), self.spell_lead
        found = _log_prior(self.created_s)
        for name, codes in self.codes.items():
            found += np.log(list(ATTRIBUTES[name].values()))[codes]
        open_for = np.clip(np.minimum(self.spell_end, as_of) - self.spell_start, 0, None)
        anything = np.add(WIN, LOSE) + np.sum([rate for rate, _ in STREAMS.values()], axis=0)
        found -= _sums(of_lead, open_for, n) * anything
        found += _sums(of_lead, (self.spell_end < as_of) & ~self.spell_won, n) * np.log(LOSE)
        again = ~np.isnan(self.spell_gap) & (self.spell_start < as_of)
        found += _sums(of_lead, again, n) * np.log(COME_BACK)
        found -= _sums(of_lead, np.where(again, self.spell_gap, 0), n) * np.array(COME_BACK)
        known = self.event_tau < as_of
        for code, (rate, marks) in enumerate(STREAMS.values()):
            mine = known & (self.event_stream == code)
            said = np.log(list(marks.values())) + np.log(rate)
            found += _sums(of_lead[self.event_spell[mine]], said[self.event_mark[mine]], n)
        return np.asarray(found + self._of_responses(as_of) + self._of_stays(as_of))

    def _of_responses(self, as_of: float) -> Array:
        """Every e-mail sent before `as_of`, answered by then or not yet."""
        sent = (self.event_stream == E_MAIL) & (self.event_tau < as_of)
        spell = self.event_spell[sent]
        watched = np.minimum(self.spell_end[spell], as_of) - self.event_tau[sent]
        found = np.zeros((len(self.ids), len(CLASSES)))
        for kind, (chance, delay) in RESPONSES.items():
            not_yet = 1 + np.array(chance) * np.expm1(-watched / delay)[:, None]
            said = np.where((self.responses[kind][sent] < as_of)[:, None], chance, not_yet)
            found += _sums(self.spell_lead[spell], np.log(said), len(found))
        return found

    def _of_stays(self, as_of: float) -> Array:
        n, lead = len(self.ids), self.spell_lead[self.stay_spell]
        stayed = np.clip(np.minimum(self.stay_end, as_of) - self.stay_start, 0, None)
        found = np.zeros((n, len(CLASSES)))
        for step, rate in MOVES.items():
            moved = (self.stay_end < as_of) & (self.stay_step == step)
            found += _sums(lead, moved, n) * np.log(rate)
            found -= _sums(lead, stayed * _can_move(self.stay_stage, step), n) * np.array(rate)
        return found

    def truth(self, as_of_s: int, *, horizon_days: int = HORIZON_DAYS) -> tuple[Array, Array]:
        """The leads open at a moment (positions), and P(won within the horizon | all that was exported before it).

        Won in this spell: not after a loss. A visit that began before the moment is known with all its pages.
        """
        as_of, until = _to_tau(np.array([as_of_s, as_of_s + horizon_days * DAY_S]))
        lead = self.spell_lead[(self.spell_start < as_of) & (self.spell_end >= as_of)]
        weight = self.log_likelihood(as_of)[lead]
        weight = np.exp(weight - weight.max(axis=1, keepdims=True))
        closing = np.add(WIN, LOSE)
        wins = np.array(WIN) / closing * -np.expm1(-closing * (until - as_of))
        return lead, np.asarray(weight @ wins / weight.sum(axis=1))

    def tables(self) -> dict[str, pa.Table]:
        """The exports of everything before UNTIL; and truth/leads, which knows the class and what came after."""
        tables = {f"exports/{name}": pa.table(columns) for name, columns in self.columns.items()}
        last = len(self.spell_lead) - 1 - np.unique(self.spell_lead[::-1], return_index=True)[1]
        chance = np.full(len(self.ids), np.nan)
        lead, truth = self.truth(UNTIL_S)
        chance[lead] = truth
        closed = np.isnan(chance)
        in_time = self.spell_won[last] & (self.spell_end_s[last] < UNTIL_S + HORIZON_DAYS * DAY_S)
        columns = {
            "lead_id": self.ids,
            "class": pa.array(np.array(CLASSES)[self.lead_class]),
            "win_probability": pa.array(chance, mask=closed),
            "won_within_horizon": pa.array(in_time, mask=closed),
            "outcome": pa.array(np.where(self.spell_won[last], "won", "lost")),
            "closed_at": _moments(self.spell_end_s[last]),
        }
        return tables | {"truth/leads": pa.table(columns)}


def _draw_crowd(rng: np.random.Generator, *, first: int, n: int, arrive: list[float]) -> Crowd:
    created_s, created = _whole(np.sort(rng.uniform(arrive[0], arrive[1], n)))
    lead_class = _choose(rng, np.exp(_log_prior(created_s)))
    codes = {
        name: _choose(rng, np.array(list(values.values())).T[lead_class])
        for name, values in ATTRIBUTES.items()
    }
    spells = _draw_spells(rng, created, lead_class)
    events = _draw_events(rng, lead_class, spells)
    responses = _draw_responses(rng, lead_class, spells, events)
    stays = _draw_stays(rng, lead_class, spells)
    crowd = Crowd(
        pa.array([f"L{first + i + 1:07d}" for i in range(n)]), lead_class, created_s, codes,
        **spells, **events, responses=responses, **stays, columns={},
    )  # fmt: skip
    answers = _answers(rng, crowd)
    leads = _leads(rng, crowd, answers)
    crowd.columns.update(
        leads=leads,
        field_history=_answer_columns(crowd, answers),
        activities=_activities(rng, crowd),
        stage_history=_stages(crowd),
        outcomes=_outcomes(rng, crowd, leads["amount"].to_numpy()),
    )
    return crowd


def _draw_spells(rng: np.random.Generator, created: Array, lead_class: Array) -> dict[str, Array]:
    """First spells, and second ones of lost leads that came back before UNTIL; ordered by lead."""
    win, lose, back = (np.array(rate)[lead_class] for rate in (WIN, LOSE, COME_BACK))

    def close(start: Array, at: Array) -> tuple[Array, Array, Array]:
        end_s, end = _whole(start + rng.exponential(1 / (win + lose)[at]))
        return end_s, end, rng.random(len(at)) < (win / (win + lose))[at]

    everyone = np.arange(len(created))
    end_s, end, won = close(created, everyone)
    _, again = _whole(end + rng.exponential(1 / back))
    second = np.flatnonzero(~won & (again < UNTIL_TAU))
    again_s, again_end, again_won = close(again[second], second)
    lead = np.concatenate([everyone, second])
    order = np.argsort(lead, kind="stable")
    return {
        "spell_lead": lead[order],
        "spell_start": np.concatenate([created, again[second]])[order],
        "spell_end": np.concatenate([end, again_end])[order],
        "spell_end_s": np.concatenate([end_s, again_s])[order],
        "spell_won": np.concatenate([won, again_won])[order],
        "spell_gap": np.concatenate([np.full(len(everyone), np.nan), (again - end)[second]])[order],
    }


def _draw_events(
    rng: np.random.Generator, lead_class: Array, spells: dict[str, Array]
) -> dict[str, Array]:
    """Everything that arrives in an open spell before UNTIL: a Poisson process of each stream, with marks."""
    of_spell = lead_class[spells["spell_lead"]]
    length = np.clip(np.minimum(spells["spell_end"], UNTIL_TAU) - spells["spell_start"], 0, None)
    parts = []
    for code, (rate, marks) in enumerate(STREAMS.values()):
        spell = np.repeat(np.arange(len(length)), rng.poisson(np.array(rate)[of_spell] * length))
        mark = _choose(rng, np.array(list(marks.values())).T[of_spell[spell]])
        parts.append((spell, np.full(len(spell), code), mark))
    spell, stream, mark = (np.concatenate(column) for column in zip(*parts, strict=True))
    seconds, tau = _whole(spells["spell_start"][spell] + length[spell] * rng.random(len(spell)))
    return {
        "event_spell": spell,
        "event_stream": stream,
        "event_mark": mark,
        "event_tau": tau,
        "event_s": seconds,
    }


def _draw_responses(
    rng: np.random.Generator, lead_class: Array, spells: dict[str, Array], events: dict[str, Array]
) -> dict[str, Array]:
    """When the lead answered each e-mail, if it did before its spell ended."""
    spell, n = events["event_spell"], len(events["event_tau"])
    of_event = lead_class[spells["spell_lead"][spell]]
    found = {}
    for kind, (chance, delay) in RESPONSES.items():
        _, tau = _whole(events["event_tau"] + rng.exponential(delay, n))
        answered = (events["event_stream"] == E_MAIL) & (rng.random(n) < np.array(chance)[of_event])
        found[kind] = np.where(answered & (tau < spells["spell_end"][spell]), tau, np.inf)
    return found


def _draw_stays(
    rng: np.random.Generator, lead_class: Array, spells: dict[str, Array]
) -> dict[str, Array]:
    """The stages that a lead goes through, forward and back, until its spell ends or UNTIL."""
    of_spell = lead_class[spells["spell_lead"]]
    end = np.minimum(spells["spell_end"], UNTIL_TAU)
    spell = np.arange(len(end))
    start, stage = spells["spell_start"], (~np.isnan(spells["spell_gap"])).astype(np.int64)
    parts = []
    while len(spell):
        forward, back = (
            np.array(rate)[of_spell[spell]] * _can_move(stage, step) for step, rate in MOVES.items()
        )
        _, left = _whole(start + rng.exponential(1 / (forward + back)))
        step = np.where(rng.random(len(spell)) < forward / (forward + back), 1, -1)
        moves = left < end[spell]
        parts.append(
            (spell, start, np.where(moves, left, spells["spell_end"][spell]), stage, step * moves)
        )
        spell, start, stage = spell[moves], left[moves], (stage + step)[moves]
    names = ("stay_spell", "stay_start", "stay_end", "stay_stage", "stay_step")
    return dict(
        zip(names, (np.concatenate(column) for column in zip(*parts, strict=True)), strict=True)
    )


def _can_move(stage: Array, step: int) -> Array:
    return np.asarray(stage < len(STAGES) - 1 if step > 0 else stage > 1)


@dataclass(frozen=True)
class _Answers:
    """Answers to BANT questions in the order of time: position of the lead, when, which field, the value as text."""

    lead: Array
    seconds: Array
    field: Array
    value: Array


def _answers(rng: np.random.Generator, crowd: Crowd) -> _Answers:
    parts = []
    for field, (_, marks) in ANSWERS.items():
        events = np.flatnonzero(crowd.event_stream == list(STREAMS).index(field))
        mark, seconds = crowd.event_mark[events], crowd.event_s[events]
        if field == "need":
            value = np.array(list(marks))[mark]
        else:
            value = _within(rng, list(marks), mark)
            if field == "timeline":
                value = (seconds // DAY_S + value).astype("datetime64[D]")
        parts.append(
            (
                crowd.spell_lead[crowd.event_spell[events]],
                seconds,
                np.full(len(events), field),
                value.astype(str),
            )
        )
    lead, seconds, asked, value = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(seconds, kind="stable")
    return _Answers(lead[order], seconds[order], asked[order], value[order])


def _answer_columns(crowd: Crowd, answers: _Answers) -> dict[str, Any]:
    return {
        "lead_id": crowd.ids.take(pa.array(answers.lead)),
        "changed_at": _moments(answers.seconds),
        "field": pa.array(answers.field),
        "value": pa.array(answers.value),
    }


def _leads(rng: np.random.Generator, crowd: Crowd, answers: _Answers) -> dict[str, Any]:
    """The leads as a CRM shows them at UNTIL, with the latest answer of each question, and the status."""
    n = len(crowd.ids)
    countries = np.array([country for of_team in TERRITORIES.values() for country in of_team])
    of_team = {country: team for team, countries in TERRITORIES.items() for country in countries}
    country = countries[rng.integers(0, len(countries), n)]
    team = np.array([list(TERRITORIES).index(of_team[name]) for name in country])
    rep = team * REPS_A_TEAM + rng.integers(0, REPS_A_TEAM, n)
    names = [np.array(part)[rng.integers(0, len(part), n)] for part in COMPANIES]
    title = np.full(n, "", dtype=object)
    for code, level in enumerate(ATTRIBUTES["title"]):
        mine = crowd.codes["title"] == code
        title[mine] = np.array(TITLES[level], dtype=object)[
            rng.integers(0, len(TITLES[level]), mine.sum())
        ]
    status = np.full(n, "Open", dtype=object)
    closed = crowd.spell_end_s < UNTIL_S
    status[crowd.spell_lead] = np.where(closed, np.where(crowd.spell_won, "Won", "Lost"), "Open")
    columns = {
        "lead_id": crowd.ids,
        "created_at": _moments(crowd.created_s),
        "company": pa.array([f"{a}{b} {c}" for a, b, c in zip(*names, strict=True)]),
        "country": pa.array(country),
        "industry": pa.array(np.array(list(ATTRIBUTES["industry"]))[crowd.codes["industry"]]),
        "employees": pa.array(
            _within(rng, list(ATTRIBUTES["employees"]), crowd.codes["employees"])
        ),
        "source": pa.array(np.array(list(ATTRIBUTES["source"]))[crowd.codes["source"]]),
        "job_title": pa.array(title, pa.string()),
        "amount": pa.array(_within(rng, list(ATTRIBUTES["amount"]), crowd.codes["amount"])),
        "currency": pa.array(np.full(n, "EUR")),
        "owner_id": pa.array([f"R{i + 1:02d}" for i in rep]),
        "status": pa.array(status, pa.string()),
    }
    for field in ANSWERS:
        shown = np.full(n, None, dtype=object)
        mine = answers.field == field
        shown[answers.lead[mine]] = answers.value[mine]  # of several the last one stays
        columns[field] = pa.array(shown, pa.string())
    return columns


def _activities(rng: np.random.Generator, crowd: Crowd) -> dict[str, Any]:
    """A row an activity: a visit has one a page; e-mails are opened and answered by people, and opened by scanners."""
    k, codes = len(crowd.event_s), {kind: code for code, kind in enumerate(STREAMS)}
    pages = np.ones(k, dtype=np.int64)
    for kind, (_, marks) in ACTIVITIES.items():
        mine = crowd.event_stream == codes[kind]
        pages[mine] = np.array([int(mark) for mark in marks])[crowd.event_mark[mine]]
    pages[crowd.event_stream >= len(ACTIVITIES)] = 0  # answers are no activities
    event = np.repeat(np.arange(k), pages)
    page = np.arange(len(event)) - np.searchsorted(event, event)
    parts = [
        (
            event,
            crowd.event_stream[event],
            crowd.event_s[event] + page * rng.integers(5, 90, k)[event],
        )
    ]
    kinds = [*STREAMS, *RESPONSES, "scanner"]
    for kind, tau in crowd.responses.items():
        came = np.flatnonzero(tau < UNTIL_TAU)
        parts.append((came, np.full(len(came), kinds.index(kind)), _to_seconds(tau[came])))
    scanned = np.flatnonzero((crowd.event_stream == E_MAIL) & (rng.random(k) < SCANNERS))
    seconds = crowd.event_s[scanned] + rng.integers(1, 4, len(scanned))
    parts.append((scanned, np.full(len(scanned), kinds.index("scanner")), seconds))
    event, code, seconds = (np.concatenate(column) for column in zip(*parts, strict=True))
    duration = np.zeros(k, dtype=np.int64)
    for kind, (least, most) in SECONDS.items():
        duration = np.where(
            crowd.event_stream == codes[kind], rng.integers(least, most, k), duration
        )
    duration = np.where(code < len(STREAMS), duration[event], 0)
    order = np.lexsort((event, code, seconds))
    event, code, seconds, duration = event[order], code[order], seconds[order], duration[order]
    shown = np.array(["email_open" if kind == "scanner" else kind for kind in kinds])
    actors = np.array(
        ["system" if kind == "scanner" else "rep" if kind in BY_REP else "lead" for kind in kinds]
    )
    return {
        "lead_id": crowd.ids.take(pa.array(crowd.spell_lead[crowd.event_spell[event]])),
        "at": _moments(seconds),
        "type": pa.array(shown[code]),
        "actor": pa.array(actors[code]),
        "duration_s": pa.array(duration, mask=duration == 0),
        "thread": pa.array(
            event
        ),  # the rows of one visit, or of one e-mail; other leads may have the number too
    }


def _stages(crowd: Crowd) -> dict[str, Any]:
    closed = np.flatnonzero(crowd.spell_end_s < UNTIL_S)
    seconds = np.concatenate([_to_seconds(crowd.stay_start), crowd.spell_end_s[closed]])
    lead = np.concatenate([crowd.spell_lead[crowd.stay_spell], crowd.spell_lead[closed]])
    ends = np.where(crowd.spell_won[closed], "Closed won", "Closed lost")
    stage = np.concatenate([np.array(STAGES)[crowd.stay_stage], ends])
    order = np.lexsort((lead, seconds))
    return {
        "lead_id": crowd.ids.take(pa.array(lead[order])),
        "entered_at": _moments(seconds[order]),
        "stage": pa.array(stage[order]),
    }


def _outcomes(rng: np.random.Generator, crowd: Crowd, amount: Array) -> dict[str, Any]:
    closed = np.flatnonzero(crowd.spell_end_s < UNTIL_S)
    closed = closed[np.argsort(crowd.spell_end_s[closed], kind="stable")]
    won, lead = crowd.spell_won[closed], crowd.spell_lead[closed]
    paid = np.round(amount[lead] * rng.uniform(0.8, 1.05, len(closed))).astype(np.int64)
    return {
        "lead_id": crowd.ids.take(pa.array(lead)),
        "closed_at": _moments(crowd.spell_end_s[closed]),
        "outcome": pa.array(np.where(won, "won", "lost")),
        "amount": pa.array(paid, mask=~won),
        "currency": pa.array(np.full(len(closed), "EUR"), mask=~won),
        "reason": pa.array(np.array(REASONS)[rng.integers(0, len(REASONS), len(closed))], mask=won),
    }


def _reps() -> pa.Table:
    teams = [team for team in TERRITORIES for _ in range(REPS_A_TEAM)]
    columns = {
        "rep_id": [f"R{i + 1:02d}" for i in range(len(REPS))],
        "name": list(REPS),
        "team": teams,
        "territories": [";".join(TERRITORIES[team]) for team in teams],
        "capacity": [(12, 10, 8)[i % REPS_A_TEAM] for i in range(len(REPS))],
    }
    return pa.table(columns)


def _log_prior(created_s: Array) -> Array:
    """Log of each class's share among the leads that arrive at a time (n, 4)."""
    years = (created_s - START_S) / (365.25 * DAY_S)
    log_share = np.log(SHARE) + years[:, None] * np.array(DRIFT)
    return np.asarray(log_share - np.log(np.exp(log_share).sum(axis=1, keepdims=True)))


def _choose(rng: np.random.Generator, share: Array) -> Array:
    """A position in each row of `share` (n, choices), drawn by its shares."""
    return np.asarray(
        (rng.random(len(share))[:, None] > np.cumsum(share, axis=1)[:, :-1]).sum(axis=1)
    )


def _within(rng: np.random.Generator, ranges: list[str], code: Array) -> Array:
    """A whole number (n,) from the range, such as "5-30", that each code names."""
    bounds = np.array([[int(bound) for bound in text.split("-")] for text in ranges])
    return np.asarray(rng.integers(bounds[code, 0], bounds[code, 1] + 1))


def _sums(lead: Array, values: Array, n: int) -> Array:
    """Sums by lead: (k,) gives (n, 1), (k, 4) gives (n, 4)."""
    columns = values[:, None] if values.ndim == 1 else values
    return np.column_stack([np.bincount(lead, weights=column, minlength=n) for column in columns.T])


@cache
def _clock() -> tuple[Array, Array]:
    """Knots (UTC seconds, tau) of working time; wide enough for all that comes after UNTIL."""
    days = np.arange(START, START + 12_000)
    month, of_year = days.astype("datetime64[M]").astype(int) % 12 + 1, days.astype("datetime64[Y]")
    weekday = (days.astype(int) + 3) % 7
    day = (days - of_year).astype(int)
    speed = np.where(weekday >= 5, 0.10, 1.0)
    speed = speed * np.where(month == 8, 0.75, 1.0) * np.where((day >= 355) | (day < 3), 0.4, 1.0)
    quarter_end = days + 10 >= (days.astype("datetime64[M]") + 1).astype("datetime64[D]")
    speed = speed * np.where(quarter_end & (month % 3 == 0), 1.15, 1.0)
    midnight = days.astype("datetime64[s]").astype(np.int64)
    seconds = np.column_stack([midnight + 8 * 3600, midnight + 18 * 3600]).ravel()
    total = np.cumsum(speed)
    tau = np.column_stack(
        [np.append(0, total[:-1]), total]
    ).ravel()  # a night is one tau, to the last bit
    return seconds.astype(np.float64), tau


def _to_tau(seconds: Array) -> Array:
    return np.asarray(np.interp(seconds, *_clock()))


def _to_seconds(tau: Array) -> Array:
    seconds, knots = _clock()
    return np.asarray(np.floor(np.interp(tau, knots, seconds) + 1e-3).astype(np.int64))


def _whole(tau: Array) -> tuple[Array, Array]:
    """The whole second that an export shows of a time, and its tau."""
    seconds = _to_seconds(tau)
    return seconds, _to_tau(seconds)


def _moments(seconds: Array) -> pa.Array:
    return pa.array(seconds.astype("datetime64[s]"), pa.timestamp("s", tz="UTC"))


START_TAU, UNTIL_TAU = (float(_to_tau(np.array(seconds))) for seconds in (START_S, UNTIL_S))
