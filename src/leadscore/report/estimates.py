"""Metrics with their intervals, in the words and digits of the model card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from leadscore.report.formats import UNKNOWN, format_number, format_share
from leadscore.report.wording import METRICS, PLAIN
from leadscore.results import EvaluatedRows, Interval, Intervals

SHARES = {"capture_10"}  # metrics shown in percent


@dataclass(frozen=True)
class Tile:
    """One of the numbers at the top of the card, and what it means for a sales manager."""

    words: str
    value: str
    interval: str
    plain: str


@dataclass(frozen=True)
class MetricRow:
    """A metric as the card lists it."""

    name: str
    title: str
    sentence: str
    value: str
    interval: str


def build_tiles(metrics: Intervals | None, words: Mapping[str, str]) -> list[Tile]:
    """A tile for every metric that `words` names and that is known; empty without metrics."""
    intervals = metrics.intervals() if metrics else {}
    tiles = []
    for name, text in words.items():
        if name in intervals:
            interval = intervals[name]
            number = _format(name, interval.value)
            tiles.append(Tile(text, number, _bounds(name, interval), PLAIN[name]))
    return tiles


def build_metric_rows(metrics: Intervals | None) -> list[MetricRow]:
    """Every metric: first those that the card explains, in its order, then the others by name."""
    if metrics is None:
        return []
    intervals = metrics.intervals()
    explained = [name for name in METRICS if name in intervals]
    others = [name for name in intervals if name not in METRICS]
    rows = {name: _build_row(name, intervals[name]) for name in explained + others}
    if "auc" in rows and isinstance(metrics, EvaluatedRows):
        auc = rows["auc"]
        sentence = auc.sentence + _lists_left_out(metrics)
        rows["auc"] = replace(auc, sentence=sentence)
    return list(rows.values())


def _build_row(name: str, interval: Interval) -> MetricRow:
    title, sentence = METRICS.get(name, (name, ""))
    value = _format(name, interval.value)
    return MetricRow(name, title, sentence, value, _bounds(name, interval))


def _lists_left_out(rows: EvaluatedRows) -> str:
    """How many lists the AUC leaves out, since all their leads had the same outcome."""
    left_out = rows.auc_blocks_left_out
    if not left_out:
        return ""
    lists = left_out + (rows.auc_blocks or 0)
    lacks, is_ = ("lacks", "is") if left_out == 1 else ("lack", "are")
    return f" {left_out:,} of {lists:,} lists {lacks} one of the two outcomes and {is_} left out."


def _bounds(name: str, interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return UNKNOWN
    return f"{_format(name, interval.low)} to {_format(name, interval.high)}"


def _format(name: str, value: float | None) -> str:
    return format_share(value) if name in SHARES else format_number(value)
