"""The values of a published list that a target can hold: columns of the scores, and some made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from leadscore.publish.publication import Publication, read_as_of
from leadscore.times import DAY_US

ValueType = Literal["number", "money", "text", "sentence", "moment", "flag"]
PERCENT = 100.0
USUAL_RATES = 10.0  # a point of a probability is about a tenth of what wins are worth on average
SCORED = "scored"
CLEARED = "cleared"


@dataclass(frozen=True)
class Column:
    """A value of a lead.

    Attributes:
        type: what it is; a sentence may be cut.
        meaning: for the list of fields to create.
        decimals: of a number, as it is published.
        range: of a number, which the tolerance is a share of; of money, a factor of its size.
        is_compared: whether a changed value is written again; dates change with every list.
    """

    type: ValueType
    meaning: str
    decimals: int = 0
    range: float = 1.0
    is_compared: bool = True


def _share(meaning: str) -> Column:
    return Column("number", meaning, decimals=4)


def _reasons() -> dict[str, Column]:
    sides = {"up": "for", "down": "against"}
    return {
        f"reason_{side}_{place}": Column("sentence", f"reason {word} the lead, number {place}")
        for side, word in sides.items()
        for place in (1, 2, 3)
    }


COLUMNS: dict[str, Column] = {
    "as_of": Column("moment", "date and time as of which the lead was scored", is_compared=False),
    "win_probability": _share("probability of a win within the horizon, 0 to 1"),
    "win_percent": Column(
        "number", "probability of a win within the horizon, in percent", 2, PERCENT
    ),
    "probability_low": _share("lower end of the 95% interval of the probability of a win"),
    "probability_high": _share("upper end of the 95% interval of the probability of a win"),
    "score": Column("number", "percentile among comparable past leads, 0 to 100", 1, PERCENT),
    "tier": Column("text", "A, B, C or D"),
    "amount": Column("money", "what a win would bring", decimals=2),
    "amount_estimated": Column("flag", "whether the amount of a win is an estimate"),
    "expected_value": Column(
        "money", "probability of a win times what a win would bring", 2, USUAL_RATES
    ),
    "qualification": Column("text", "sales_qualified, needs_answers, nurture or disqualified"),
    "qualification_rule": Column("sentence", "the rule that decided the qualification"),
    "override": Column("sentence", "a decision made by hand"),
    "next_question": Column("sentence", "the missing BANT answer to ask for"),
    "next_question_gain": _share("how likely an answer to the next question changes what to do"),
    "suggested_action": Column("sentence", "what to do next"),
    **_reasons(),
    "reasons": Column("sentence", "all reasons in one text"),
    "change": Column("sentence", "why the probability of a win changed since the previous list"),
    "change_points": Column(
        "number", "by how many percentage points the probability of a win changed", 1, PERCENT
    ),
    "trend": Column(
        "text", "trend of the probability: improving, steady, declining or no comparison"
    ),
    "log_odds": Column("number", "log-odds before calibration", decimals=4, range=10.0),
    "rep_id": Column("text", "the rep who should call"),
    "route_reason": Column("sentence", "why the lead was assigned to the rep"),
    "exploration_probability": _share("probability of being drawn for exploration"),
    "score_valid_until": Column("moment", "until when the score may be trusted", is_compared=False),
    "publication_id": Column("text", "the list that the score is from", is_compared=False),
    "status": Column("text", "scored, or cleared where the lead left the list"),
}


def derive_columns(
    publication: Publication,
    scores: pa.Table,
    *,
    valid_days: float,
) -> dict[str, list[Any]]:
    """Every value of a list by column; moments in UTC microseconds, None without dates."""
    n = scores.num_rows
    values: dict[str, list[Any]] = {
        name: scores[name].to_pylist()
        for name in scores.schema.names
        if name in COLUMNS and COLUMNS[name].type != "moment"
    }
    as_of_us = read_as_of(publication.manifest)
    until_us = None if as_of_us is None else as_of_us + round(valid_days * DAY_US)
    values["as_of"] = [as_of_us] * n
    values["score_valid_until"] = [until_us] * n
    values["publication_id"] = [publication.id] * n
    values["status"] = [SCORED] * n
    values["win_percent"] = [PERCENT * value for value in values["win_probability"]]
    values["reasons"] = [_join_reasons(values, row) for row in range(n)]
    return values


def _join_reasons(values: Mapping[str, Sequence[Any]], row: int) -> str:
    """All reasons of a lead as "For: ...; .... Against: ..."."""
    parts = []
    for side, word in (("up", "For"), ("down", "Against")):
        columns = [values[f"reason_{side}_{place}"] for place in (1, 2, 3)]
        texts = [column[row] for column in columns if column[row]]
        if texts:
            parts.append(f"{word}: {'; '.join(texts)}")
    return ". ".join(parts)
