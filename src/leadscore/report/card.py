"""The model card: what a model predicts, from what, how well, and when not to trust it, as one HTML page.

It tells of features and numbers only: no lead is on it, and no value of a category but those of `model.segment`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from leadscore.features.feature import Feature, shown
from leadscore.settings.settings import Settings

UNKNOWN = "—"
DIRECTIONS = {
    1: "never lowers the probability as it grows",
    -1: "never raises the probability as it grows",
    0: "free",
}
FAMILIES = {
    "bant": ("BANT", "how strongly budget, authority, need and timeline are answered"),
    "engagement": ("Engagement", "how much, how lately and how mutually a lead is in touch"),
    "stage": ("Stage", "where a lead stands in the sales pipeline, and how it came there"),
    "profile": ("Profile", "the lead's own attributes"),
}
METRICS = {
    "auc": (
        "AUC",
        "How often a won lead is ranked above another on the same list (date, test block or fold) that is not won: "
        "0.5 is chance, above 0.95 look for a leak.",
    ),
    "pooled_auc": (
        "Pooled AUC",
        "The same over all lists at once; a win rate that drifts from list to list moves it, though it ranks nobody.",
    ),
    "average_precision": (
        "Average precision",
        "Mean share of wins in the list, down to each win; compare the win rate.",
    ),
    "log_loss": (
        "Log loss",
        "Minus the log of the probability given to what happened; low is good.",
    ),
    "brier": ("Brier score", "Squared difference between probability and outcome; low is good."),
    "bias": ("Bias", "Mean probability less win rate: above 0 it promises too much."),
    "lift_10": (
        "Lift, first 10 %",
        "How many times more wins the first 10 % of the list hold than 10 % at random.",
    ),
    "capture_10": (
        "Capture, first 10 %",
        "Share of all wins that are among the first 10 % of the list.",
    ),
    "calibration_error": (
        "Calibration error",
        "Mean gap between probability and win rate in ten bins, less what chance alone would show; near 0 is good.",
    ),
    "calibration_error_raw": (
        "Calibration error, raw",
        "The gap before what chance shows is taken off.",
    ),
    "calibration_error_expected": (
        "Calibration error by chance",
        "The gap that a perfect model would show.",
    ),
    "log_loss_gain": (
        "Log loss gained",
        "The base rate's log loss less ours; its whole interval must lie above 0.",
    ),
    "brier_skill": (
        "Brier skill",
        "1 less our Brier score over the base rate's; above 0 is better than the base rate.",
    ),
}
CALIBRATORS = {
    "none": "none: the probabilities are the scorer's own",
    "sigmoid": "sigmoid: a smooth, rising curve of two numbers",
    "beta": "beta: a smooth, rising curve of three numbers",
    "isotonic": "isotonic: rising lines between steps",
    "venn_abers": "Venn-Abers: rising steps, each as if its lead had been won, and lost",
}
SCORERS = {
    "scorecard": "a scorecard: points that the settings give to answers and activities, not learned from history",
    "logistic": "logistic regression: points for every feature, learned from history and shrunk toward the scorecard's",
    "boosted": "boosted trees: many small questions, learned from history",
    "average": "the average of logistic regression and boosted trees, in log-odds",
}
AUDITED = {  # (verdict, left out) -> how a field is called, and what that means
    ("leak", True): ("Leak.", "These tell how a lead ended. They were left out:"),
    ("leak", False): (
        "Leak, kept.",
        "These tell how a lead ended, and were learned from, for the settings keep them:",
    ),
    ("suspect", True): (
        "Suspect.",
        "These say when rather than who, and were left out, not being clearly worth it:",
    ),
    ("suspect", False): ("Suspect.", "These were learned from, but look at them:"),
}
READINGS = {
    "reliability.svg": "A bar that misses the dashed line is a range of probabilities that was promised wrongly.",
    "lift.svg": "Where capacity ends after a part of the list, this is the share of wins that is not missed.",
    "roc.svg": "The area under the line is the pooled AUC: it compares leads of different lists, too.",
    "precision_recall.svg": "A line well above the dashed one means that the first calls are worth more than others.",
    "distribution.svg": "Blue is the share that was won.",
    "tiers.svg": "A bar that misses the upright line is a tier of which too much, or too little, was promised.",
    "segments.svg": "A bar that misses the upright line is a segment of which too much, or too little, was promised.",
    "captured.svg": "Where capacity ends after a part of the list, this is what it is worth not to call at random.",
    "learning.svg": "A line that still falls at its right end says that more closed leads would help.",
    "maturity.svg": "A horizon before the line has flattened misses wins; leads lost do not win later.",
}


def build_card(
    *,
    evaluation: Mapping[str, Any],
    features: Sequence[Feature],
    manifest: Mapping[str, Any],
    settings: Settings,
    figures: Mapping[str, str],
    version: str | None = None,
) -> str:
    """A self-contained HTML page, without scripts or anything from elsewhere.

    Args:
        evaluation: as `fit_model` gives it; if it says `no_signal`, so does the card, first of all.
        features: what the model was learned from.
        manifest: of the model; project, known_until, store_version and seed are shown.
        settings: what the project chose.
        figures: name -> SVG text, as `build_figures` gives them; shown in their order.
        version: of the model, or None if it was not kept.
    """
    environment = Environment(
        loader=PackageLoader("leadscore", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        moment=_moment, share=_share, number=_number, count=_count, capitalised=_capitalised
    )
    metrics = evaluation["metrics"]
    calibrator = evaluation["calibrator"]
    return environment.get_template("card.html.j2").render(
        e=evaluation,
        manifest=manifest,
        settings=settings,
        dated=settings.is_dated,
        version=version,
        unknown=UNKNOWN,
        horizon=settings.target.horizon_days,
        headline=_headline(evaluation),
        overall=_metric_rows(metrics.get("all", {})),
        parts=[
            {"title": title, "about": metrics[name], "rows": _metric_rows(metrics[name])}
            for name, title in (("young", "Young"), ("older", "Older"))
            if name in metrics
        ],
        step=shown(float(settings.target.cadence_days), "days"),
        gain=_metric_rows(evaluation["gain"]),
        groups=[
            (title, rows)
            for title, rows in (
                ("Tier by tier", evaluation["tiers"]),
                (f"By {_segment(settings)}", evaluation["segments"]),
            )
            if rows
        ],
        calibrator=CALIBRATORS[calibrator["kind"]],
        scorer=SCORERS[evaluation["scorer"]["kind"]],
        families=_families(features),
        figures=[(svg, READINGS.get(name, "")) for name, svg in figures.items()],
        audited=_audited(evaluation["audit"]),
        undated_fields=_undated_fields(evaluation),
        unasked_fields=evaluation.get("not_asked_for", []),
        labels={name: field.label for name, field in settings.lead_fields().items()},
    )


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _segment(settings: Settings) -> str:
    name = settings.model.segment or ""
    return settings.lead_fields()[name].label or name.replace("_", " ") if name else "segment"


def _undated_fields(evaluation: Mapping[str, Any]) -> list[str]:
    """The fields that a word on when they were known would let it learn from."""
    unasked = evaluation.get("not_asked_for", [])
    return [name for name in evaluation["not_learned_from"] if name not in unasked]


def _audited(audit: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, list[Mapping[str, Any]]]]:
    """(title, what it means, fields) of each kind of field that the audit speaks against."""
    found = [
        (*said, [each for each in audit if (each["verdict"], each["left_out"]) == kind])
        for kind, said in AUDITED.items()
    ]
    return [part for part in found if part[2]]


def _headline(evaluation: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(words, number, interval) of the few numbers to know."""
    chosen = {
        "auc": "AUC: wins ranked above others",
        "lift_10": "lift: wins in the top 10 %, as a multiple of chance",
        "calibration_error": "calibration error beyond chance",
    }
    overall = evaluation["metrics"].get("all", {})
    found = [
        (words, _value(name, overall[name]), _interval(name, overall[name]))
        for name, words in chosen.items()
        if name in overall
    ]
    words = "log loss gained on the base rate"
    return found + [
        (words, _value(name, each), _interval(name, each))
        for name, each in evaluation["gain"].items()
        if name == "log_loss_gain"
    ]


def _metric_rows(estimates: Mapping[str, Any]) -> list[dict[str, str]]:
    """name, title, sentence, value and interval of each estimate, in the order in which they are explained."""
    names = [name for name in METRICS if name in estimates]
    names += [
        name
        for name, each in estimates.items()
        if name not in METRICS and isinstance(each, Mapping)
    ]
    return [
        {
            "name": name,
            "title": METRICS.get(name, (name, ""))[0],
            "sentence": METRICS.get(name, (name, ""))[1] + _left_out(name, estimates),
            "value": _value(name, estimates[name]),
            "interval": _interval(name, estimates[name]),
        }
        for name in names
    ]


def _left_out(name: str, estimates: Mapping[str, Any]) -> str:
    """How many lists the AUC leaves out, since they hold leads of one outcome only."""
    left_out = estimates.get("auc_blocks_left_out", 0)
    if name != "auc" or not left_out:
        return ""
    lists = left_out + estimates["auc_blocks"]
    verbs = ("lacks", "is") if left_out == 1 else ("lack", "are")
    return f" {left_out:,} of {lists:,} lists {verbs[0]} one of the two outcomes and {verbs[1]} left out."


def _value(name: str, estimate: Mapping[str, float | None]) -> str:
    return _shown(name, estimate["value"])


def _interval(name: str, estimate: Mapping[str, float | None]) -> str:
    if estimate["low"] is None or estimate["high"] is None:
        return UNKNOWN
    return f"{_shown(name, estimate['low'])} to {_shown(name, estimate['high'])}"


def _shown(name: str, value: float | None) -> str:
    return _share(value) if name == "capture_10" else _number(value)


def _families(features: Sequence[Feature]) -> list[dict[str, Any]]:
    """Features by family, in the order in which the families first come."""
    found: dict[str, list[dict[str, str]]] = {}
    for feature in features:
        said = dict.fromkeys(
            phrase.replace("{value}", "…") for phrase in (feature.up, feature.down)
        )
        row = {
            "name": feature.name,
            "said": " / ".join(said),
            "unit": feature.unit,
            "direction": DIRECTIONS[feature.direction],
        }
        found.setdefault(feature.name.split("_")[0], []).append(row)
    return [
        {
            "title": FAMILIES.get(name, (name, ""))[0],
            "about": FAMILIES.get(name, (name, ""))[1],
            "features": rows,
        }
        for name, rows in found.items()
    ]


def _moment(text: str) -> str:
    """An ISO moment in UTC as a person reads it.

    >>> _moment("2024-03-01T00:00:00Z")
    '2024-03-01 00:00 UTC'
    """
    return f"{text[:10]} {text[11:16]} UTC"


def _share(value: float | None) -> str:
    return (
        f"{round(value * 100, 1) + 0.0:.1f}\u00a0%"
        if value is not None and math.isfinite(value)
        else UNKNOWN
    )


def _number(value: float | None) -> str:
    return f"{round(value, 3) + 0.0:.3f}" if value is not None and math.isfinite(value) else UNKNOWN


def _count(value: float) -> str:
    return f"{value:,.0f}"
