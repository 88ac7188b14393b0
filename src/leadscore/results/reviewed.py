"""What has to be done about a model: train again, or go back to the one before."""

from __future__ import annotations

from pydantic import Field

from leadscore.results.base import Interval, Result
from leadscore.results.monitor import Monitored


class RetrainingDue(Result):
    """Whether it is time to train again, and why, or why not."""

    due: bool
    why: str


class RollbackDecision(Result):
    """Whether the champion has to give way to the one before it.

    Attributes:
        rolled_back: whether it has.
        why: the reason.
        broken: limits that its settled lists break, in words.
        gain: log loss of the champion less that of the one before, in nats, on the same leads.
    """

    rolled_back: bool
    why: str
    broken: list[str] = Field(default_factory=list)
    gain: Interval | None = None


class Reviewed(Result):
    """The settled lists, whether training is due, and what was decided about the champion."""

    monitored: Monitored
    retraining: RetrainingDue
    rollback: RollbackDecision
