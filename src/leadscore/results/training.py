"""Trainings, decisions about them, and the versions in the registry."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from leadscore.results.base import Interval, Result
from leadscore.results.evaluation import Evaluation


class SegmentEvidence(Result):
    """What the challenger gains in a segment; None where its leads are too few to tell."""

    segment: str
    leads: int
    gain: Interval | None


class CalibrationErrors(Result):
    """The calibration error of either recipe, and the challenger's less the champion's."""

    champion: Interval
    challenger: Interval
    difference: Interval


class PromotionEvidence(Result):
    """How a champion's and a challenger's recipe did on the same later leads, `judged_on`.

    `gain` is the champion's log loss less the challenger's; above 0 the challenger is better.
    `overlap` counts the leads that stay in the first tenth of the list. `broken` names the limits of
    calibration that the challenger breaks; `champion_beyond` says whether the champion's estimates
    are beyond them, too. `bias` is the mean probability of either less the win rate. `alarm` is when
    published lists raised a calibration alarm since the recipes' moment; it is looked up only
    where a limit is broken.
    """

    judged_on: str
    leads: int
    won: int
    older: bool
    alike: bool
    simpler: bool
    scorers: dict[str, str]
    log_loss: dict[str, float | None]
    gain: Interval
    segments: list[SegmentEvidence]
    calibration: CalibrationErrors
    broken: list[str]
    champion_beyond: bool = False
    bias: dict[str, Interval] = Field(default_factory=dict)
    alarm: str | None = None
    overlap: dict[str, int] | None = None


class Promotion(Result):
    """Whether a model may score, why, and the numbers that decided it.

    `against` is the version of the champion that it was compared with.
    """

    promoted: bool
    why: str
    evidence: PromotionEvidence | None = None
    against: str | None = None


class Version(Result):
    """A version in the registry."""

    number: int
    version: str
    run_id: str
    known_until: str
    aliases: list[str]


class Trained(Result):
    """A training, written to a folder: its evaluation, and whether it may score."""

    project: str
    model_version: str | None
    no_signal: str | None
    folder: str
    card: str
    promotion: Promotion
    store_version: str
    evaluation: Evaluation


class Registered(Result):
    """What became of a training in the registry, and which version scores."""

    registered: Version | None
    champion: Version | None
    registered_model: str
    tracking_uri: str


class EvaluatedVersion(Version):
    """A version with its evaluation."""

    evaluation: Evaluation


class Shown(Result):
    """Versions side by side."""

    versions: list[EvaluatedVersion]


class Compared(Shown):
    """Two versions side by side, and what would be decided of the second."""

    promotion: Promotion


class Move(Result):
    """An alias that was moved: when, from and to which version, by whom and why."""

    at: str
    alias: str
    was: str | int | None
    now: str | int
    by: str
    why: str


class Versions(Result):
    """All versions of a registered model, and the moves of its aliases."""

    registered_model: str
    versions: list[Version]
    moves: list[Move]


class Moved(Version):
    """The version that scores now, the one that did before, and in what they differ."""

    was: Version | None = None
    changes: dict[str, list[Any]] = Field(default_factory=dict)
