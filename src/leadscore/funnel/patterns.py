"""What won leads have in common that others have not, beyond chance."""

from __future__ import annotations

from collections.abc import Sequence

from scipy.stats import false_discovery_control

from leadscore.funnel.comparing import compare_shares, subtract_ends
from leadscore.funnel.competing import HOURS, Ends, estimate_shares, share_and_error
from leadscore.funnel.early import Segment
from leadscore.funnel.landmark import share_won
from leadscore.results.losses import Pattern


def describe_patterns(
    followed: Ends,
    segments: Sequence[Segment],
    *,
    within_days: float,
) -> list[Pattern]:
    """The difference that each segment goes with, the clearest first.

    Segments that too few leads are in, or too few are not in, are left out. All are tested, and
    their p-values adjusted together (Benjamini and Hochberg 1995).

    Args:
        followed: all leads, from the day on from which they are followed.
        segments: of them.
        within_days: in which wins count, from that day.
    """
    hours = within_days * HOURS
    if share_won(followed, hours).value is None:
        return []
    share, _ = share_and_error(estimate_shares(followed), "won", hours)
    patterns = []
    for segment in segments:
        pattern = _compare(segment, followed, within_days, share=share)
        if pattern is not None:
            patterns.append(pattern)
    return _adjust(patterns)


def _compare(
    segment: Segment,
    followed: Ends,
    within_days: float,
    *,
    share: float,
) -> Pattern | None:
    """The two shares won and the test of their difference; None if either rests on too few."""
    hours = within_days * HOURS
    others = subtract_ends(followed, segment.ends)
    won = share_won(segment.ends, hours)
    rest = share_won(others, hours)
    if won.value is None or rest.value is None:
        return None
    p_value = compare_shares(segment.ends, others, "won", hours=hours)
    if p_value is None:
        return None
    return Pattern(
        field=segment.field,
        value=segment.value,
        leads=segment.ends.count(),
        within_days=within_days,
        won=won,
        others=rest,
        lift=won.value / share,
        p_value=p_value,
        adjusted=p_value,
    )


def _adjust(patterns: list[Pattern]) -> list[Pattern]:
    """The patterns with adjusted p-values, the clearest first."""
    if not patterns:
        return []
    adjusted = false_discovery_control([pattern.p_value for pattern in patterns])
    updated = [
        pattern.model_copy(update={"adjusted": float(p_value)})
        for pattern, p_value in zip(patterns, adjusted, strict=True)
    ]
    return sorted(updated, key=lambda pattern: pattern.p_value)
