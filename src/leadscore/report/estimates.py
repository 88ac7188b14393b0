"""Metrics with their intervals, in the words and digits of the model card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadscore.report.formats import UNKNOWN, format_number, format_share
from leadscore.report.wording import METRICS

Estimate = Mapping[str, float | None]  # value, low and high
SHARES = {"capture_10"}  # metrics shown in percent


@dataclass(frozen=True)
class Tile:
    """One of the numbers at the top of the card."""

    words: str
    value: str
    interval: str


@dataclass(frozen=True)
class MetricRow:
    """A metric as the card lists it."""

    name: str
    title: str
    sentence: str
    value: str
    interval: str


def build_tiles(estimates: Mapping[str, Any], words: Mapping[str, str]) -> list[Tile]:
    """A tile for every metric that `words` names and that is there."""
    tiles = []
    for name, text in words.items():
        if name in estimates:
            estimate = estimates[name]
            tiles.append(Tile(text, _format(name, estimate["value"]), _interval(name, estimate)))
    return tiles


def build_metric_rows(estimates: Mapping[str, Any]) -> list[MetricRow]:
    """Every estimate: first those that the card explains, in its order, then the others by name."""
    explained = [name for name in METRICS if name in estimates]
    others = [
        name
        for name, value in estimates.items()
        if name not in METRICS and isinstance(value, Mapping)
    ]
    return [_build_row(name, estimates) for name in explained + others]


def _build_row(name: str, estimates: Mapping[str, Any]) -> MetricRow:
    title, sentence = METRICS.get(name, (name, ""))
    if name == "auc":
        sentence += _lists_left_out(estimates)
    estimate = estimates[name]
    value = _format(name, estimate["value"])
    return MetricRow(name, title, sentence, value, _interval(name, estimate))


def _lists_left_out(estimates: Mapping[str, Any]) -> str:
    """How many lists the AUC leaves out, since all their leads had the same outcome."""
    left_out = estimates.get("auc_blocks_left_out", 0)
    if not left_out:
        return ""
    lists = left_out + estimates["auc_blocks"]
    lacks, is_ = ("lacks", "is") if left_out == 1 else ("lack", "are")
    return f" {left_out:,} of {lists:,} lists {lacks} one of the two outcomes and {is_} left out."


def _interval(name: str, estimate: Estimate) -> str:
    low = estimate["low"]
    high = estimate["high"]
    if low is None or high is None:
        return UNKNOWN
    return f"{_format(name, low)} to {_format(name, high)}"


def _format(name: str, value: float | None) -> str:
    return format_share(value) if name in SHARES else format_number(value)
