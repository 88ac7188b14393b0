"""How often the alarms of `leadscore monitor` are false, and how soon they are right: what docs/monitor.md states.

`python bench/false_alarms.py` simulates models whose calibration is looked at every week for three years, and lists of
features that did not change.
"""

from __future__ import annotations

import argparse

import numpy as np

from leadscore.evaluation.stability import compute_psi
from leadscore.model.apply import sigmoid
from leadscore.monitor.alarms import LARGE_PSI, SURE
from leadscore.monitor.sequential import TOLERANCE, bet_on_calibration
from leadscore.times import DAY_US

WEEKS = 156
WEEK_US = 7 * DAY_US
NEW_LEADS = 25  # a week
SHIFTS = (0.3, 0.5, 0.7, 1.0, -0.5, -0.7, -1.0)  # of the log-odds of every lead
CHANGED = 52  # the week from which on they are shifted
FEATURES = 60
BINS = 11
LISTS = 2000


def main() -> None:
    """Print the rates of false alarms, and delays until true ones."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=int, default=1000)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    for name, shift in (("calibrated", 0.0), ("off by the tolerance", TOLERANCE)):
        alarms = [watch_weeks(rng, shift, since=0) for _ in range(asked.models)]
        raised = sum(alarm is not None for alarm in alarms)
        print(f"{name}: {raised} alarms of {asked.models:,} models in {WEEKS} weekly looks")
    for shift in SHIFTS:
        print_delays(rng, shift, models=asked.models // 5)
    print_features(rng)


def watch_weeks(rng: np.random.Generator, shift: float, *, since: int) -> int | None:
    """The week in which the alarm was raised; None if it never was."""
    week = np.repeat(np.arange(WEEKS), NEW_LEADS)
    log_odds = rng.normal(-2.2, 0.9, len(week))
    true = sigmoid(log_odds + np.where(week >= since, shift, 0.0))
    label = (rng.random(len(week)) < true).astype(float)
    alarm_us = bet_on_calibration(week * WEEK_US, sigmoid(log_odds), label).first_alarm()
    return None if alarm_us is None else alarm_us // WEEK_US


def print_delays(rng: np.random.Generator, shift: float, *, models: int) -> None:
    """After how many weekly lists a shift in week 52 raises the alarm."""
    alarms = [watch_weeks(rng, shift, since=CHANGED) for _ in range(models)]
    delays = [alarm - CHANGED for alarm in alarms if alarm is not None]
    median = f"{np.median(delays):.0f} weeks of settled lists" if delays else "never"
    print(
        f"odds times {np.exp(shift):.2f} from week {CHANGED}: {len(delays)} of {models} alarms, "
        f"after {median} (median)"
    )


def print_features(rng: np.random.Generator) -> None:
    """How many lists of unchanged features have any alarm."""
    for leads in (100, 400, 2000):
        alarms = sum(has_alarm(rng, leads) for _ in range(LISTS))
        print(
            f"{FEATURES} unchanged features of {leads:,} leads: {alarms} alarms of {LISTS:,} lists"
        )


def has_alarm(rng: np.random.Generator, leads: int) -> bool:
    """Whether any of so many unchanged features raises an alarm on a list."""
    shares = np.full(BINS, 1 / BINS)
    before = rng.multinomial(3000, shares, FEATURES) / 3000
    now = rng.multinomial(leads, shares, FEATURES) / leads
    for expected, actual in zip(before, now, strict=True):
        psi, p_value = compute_psi(expected, actual, before=3000, now=leads)
        if psi >= LARGE_PSI and p_value < SURE / FEATURES:
            return True
    return False


if __name__ == "__main__":
    main()
