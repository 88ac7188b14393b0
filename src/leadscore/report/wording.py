"""What the model card says of metrics, models, figures and fields."""

from __future__ import annotations

DIRECTIONS = {
    1: "never lowers the probability as it grows",
    -1: "never raises the probability as it grows",
    0: "free",
}
FAMILIES = {  # first part of a feature's name -> (title, what it measures)
    "bant": ("BANT", "how strongly budget, authority, need and timeline are answered"),
    "engagement": (
        "Engagement",
        "how much, how recently and in which direction you are in contact",
    ),
    "stage": ("Stage", "where a lead stands in the sales pipeline, and how it got there"),
    "account": ("Account", "how other leads of the same account ended"),
    "contact": ("Contact", "how other leads of the same contact ended"),
    "profile": ("Profile", "the lead's own attributes"),
}
METRICS = {  # name -> (title, how to read it); shown in this order
    "auc": (
        "AUC",
        "How often a won lead is ranked above another on the same list (date, test block or fold) "
        "that is not won: 0.5 is chance, above 0.95 look for a leak.",
    ),
    "pooled_auc": (
        "Pooled AUC",
        "The same over all lists together; a win rate that drifts from list to list affects it, "
        "although it ranks nobody.",
    ),
    "average_precision": (
        "Average precision",
        "Mean precision of the list at each of its wins; compare with the win rate.",
    ),
    "log_loss": (
        "Log loss",
        "Minus the log of the probability given to the actual outcome; low is good.",
    ),
    "brier": (
        "Brier score",
        "Mean squared difference between probability and outcome; low is good.",
    ),
    "bias": ("Bias", "Mean probability minus win rate: above 0, too many wins were predicted."),
    "lift_10": (
        "Lift, first 10%",
        "Wins in the first 10% of the list, as a multiple of 10% at random.",
    ),
    "capture_10": (
        "Capture, first 10%",
        "Share of all wins that are among the first 10% of the list.",
    ),
    "calibration_error": (
        "Calibration error",
        "Mean gap between probability and win rate in ten bins, less what chance alone would show; "
        "near 0 is good.",
    ),
    "calibration_error_raw": (
        "Calibration error, raw",
        "The gap before subtracting the gap expected by chance.",
    ),
    "calibration_error_expected": (
        "Calibration error by chance",
        "The gap that a perfect model would show.",
    ),
    "log_loss_gain": (
        "Log loss gain",
        "The base rate's log loss minus the model's; its whole interval must lie above 0.",
    ),
    "brier_skill": (
        "Brier skill",
        "1 minus the Brier score over the base rate's; above 0 is better than the base rate.",
    ),
}
HEADLINE = {
    "auc": "AUC: wins ranked above others",
    "lift_10": "lift: wins in the top 10%, as a multiple of chance",
    "calibration_error": "calibration error beyond chance",
}
HEADLINE_GAIN = "log loss gain over the base rate"
PLAIN = {  # metric of the headline -> what it tells a sales manager
    "auc": "How often a won lead ranks above a lead that was not won: 1 is always, 0.5 is chance.",
    "lift_10": "Calling the first tenth of the list wins this many times as many leads as calling at random.",
    "calibration_error": "How far the probabilities are off on average: 0.01 is one percentage point.",
    "log_loss_gain": "Above 0, the probabilities are more accurate than giving every lead the average win rate.",
}
CALIBRATORS = {
    "none": "none: the probabilities are the scorer's own",
    "sigmoid": "sigmoid: a smooth, rising curve of two numbers",
    "beta": "beta: a smooth, rising curve of three numbers",
    "isotonic": "isotonic: rising lines between steps",
    "venn_abers": "Venn-Abers: rising steps, each as if its lead had been won, and lost",
}
SCORERS = {
    "scorecard": "a scorecard: points that the settings give to answers and activities, "
    "not learned from history",
    "logistic": "logistic regression: points for every feature, learned from history and "
    "shrunk toward the scorecard's",
    "boosted": "boosted trees: many small questions, learned from history",
    "average": "the average of logistic regression and boosted trees, in log-odds",
}
AUDITED = {  # (verdict, left out) -> (what the field is called, what that means)
    ("leak", True): ("Leak.", "These reveal how a lead ended, and were left out:"),
    ("leak", False): (
        "Leak, kept.",
        "These reveal how a lead ended. They were learned from because the settings keep them:",
    ),
    ("suspect", True): (
        "Suspect.",
        "These are proxies for time. They were left out because they do not clearly help:",
    ),
    ("suspect", False): ("Suspect.", "These were learned from, but check them:"),
}
READINGS = {  # figure -> how to read it
    "reliability.svg": "Where a bar misses the dashed line, probabilities in that range were "
    "too high or too low.",
    "lift.svg": "If you can work only part of the list, this is the share of wins that you still "
    "reach.",
    "roc.svg": "The area under the line is the pooled AUC: it compares leads of different lists, "
    "too.",
    "precision_recall.svg": "A line well above the dashed one means that the first calls are worth "
    "more than others.",
    "distribution.svg": "Blue is the share that was won.",
    "tiers.svg": "Where a bar misses the upright line, the tier won more or less than predicted.",
    "segments.svg": "Where a bar misses the upright line, the segment won more or less than "
    "predicted.",
    "captured.svg": "If you can work only part of the list, this is the value that you still "
    "reach.",
    "learning.svg": "A line that still falls at its right end means that more closed leads would "
    "help.",
    "maturity.svg": "A horizon that ends before the line flattens misses wins.",
}
