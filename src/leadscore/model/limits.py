"""The limits of calibration that the settings put on a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.settings.model import ModelSettings

JsonEstimate = Mapping[str, float | None]  # value, low and high; None for what is unknown


def find_broken_limits(metrics: Mapping[str, Any], limits: ModelSettings) -> list[str]:
    """The limits that are broken, in words: those that the whole 95 % interval is beyond.

    An unknown interval breaks its limit.

    Args:
        metrics: estimates as JSON by name; calibration_error and bias count.
        limits: the settings.
    """
    broken = []
    error = metrics.get("calibration_error")
    if error and _exceeds(error, limits.max_calibration_error):
        allowed = f"at most {limits.max_calibration_error:g} is allowed"
        broken.append(f"calibration error {format_estimate(error)}, {allowed}")

    bias = metrics.get("bias")
    if bias and (_exceeds(bias, limits.max_bias) or _exceeds(_negated(bias), limits.max_bias)):
        allowed = f"at most {limits.max_bias:g} either way"
        broken.append(f"mean probability less win rate {format_estimate(bias)}, {allowed}")
    return broken


def _exceeds(estimate: JsonEstimate, limit: float) -> bool:
    low = estimate["low"]
    return low is None or low > limit


def _negated(estimate: JsonEstimate) -> JsonEstimate:
    """The interval of the opposite number."""
    high = estimate["high"]
    return {"low": None if high is None else -high}


def format_estimate(estimate: JsonEstimate, digits: int = 3) -> str:
    """An estimate with its interval, "?" for what is unknown.

    >>> format_estimate({"value": 0.51, "low": 0.4, "high": None}, 2)
    '0.51 (0.40 to ?)'
    """

    def text(key: str) -> str:
        number = estimate[key]
        return "?" if number is None else f"{number:.{digits}f}"

    return f"{text('value')} ({text('low')} to {text('high')})"
