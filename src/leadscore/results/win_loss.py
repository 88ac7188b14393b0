"""What was won and lost in a period, for a review, as `Project.win_loss` returns it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from pydantic import Field

from leadscore.results.base import Interval, Result, check_table
from leadscore.results.losses import StageLoss

if TYPE_CHECKING:
    import pandas as pd

WinLossTable = Literal["unexpected_losses", "unexpected_wins", "largest_losses", "largest_wins"]


class Closed(Result):
    """Leads that closed one way in a period.

    Attributes:
        leads: how many.
        amount: what they brought, or would have; None where no amounts are known.
        median_days: from coming in to the close; None without leads.
    """

    leads: int
    amount: float | None
    median_days: float | None


class LossReason(Result):
    """Losses of a period for one stated reason, beside the period before; shares with Wilson's interval."""

    reason: str
    leads: int
    share: Interval
    leads_before: int
    share_before: Interval


class HeadlineChange(Result):
    """A headline figure beside that of the period before.

    Attributes:
        name: "won" or "lost", leads; "won_of_closed", a share; "revenue", of wins.
        now, before: in the period, and in the one before.
        p_value: two-sided, if leads close independently of one another.
    """

    name: Literal["won", "lost", "won_of_closed", "revenue"]
    now: float
    before: float
    p_value: float


class ReviewedLead(Result):
    """A closed lead to look at in a review.

    Attributes:
        stage: the last open one; empty where none is known.
        reason: of a loss, as stated; empty for a win.
        amount: that it brought, or would have; None where unknown.
        days: from coming in to the close.
        probability: of a win, in the last list published before the close; None if none had it.
    """

    lead_id: str
    closed: str
    stage: str
    reason: str
    amount: float | None
    days: float
    probability: float | None


class Chances(Result):
    """Chances of a win in the last list before the close, of the leads that closed in a period.

    Attributes:
        usual: the mean.
        good: what is clearly better; a loss from there on is unexpected.
        poor: what is clearly worse; a win up to there is unexpected.
    """

    usual: float
    good: float
    poor: float


class WinLoss(Result):
    """What was won and lost in the days before a moment, beside as many days before them.

    Attributes:
        records_begin: the first lead, where it came in too late for the closes of the period before
            to be all there; else None.
        won, lost: of the period.
        won_before, lost_before: of the one before.
        won_of_closed: the share of closes that are wins. It is no win rate: leads close at unlike
            ages, and open ones are not in it.
        reasons: of losses, the most frequent first.
        losses: of the period, by last stage and reason; they add up to `lost`.
        changes: of the headline figures against the period before.
        listed: closes of the period that a published list had.
        chances: what that list gave them; None if none was listed.
        unexpected_losses: those lost despite a good chance, the best first.
        unexpected_wins: those won with a poor chance, the poorest first.
        largest_losses, largest_wins: by amount.
    """

    project: str
    as_of: str
    since: str
    currency: str | None
    won: Closed
    lost: Closed
    won_before: Closed
    lost_before: Closed
    won_of_closed: Interval
    won_of_closed_before: Interval
    reasons: list[LossReason]
    listed: int
    unexpected_losses: list[ReviewedLead]
    unexpected_wins: list[ReviewedLead]
    largest_losses: list[ReviewedLead]
    largest_wins: list[ReviewedLead]
    records_begin: str | None = None
    losses: list[StageLoss] = Field(default_factory=list)
    changes: list[HeadlineChange] = Field(default_factory=list)
    chances: Chances | None = None

    def to_pandas(self, table: WinLossTable = "largest_losses") -> pd.DataFrame:
        """The leads of one of its lists, a row a lead."""
        import pandas as pd

        check_table(table, get_args(WinLossTable))
        rows = [lead.to_dict() for lead in getattr(self, table)]
        return pd.DataFrame(rows, columns=list(ReviewedLead.model_fields))
