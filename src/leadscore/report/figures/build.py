"""All figures of an evaluation or a back-test, drawn once for whoever shows or stores them."""

from __future__ import annotations

from collections.abc import Sequence

from leadscore.report.figures.records import as_records
from leadscore.results import Evaluation, Group, ModelMetrics, ReplayedDate

Figures = dict[str, str]  # file name -> SVG document

MOST_SEGMENTS = 10


def build_figures(evaluation: Evaluation) -> Figures:
    """File name -> SVG document, of an evaluation as `fit_model` returns it, most telling first.

    Empty for a model that was not evaluated.
    """
    if not evaluation.is_evaluated:
        return {}
    return {
        **_build_curves(evaluation),
        **_build_groups(evaluation),
        **_build_history(evaluation),
    }


def _build_curves(evaluation: Evaluation) -> Figures:
    # matplotlib takes half a second to import, and only trainings and back-tests draw
    from leadscore.report.figures.probabilities import plot_distribution, plot_reliability
    from leadscore.report.figures.ranking import plot_lift, plot_precision_recall, plot_roc

    curves = evaluation.curves
    overall = evaluation.overall
    pooled_auc = overall.pooled_auc if overall else None
    roc = plot_roc(as_records(curves.roc), auc=pooled_auc)
    precision_recall = plot_precision_recall(
        as_records(curves.precision_recall),
        average_precision=overall.average_precision if overall else None,
    )
    return {
        "reliability.svg": plot_reliability(as_records(evaluation.reliability)),
        "lift.svg": plot_lift(as_records(curves.lift)),
        "roc.svg": roc,
        "precision_recall.svg": precision_recall,
        "distribution.svg": plot_distribution(as_records(curves.distribution)),
    }


def _build_groups(evaluation: Evaluation) -> Figures:
    from leadscore.report.figures.probabilities import plot_groups

    figures = {}
    if evaluation.tiers:
        figures["tiers.svg"] = plot_groups(
            as_records(evaluation.tiers),
            name="tiers",
            title="Do the tiers hold?",
            reading="Predicted and actual win rate of each tier.",
        )
    if evaluation.segments:
        figures["segments.svg"] = plot_groups(
            as_records(_largest_segments(evaluation.segments)),
            name="segments",
            title="Does it hold in every segment?",
            reading=f"Predicted and actual win rate; the {MOST_SEGMENTS} largest at most.",
        )
    return figures


def _largest_segments(segments: Sequence[Group]) -> list[Group]:
    """The segments with the most leads, in the order given."""
    by_size = sorted(segments, key=lambda segment: -segment.leads)
    largest = by_size[:MOST_SEGMENTS]
    return [segment for segment in segments if segment in largest]


def _build_history(evaluation: Evaluation) -> Figures:
    from leadscore.report.figures.history import plot_learning, plot_maturity
    from leadscore.report.figures.ranking import plot_captured

    figures = {}
    captured = evaluation.captured
    if captured:
        points = as_records(captured.points)
        figures["captured.svg"] = plot_captured(points, unit=captured.unit)
    learning = evaluation.learning
    if learning:
        points = as_records(learning.points)
        figures["learning.svg"] = plot_learning(points, finding=learning.summary)
    maturity = evaluation.curves.maturity
    if maturity is not None:  # there is none without dates
        figures["maturity.svg"] = plot_maturity(
            as_records(maturity),
            days_to_win=evaluation.days_to_win,
            horizon_days=evaluation.horizon_days,
        )
    return figures


def build_date_figures(dates: Sequence[ReplayedDate]) -> Figures:
    """File name -> SVG document, of the dates of a back-test: its AUC, and what was predicted."""
    from leadscore.report.figures.history import plot_dates
    from leadscore.report.figures.probabilities import plot_groups

    aucs = []
    predictions = []
    for date in dates:
        day = date.as_of.partition("T")[0]
        metrics = date.models["leadscore"]
        auc = metrics.auc
        entry = {"name": day, "auc": auc.value, "low": auc.low, "high": auc.high}
        aucs.append(entry)
        predictions.append({"name": day, **_predicted_and_won(metrics)})

    return {
        "dates.svg": plot_dates(aucs),
        "dates_predicted.svg": plot_groups(
            predictions,
            name="dates_predicted",
            title="Did the predictions come true?",
            reading="Mean probability of the leads open at each date, and the share of them won.",
        ),
    }


def _predicted_and_won(metrics: ModelMetrics) -> dict[str, float | None]:
    """Mean probability and win rate, with the interval of their difference put around the mean."""
    bias = metrics.bias
    mean = metrics.win_rate + (bias.value or 0.0)
    return {
        "mean_probability": mean,
        "win_rate": metrics.win_rate,
        "low": _share_below(mean, bias.high),
        "high": _share_below(mean, bias.low),
    }


def _share_below(mean: float, difference: float | None) -> float | None:
    """The win rate that lies so much below the mean probability."""
    if difference is None:
        return None
    return min(max(mean - difference, 0.0), 1.0)
