"""What changed since a model was trained, as part of `Monitored`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from leadscore.results.base import Result

AlarmKind = Literal[
    "values",
    "missing",
    "new values",
    "range",
    "score",
    "volume",
    "freshness",
    "delay",
    "calibration",
]


class Alarm(Result):
    """Something that changed more than chance explains, and enough to matter.

    Attributes:
        kind: which check raised it.
        subject: the feature, the score, or the source of facts.
        what: what changed, in figures.
        since: the date of the list, or the moment, from which on it shows; None if not known.
        sure: how sure it is, in words.
        share: of the score that rests on the subject, from 0 to 1; None where that has no meaning.
        do: what to do.
    """

    kind: AlarmKind
    subject: str
    what: str
    since: str | None
    sure: str
    share: float | None
    do: str


class FeatureDrift(Result):
    """How a feature of the latest list differs from what the model learned from.

    Attributes:
        psi: population stability index over the bins of training.
        p_value: of an index as large, were both drawn from one distribution.
        missing, missing_before: shares without a value.
        new: share of values that training did not know, or knew of few leads; of a category.
        outside: share of known values below or above all of training's; of a number.
        share: of the score that rests on it; None if not known.
    """

    feature: str
    psi: float
    p_value: float
    missing: float
    missing_before: float
    new: float | None = None
    outside: float | None = None
    share: float | None = None


class Freshness(Result):
    """How old the newest fact of a field or kind is.

    Attributes:
        subject: the source of facts, and the field or kind.
        facts: in the last weeks.
        last: when the newest became known.
        age_days: since then.
        longest_days: the longest time between two of them.
        days: from the first of them to the newest.
    """

    subject: str
    facts: int
    last: str
    age_days: float
    longest_days: float
    days: float


class CalibrationTest(Result):
    """A test of calibration that may be looked at after every list.

    Attributes:
        leads: windows of one horizon in which a lead was followed.
        evidence: the e-value: the factor by which a bet against the calibration has grown.
        limit: at which it is an alarm.
        highest: the largest e-value so far, which decides.
        raised: the moment at which the limit was reached; None if it was not.
        since: the date of the lists from which on wins differ most; None without an alarm.
        expected_wins, wins: of those lists, due by now by the probabilities, and real ones.
    """

    leads: int
    evidence: float
    highest: float
    limit: float
    raised: str | None
    since: str | None
    expected_wins: float
    wins: int


class ModelDrift(Result):
    """What changed since the model was trained: alarms first, and all figures beside.

    `compared` is the date of the list whose features were compared; None if none were.
    """

    model_version: str
    compared: str | None
    alarms: list[Alarm]
    calibration: CalibrationTest | None = None
    features: list[FeatureDrift] = Field(default_factory=list)
    freshness: list[Freshness] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
