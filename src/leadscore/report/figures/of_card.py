"""The figures of an evaluation, drawn once for whoever shows or keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadscore.report.figures.evidence import (
    LISTED,
    plot_captured,
    plot_dates,
    plot_learning,
    plot_promised,
)
from leadscore.report.figures.plots import (
    plot_distribution,
    plot_lift,
    plot_maturity,
    plot_precision_recall,
    plot_reliability,
    plot_roc,
)


def build_figures(evaluation: Mapping[str, Any]) -> dict[str, str]:
    """File name -> standalone SVG text, of an evaluation as `fit_model` gives it; the most telling come first.

    There are none of a model that nothing has judged.
    """
    curves, overall = evaluation["curves"], evaluation["metrics"].get("all", {})
    if not curves:
        return {}
    figures = {
        "reliability.svg": plot_reliability(evaluation["reliability"]),
        "lift.svg": plot_lift(curves["lift"]),
        "roc.svg": plot_roc(curves["roc"], auc=overall.get("pooled_auc")),
        "precision_recall.svg": plot_precision_recall(
            curves["precision_recall"], average_precision=overall.get("average_precision")
        ),
        "distribution.svg": plot_distribution(curves["distribution"]),
    }
    if tiers := evaluation.get("tiers"):
        figures["tiers.svg"] = plot_promised(
            tiers,
            name="tiers",
            title="Do the tiers hold?",
            reading="What the leads of each tier were promised, and what came.",
        )
    if segments := evaluation.get("segments"):
        largest = sorted(segments, key=lambda each: -each["leads"])[:LISTED]
        figures["segments.svg"] = plot_promised(
            [each for each in segments if each in largest],
            name="segments",
            title="Does it hold in every segment?",
            reading=f"What was promised, and what came; of more than {LISTED} the largest.",
        )
    if captured := evaluation.get("captured"):
        figures["captured.svg"] = plot_captured(captured["points"], unit=captured["unit"])
    if learning := evaluation.get("learning"):
        figures["learning.svg"] = plot_learning(learning["points"], said=learning["said"])
    if "maturity" in curves:  # it needs dates
        figures["maturity.svg"] = plot_maturity(
            curves["maturity"],
            days_to_win=evaluation["days_to_win"],
            horizon_days=evaluation["horizon_days"],
        )
    return figures


def build_date_figures(dates: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """File name -> standalone SVG text, of the dates of a back-test: how well they ranked, and what they promised."""
    ours = [(date["as_of"].partition("T")[0], date["models"]["leadscore"]) for date in dates]
    return {
        "dates.svg": plot_dates(
            [{**each["auc"], "name": name, "auc": each["auc"]["value"]} for name, each in ours]
        ),
        "dates_promised.svg": plot_promised(
            [_promised(name, each) for name, each in ours],
            name="dates_promised",
            title="Did it promise what came?",
            reading="Mean probability of the leads open at each date, and the share of them won.",
        ),
    }


def _promised(name: str, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Mean probability beside the win rate, whose interval is that of their difference."""
    bias = metrics["bias"]
    mean = metrics["win_rate"] + bias["value"]
    low, high = (
        None if bias[end] is None else min(max(mean - bias[end], 0.0), 1.0)
        for end in ("high", "low")
    )
    return {
        "name": name,
        "mean_probability": mean,
        "win_rate": metrics["win_rate"],
        "low": low,
        "high": high,
    }
