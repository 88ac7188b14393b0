"""Whether a new model replaces the champion: only by evidence on leads that neither has seen.

What is compared is not the models as they were trained but their recipes: the champion's way of
learning and the challenger's, both followed as of one past moment and evaluated on the leads that
were open after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from leadscore.evaluation.intervals import Estimate
from leadscore.model.signal import MIN_EVALUATED
from leadscore.results import Promotion
from leadscore.validation.evidence import Evidence

Z = 1.96  # standard errors from the middle of a 95% interval to its end


@dataclass(frozen=True)
class PromotionDecision:
    """The decision, why, and the evidence; None if there was no champion to compare with."""

    promoted: bool
    why: str
    evidence: Evidence | None = None

    def summarise(self) -> Promotion:
        """The decision as a result."""
        return Promotion(
            promoted=self.promoted,
            why=self.why,
            evidence=self.evidence.summarise() if self.evidence else None,
        )


def decide_promotion(evidence: Evidence) -> PromotionDecision:
    """Whether the challenger replaces the champion.

    What is missing or not a number speaks against it. So does a limit of calibration that it
    breaks, unless published lists have raised a calibration alarm since the moment as of which
    the recipes were followed, and the champion's estimates are beyond the limit, too: then both
    recipes are evaluated on leads of a world that neither had seen, and refusing keeps a champion
    that is known to be off, and that has seen less of it.
    """
    objections = list(_find_objections(evidence))
    if objections:
        return PromotionDecision(False, "; ".join(objections), evidence)
    gain = evidence.gain
    is_no_gain = (gain.low, gain.high) == (0, 0)
    if evidence.alike and is_no_gain:
        promoted, why = True, "the identical recipe, on newer data"
    else:
        promoted, why = _weigh_gain(evidence)
        numbers = f"{gain.value:.4f} ({gain.low:.4f} to {gain.high:.4f})"
        why = f"{why}: log loss lower by {numbers} on {evidence.leads:,} later leads"
    if evidence.broken:
        why = f"{why}; {_describe_shared(evidence)}"
    return PromotionDecision(promoted, why, evidence)


def _weigh_gain(evidence: Evidence) -> tuple[bool, str]:
    """Whether the gain in log loss is enough, and why."""
    gain = evidence.gain
    if gain.high < 0:
        return False, "worse"
    if gain.low > 0:
        return True, "better"
    if evidence.alike:
        return True, "the same recipe on newer data, and not clearly worse"
    one_error = (gain.high - gain.low) / (2 * Z)
    if evidence.simpler and gain.value >= -one_error:  # as `choose_simplest` chooses
        return True, "simpler, and not clearly worse"
    return False, "not clearly better"


def _find_objections(evidence: Evidence) -> Iterator[str]:
    """Yield what speaks against a challenger, however much better it may be."""
    won = evidence.won
    others = evidence.leads - won
    if min(won, others) < MIN_EVALUATED:
        yield (
            f"only {won} won and {others} other leads could evaluate it; at least {MIN_EVALUATED} "
            "of each are needed"
        )
    if evidence.older:
        yield "it was fitted to less history than the champion"
    if not _are_numbers(evidence):
        yield "a number needed for the decision could not be computed"
    if evidence.broken and not _is_shared(evidence):
        yield _describe_broken(evidence.broken)
    yield from _find_worse_segments(evidence)

    difference = evidence.calibration["difference"]
    if difference.low > 0:
        interval = f"({difference.low:.3f} to {difference.high:.3f})"
        yield (
            "its probabilities are clearly less well calibrated: calibration error higher by "
            f"{difference.value:.3f} {interval}"
        )


def _is_shared(evidence: Evidence) -> bool:
    """Whether win rates have changed, by an alarm, and the champion is beyond the broken limits, too.

    A challenger that is clearly worse by log loss or calibration error is refused for that.
    """
    return evidence.alarm is not None and evidence.champion_beyond


def _describe_shared(evidence: Evidence) -> str:
    broken = "; ".join(evidence.broken)
    return (
        f"it breaks limits of calibration ({broken}), but the champion is beyond them, too: win rates "
        f"have changed, and published lists raised a calibration alarm on {evidence.alarm}"
    )


def _find_worse_segments(evidence: Evidence) -> Iterator[str]:
    for segment in evidence.segments:
        gain = segment.gain
        if gain is None or not gain.high < 0:
            continue
        yield (
            f"clearly worse in the segment {segment.segment}: log loss higher by {-gain.value:.4f} "
            f"({-gain.high:.4f} to {-gain.low:.4f}) on {segment.leads:,} leads"
        )


def _are_numbers(evidence: Evidence) -> bool:
    """Whether all that the decision rests on could be computed."""
    of_segments = [segment.gain for segment in evidence.segments]
    stated = [evidence.gain, *of_segments]
    gains = [gain for gain in stated if gain is not None]
    estimates: list[Estimate] = [
        *gains,
        *evidence.calibration.values(),
        *evidence.bias.values(),
    ]
    numbers = list(evidence.log_loss.values())
    for estimate in estimates:
        numbers += [estimate.value, estimate.low, estimate.high]
    return bool(np.isfinite(numbers).all())


def _describe_broken(broken: Sequence[str]) -> str:
    return "its calibration breaks the limits of the settings: " + "; ".join(broken)


def decide_first(
    broken: Sequence[str],
    *,
    is_evaluated: bool,
    ranks: bool = True,
) -> PromotionDecision:
    """Whether a first model may score; `hold_unproven` then asks whether it beats the base rate.

    Args:
        broken: limits of calibration that it breaks.
        is_evaluated: whether closed leads could evaluate it; a scorecard that none could may score
            too, since it says what the settings say.
        ranks: whether it ranks the open leads at all.
    """
    if not ranks:
        return PromotionDecision(
            False,
            "nothing ranks the leads: there is too little history to learn from, and the "
            "scorecard gives all leads the same points; ingest more closed leads and train again, "
            "or state points under [scorecard]",
        )
    if not is_evaluated:
        return PromotionDecision(
            True,
            "no champion yet; the scorecard of the settings scores until there are closed leads "
            "to evaluate it on",
        )
    if broken:
        return PromotionDecision(False, _describe_broken(broken))
    return PromotionDecision(True, "the first champion; it predicts better than the base rate")


def hold_unproven(promotion: PromotionDecision, unproven: str | None) -> PromotionDecision:
    """The decision, but nothing is promoted that is not proven to beat the base rate."""
    if unproven is None:
        return promotion
    why = unproven if promotion.promoted else f"{unproven}; {promotion.why}"
    return replace(promotion, promoted=False, why=why)
