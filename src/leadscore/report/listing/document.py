"""The leads as the script of the page reads them: columns of JSON, compressed, in letters only.

The letters are those of base64, so that no text of a lead can end the element that holds them.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any

from leadscore.report.listing.contents import TIMELINES, WATERFALLS, ListContents, PastList
from leadscore.report.listing.leads import ListedLead, Reason
from leadscore.report.listing.texts import clean
from leadscore.scoring.timeline import Happening
from leadscore.scoring.waterfall import Waterfall

NUMBERS = ("win", "score", "value", "amount", "move", "trend")
FLAGS = ("is_estimated", "is_new")
TEXTS = (
    "lead_id",
    "name",
    "own_name",
    "company",
    "contact",
    "email",
    "email_link",
    "phone",
    "phone_link",
    "url",
    "percent",
    "interval",
    "tier",
    "change",
    "stage",
    "rep",
    "route_reason",
    "action",
    "qualification",
    "rule",
    "override",
    "question",
)
LIFTING, LOWERING = "All else for it", "All else against it"
RECENT = "Recent win rate, the same for all leads"
LAST_LISTS = 8  # of which the page shows the scores


class TextTable:
    """Texts by number, so that what many leads share is written once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of a text, a new one the first time."""
        return self._numbers.setdefault(text, len(self._numbers))

    def texts(self) -> list[str]:
        """All texts, by number."""
        return list(self._numbers)


def encode_leads(contents: ListContents, leads: Sequence[ListedLead]) -> str:
    """The leads as base64 of zlib of JSON; the same leads give the same text."""
    table = TextTable()
    lead_ids = contents.scores["lead_id"].to_pylist()
    columns: dict[str, list[Any]] = {}
    for name in NUMBERS:
        columns[name] = [getattr(lead, name) for lead in leads]
    for name in TEXTS:
        columns[name] = [table.number(getattr(lead, name)) for lead in leads]
    for name in FLAGS:
        columns[name] = [int(getattr(lead, name)) for lead in leads]
    columns["answers"] = [_number_all(table, lead.answers) for lead in leads]
    columns["reasons_up"] = [_number_reasons(table, lead.reasons_up) for lead in leads]
    columns["reasons_down"] = [_number_reasons(table, lead.reasons_down) for lead in leads]
    columns["waterfall"] = [
        _number_waterfall(table, contents.waterfalls.get(lead_id), win=lead.win)
        for lead_id, lead in zip(lead_ids, leads, strict=True)
    ]
    columns["timeline"] = [
        _number_timeline(table, contents.timelines.get(lead_id, ())) for lead_id in lead_ids
    ]
    document = {
        "columns": columns,
        "first": {
            "waterfall": WATERFALLS if contents.waterfalls else 0,
            "timeline": TIMELINES if contents.timelines else 0,
        },
        "history": _build_history(contents),
        "texts": table.texts(),
    }
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    compressed = zlib.compress(text.encode(), level=9)
    return base64.b64encode(compressed).decode()


def _number_all(table: TextTable, texts: Sequence[str]) -> list[int]:
    return [table.number(text) for text in texts if text]


def _number_reasons(table: TextTable, reasons: Sequence[Reason]) -> list[int]:
    """Two numbers a reason: its words, and its evidence."""
    numbers = []
    for reason in reasons:
        numbers += [table.number(reason.words), table.number(reason.evidence)]
    return numbers


def _number_waterfall(table: TextTable, waterfall: Waterfall | None, *, win: float) -> list[int]:
    """The start in tenths of a point, then two numbers a part: its words, and its tenths.

    The strongest part comes first, the sums of all others last. They take what rounding leaves, so
    that start and parts add up to `win` exactly.
    """
    if waterfall is None:
        return []
    start = round(10 * waterfall.start)
    recent = round(10 * waterfall.recent)
    named = [(clean(part.words), round(10 * part.points)) for part in waterfall.parts]
    named.append((RECENT, recent))
    named.sort(key=_strength, reverse=True)
    total = sum(tenths for _, tenths in named)
    others = round(10 * win) - start - total
    lowering = min(round(10 * waterfall.others_lowering), others)

    numbers = [start]
    for words, tenths in (*named, (LIFTING, others - lowering), (LOWERING, lowering)):
        if tenths:
            numbers += [table.number(words), tenths]
    return numbers


def _strength(part: tuple[str, int]) -> int:
    """The size of a part, whichever way it moves the probability."""
    return abs(part[1])


def _number_timeline(table: TextTable, timeline: Sequence[Happening]) -> list[int]:
    """Two numbers a happening: when, and what."""
    numbers = []
    for happening in timeline:
        numbers += [table.number(happening.when), table.number(clean(happening.what))]
    return numbers


def _build_history(contents: ListContents) -> list[dict[str, Any]]:
    """The last lists, the oldest first: percent and tier of the leads of today, null where one was not listed."""
    lead_ids = contents.scores["lead_id"].to_pylist()
    past = contents.past[-LAST_LISTS:]
    return [_describe_past(listed, lead_ids) for listed in past]


def _describe_past(past: PastList, lead_ids: Sequence[str]) -> dict[str, Any]:
    wins: list[float | None] = []
    for lead_id in lead_ids:
        probability = past.probabilities.get(lead_id)
        wins.append(None if probability is None else round(100 * probability, 1))
    tiers = "".join(past.tiers.get(lead_id, "-") for lead_id in lead_ids)
    return {"day": past.as_of[:10], "win": wins, "tier": tiers}
