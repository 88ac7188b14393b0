"""All figures of an evaluation or a back-test, drawn once for whoever shows or stores them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Figures = dict[str, str]  # file name -> SVG document

MOST_SEGMENTS = 10


def build_figures(evaluation: Mapping[str, Any]) -> Figures:
    """File name -> SVG document, of an evaluation as `fit_model` returns it, most telling first.

    Empty for a model that was not evaluated.
    """
    if not evaluation["curves"]:
        return {}
    return {
        **_build_curves(evaluation),
        **_build_groups(evaluation),
        **_build_history(evaluation),
    }


def _build_curves(evaluation: Mapping[str, Any]) -> Figures:
    # matplotlib takes half a second to import, and only trainings and back-tests draw
    from leadscore.report.figures.probabilities import plot_distribution, plot_reliability
    from leadscore.report.figures.ranking import plot_lift, plot_precision_recall, plot_roc

    curves = evaluation["curves"]
    overall = evaluation["metrics"].get("all", {})
    average_precision = overall.get("average_precision")
    return {
        "reliability.svg": plot_reliability(evaluation["reliability"]),
        "lift.svg": plot_lift(curves["lift"]),
        "roc.svg": plot_roc(curves["roc"], auc=overall.get("pooled_auc")),
        "precision_recall.svg": plot_precision_recall(
            curves["precision_recall"], average_precision=average_precision
        ),
        "distribution.svg": plot_distribution(curves["distribution"]),
    }


def _build_groups(evaluation: Mapping[str, Any]) -> Figures:
    from leadscore.report.figures.probabilities import plot_groups

    figures = {}
    if tiers := evaluation.get("tiers"):
        figures["tiers.svg"] = plot_groups(
            tiers,
            name="tiers",
            title="Do the tiers hold?",
            reading="What was predicted for the leads of each tier, and what came.",
        )
    if segments := evaluation.get("segments"):
        figures["segments.svg"] = plot_groups(
            _largest_segments(segments),
            name="segments",
            title="Does it hold in every segment?",
            reading=f"What was predicted, and what came; the {MOST_SEGMENTS} largest at most.",
        )
    return figures


def _largest_segments(segments: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The segments with the most leads, in the order given."""
    by_size = sorted(segments, key=lambda segment: -segment["leads"])
    largest = by_size[:MOST_SEGMENTS]
    return [segment for segment in segments if segment in largest]


def _build_history(evaluation: Mapping[str, Any]) -> Figures:
    from leadscore.report.figures.history import plot_learning, plot_maturity
    from leadscore.report.figures.ranking import plot_captured

    figures = {}
    if captured := evaluation.get("captured"):
        figures["captured.svg"] = plot_captured(captured["points"], unit=captured["unit"])
    if learning := evaluation.get("learning"):
        figures["learning.svg"] = plot_learning(learning["points"], finding=learning["said"])
    if "maturity" in evaluation["curves"]:  # there is none without dates
        figures["maturity.svg"] = plot_maturity(
            evaluation["curves"]["maturity"],
            days_to_win=evaluation["days_to_win"],
            horizon_days=evaluation["horizon_days"],
        )
    return figures


def build_date_figures(dates: Sequence[Mapping[str, Any]]) -> Figures:
    """File name -> SVG document, of the dates of a back-test: its AUC, and what was predicted."""
    from leadscore.report.figures.history import plot_dates
    from leadscore.report.figures.probabilities import plot_groups

    aucs = []
    predictions = []
    for date in dates:
        day = date["as_of"].partition("T")[0]
        metrics = date["models"]["leadscore"]
        aucs.append({**metrics["auc"], "auc": metrics["auc"]["value"], "name": day})
        predictions.append({**_predicted_and_won(metrics), "name": day})

    return {
        "dates.svg": plot_dates(aucs),
        "dates_promised.svg": plot_groups(
            predictions,
            name="dates_promised",
            title="Did the predictions come true?",
            reading="Mean probability of the leads open at each date, and the share of them won.",
        ),
    }


def _predicted_and_won(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """Mean probability and win rate, with the interval of their difference put around the mean."""
    bias = metrics["bias"]
    mean = metrics["win_rate"] + bias["value"]
    return {
        "mean_probability": mean,
        "win_rate": metrics["win_rate"],
        "low": _share_below(mean, bias["high"]),
        "high": _share_below(mean, bias["low"]),
    }


def _share_below(mean: float, difference: float | None) -> float | None:
    """The win rate that lies so much below the mean probability."""
    if difference is None:
        return None
    return min(max(mean - difference, 0.0), 1.0)
