"""The evaluation of a model, as a registry keeps it, for tests of card and report."""

from leadscore.evaluation.metrics import METRICS
from leadscore.results import Evaluation

NAMES = [
    "auc",
    *METRICS,
    "calibration_error",
    "calibration_error_raw",
    "calibration_error_expected",
    "log_loss_gain",
    "brier_skill",
]
ONE_BIN = {
    "distribution": [{"low": 0.0, "high": 1.0, "won": 0.0, "other": 0.0}],
    "maturity": [],
}  # of an evaluation that has hardly any data


def estimate(value, *, spread=0.05):
    return {"value": value, "low": value - spread, "high": value + spread}


def part(value):
    found = {name: estimate(value) for name in NAMES[:9]}
    unknown = {"value": value, "low": None, "high": None}
    return (
        found
        | dict.fromkeys(NAMES[9:11], unknown)
        | {"snapshots": 1234, "leads": 321, "win_rate": 0.25}
    )


def side(**more):
    counts = {
        "snapshots": 4321,
        "leads": 567,
        "won": 890,
        "censored": 76,
        "unusable": {"won": 0, "lost": 0},
    }
    rates = {"base_rate": 0.2468, "mature_rate": None, "watched_to_horizon": 1.0}
    return counts | rates | {"weights_capped": 0.0} | more


def make_evaluation(**changes):
    document = {
        "basis": "out of time",
        "assumption": None,
        "known_until": "2024-03-01T00:00:00Z",
        "horizon_days": 30,
        "history": side(),
        "splits": [side(moment="2024-01-15T23:00:00Z"), side(moment="2024-02-01T23:00:00Z")],
        "judged": side(snapshots=2222),
        "metrics": {"all": part(0.71), "young": part(0.61), "older": part(0.76)},
        "base_rate_before": 0.1357,
        "gain": {"log_loss_gain": estimate(0.09), "brier_skill": estimate(0.2)},
        "no_signal": None,
        "reliability": [],
        "brier": None,
        "tiers": [],
        "segments": [],
        "never_worked": None,
        "captured": None,
        "learning": None,
        "limits_broken": [],
        "curves": ONE_BIN,
        "days_to_win": {"half": 12.2, "nine_tenths": 44.7},
        "horizon_why": None,
        "not_learned_from": [],
        "audit": [],
        "scorer": {
            "kind": "boosted",
            "log_loss": {"boosted": 0.4987},
            "compared_on": "earlier splits",
            "clocks": {},
            "segments": {},
            "missing_leads": {},
        },
        "calibrator": {"kind": "sigmoid", "log_loss": {"none": 0.5123, "sigmoid": 0.4987}},
        "times": {"half_life": None, "summary": "none, since it would not clearly help"},
    }
    return Evaluation.from_dict(document | changes)
