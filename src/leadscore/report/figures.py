"""The figures of an evaluation, drawn once for whoever shows or keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.charts.evidence import plot_captured, plot_learning
from leadscore.charts.plots import (
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
        "roc.svg": plot_roc(curves["roc"], auc=overall.get("auc")),
        "precision_recall.svg": plot_precision_recall(
            curves["precision_recall"], average_precision=overall.get("average_precision")
        ),
        "distribution.svg": plot_distribution(curves["distribution"]),
    }
    if captured := evaluation.get("captured"):
        figures["captured.svg"] = plot_captured(captured["points"], unit=captured["unit"])
    if learning := evaluation.get("learning"):
        figures["learning.svg"] = plot_learning(learning["points"], said=learning["said"])
    if "maturity" in curves:  # it needs dates
        figures["maturity.svg"] = plot_maturity(
            curves["maturity"], days_to_win=evaluation["days_to_win"], horizon_days=evaluation["horizon_days"]
        )
    return figures
