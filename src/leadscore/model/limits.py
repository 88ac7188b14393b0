"""The limits of calibration that the settings put on a model."""

from __future__ import annotations

from leadscore.results import Interval
from leadscore.settings.model import ModelSettings


def find_broken_limits(error: Interval, bias: Interval, limits: ModelSettings) -> dict[str, str]:
    """The limits that are broken, by name, in words: those that the whole 95% interval is beyond.

    An unknown interval breaks its limit.

    Args:
        error: the calibration error.
        bias: the mean probability less the win rate.
        limits: the settings.
    """
    broken = {}
    if _may_exceed(error.low, limits.max_calibration_error):
        allowed = f"at most {limits.max_calibration_error:g} is allowed"
        broken["max_calibration_error"] = f"calibration error {format_interval(error)}, {allowed}"

    least_shortfall = None if bias.high is None else -bias.high
    is_too_high = _may_exceed(bias.low, limits.max_bias)
    is_too_low = _may_exceed(least_shortfall, limits.max_bias)
    if is_too_high or is_too_low:
        allowed = f"at most {limits.max_bias:g} either way"
        words = f"mean probability less win rate {format_interval(bias)}, {allowed}"
        broken["max_bias"] = words
    return broken


def _may_exceed(low: float | None, limit: float) -> bool:
    """Whether an interval from `low` on lies beyond the limit, or is unknown."""
    return low is None or low > limit


def format_interval(interval: Interval, digits: int = 3) -> str:
    """A number with its interval, "?" for what is unknown.

    >>> format_interval(Interval(value=0.51, low=0.4), 2)
    '0.51 (0.40 to ?)'
    """

    def text(number: float | None) -> str:
        return "?" if number is None else f"{number:.{digits}f}"

    return f"{text(interval.value)} ({text(interval.low)} to {text(interval.high)})"
