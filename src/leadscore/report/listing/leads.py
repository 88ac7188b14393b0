"""The leads of a list as people read them: names instead of ids, whole numbers, clean text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadscore.report.formats import format_interval, format_percent
from leadscore.report.listing.contents import ListContents, ShownLead
from leadscore.report.listing.texts import clean, clean_link, link_email, link_phone
from leadscore.scoring.change import STEADY
from leadscore.wording import say_action

EVIDENCE = re.compile(r"^(?P<words>.*\S) \((?P<evidence>\d[^()]* similar leads were won[^()]*)\)$")
NEXT_LETTER = re.compile(r"; (?=(?:budget|authority|need|timeline): )")
LONGEST_NAME = 80  # characters
NOBODY = ShownLead()


@dataclass(frozen=True)
class Reason:
    """A reason, and the evidence beside it."""

    words: str
    evidence: str


@dataclass(frozen=True)
class ListedLead:
    """A lead as the report shows it.

    Attributes:
        name: what people call it: its company, else `own_name`, else its id.
        email_link: where the browser writes to, "" unless `email` is a plain address; likewise `phone_link`.
        win: the probability in percent to one decimal; `percent` in whole percent.
        interval: what leads like this have, in whole percent.
        value: in whole units; likewise `amount`.
    """

    rank: int
    lead_id: str
    name: str
    own_name: str
    company: str
    contact: str
    email: str
    email_link: str
    phone: str
    phone_link: str
    url: str
    tier: str
    win: float
    percent: str
    interval: str
    score: int
    value: int | None
    amount: int | None
    is_estimated: bool
    change_points: float | None
    change: str
    is_new: bool
    stage: str
    rep: str
    route_reason: str
    action: str
    qualification: str
    rule: str
    override: str
    question: str
    answers: tuple[str, ...]
    reasons_up: tuple[Reason, ...]
    reasons_down: tuple[Reason, ...]

    @property
    def move(self) -> int | None:
        """The change in whole points; None without a comparison."""
        return None if self.change_points is None else round(self.change_points)

    @property
    def trend(self) -> int:
        """1 for a lead that rose, -1 for one that fell, 0 for others."""
        points = self.change_points or 0.0
        if abs(points) < STEADY:
            return 0
        return 1 if points > 0 else -1

    @property
    def why_changed(self) -> str:
        """The parts of `change`, without the sum that stands beside them."""
        return self.change.partition(": ")[2] or self.change

    @property
    def first_reason(self) -> str:
        """The strongest reason for the lead, else the strongest against it."""
        reasons = (*self.reasons_up, *self.reasons_down)
        return reasons[0].words if reasons else ""


def build_leads(contents: ListContents) -> list[ListedLead]:
    """The leads in the order of the list."""
    rows = contents.scores.drop_columns(["as_of"]).to_pylist()
    return [_build_lead(row, rank, contents) for rank, row in enumerate(rows, start=1)]


def _build_lead(row: Mapping[str, Any], rank: int, contents: ListContents) -> ListedLead:
    lead_id = row["lead_id"]
    shown = contents.shown.get(lead_id, NOBODY)
    rep_id = row.get("rep_id") or ""
    return ListedLead(
        rank=rank,
        lead_id=clean(lead_id),
        name=name_lead(lead_id, contents),
        own_name=clean(shown.name, most=LONGEST_NAME),
        company=clean(shown.company, most=LONGEST_NAME),
        contact=clean(shown.contact, most=LONGEST_NAME),
        email=clean(shown.email, most=LONGEST_NAME),
        email_link=link_email(shown.email),
        phone=clean(shown.phone, most=LONGEST_NAME),
        phone_link=link_phone(shown.phone),
        url=clean_link(shown.url),
        tier=row["tier"],
        win=round(100 * row["win_probability"], 1),
        percent=format_percent(row["win_probability"]),
        interval=format_interval(row["probability_low"], row["probability_high"]),
        score=round(row["score"]),
        value=_whole(row["expected_value"]),
        amount=_whole(row["amount"]),
        is_estimated=row["amount_estimated"],
        change_points=row["change_points"],
        change=clean(row["change"]),
        is_new=contents.is_new(lead_id),
        stage=clean(contents.stages.get(lead_id, "")),
        rep=clean(contents.rep_names.get(rep_id) or rep_id),
        route_reason=clean(row.get("route_reason")),
        action=clean(say_action(row["suggested_action"])),
        qualification=row["qualification"].replace("_", " "),
        rule=clean(row["qualification_rule"]),
        override=clean(row["override"]),
        question=clean(row["next_question"]),
        answers=tuple(clean(answer) for answer in NEXT_LETTER.split(row["bant"])),
        reasons_up=_read_reasons(row, "up"),
        reasons_down=_read_reasons(row, "down"),
    )


def name_lead(lead_id: str, contents: ListContents) -> str:
    """What people call a lead: its company, else its name, else its id."""
    shown = contents.shown.get(lead_id, NOBODY)
    return clean(shown.company or shown.name or lead_id, most=LONGEST_NAME)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _read_reasons(row: Mapping[str, Any], side: str) -> tuple[Reason, ...]:
    texts = [row[f"reason_{side}_{place}"] for place in (1, 2, 3)]
    return tuple(_split_reason(text) for text in texts if text)


def _split_reason(text: str) -> Reason:
    match = EVIDENCE.match(text)
    if match is None:
        return Reason(clean(text), "")
    return Reason(clean(match["words"]), clean(match["evidence"]))
