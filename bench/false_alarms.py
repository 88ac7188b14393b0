"""How often the alarms of `leadscore monitor` are false, and how soon they are right: what docs/monitor.md states.

`python bench/false_alarms.py` simulates models whose calibration is looked at every week for three years, and lists of
features that did not change.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from leadscore.evaluation.stability import compute_psi
from leadscore.model.apply import sigmoid
from leadscore.monitor.alarms import LARGE_PSI, SURE
from leadscore.monitor.sequential import TOLERANCE, bet_on_calibration
from leadscore.monitor.settle import NEVER_US, WAITING
from leadscore.monitor.windows import Pace, Windows, choose_windows
from leadscore.times import DAY_US

WEEKS = 156
WEEK_US = 7 * DAY_US
NEW_LEADS = 25  # a week
HORIZON_WEEKS = 8
STAYS = 0.6  # of the leads that are not won within a horizon, those that are open still
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
    windows = draw_windows(rng, shift, since=since)
    looks = [week * WEEK_US for week in range(1, WEEKS + 1)]
    alarm_us = bet_on_calibration(windows, Pace(windows), looks).first_alarm()
    return None if alarm_us is None else alarm_us // WEEK_US


def draw_windows(rng: np.random.Generator, shift: float, *, since: int) -> Windows:
    """New leads every week, followed from horizon to horizon until they are won or lost.

    Likelier leads are won sooner, which the test does not know. A shift counts for horizons that
    begin after it.
    """
    lead = np.arange(WEEKS * NEW_LEADS)
    week = lead // NEW_LEADS
    parts = []
    while len(lead):
        log_odds = rng.normal(-2.2, 0.9, len(lead))
        true = sigmoid(log_odds + np.where(week >= since, shift, 0.0))
        is_won = rng.random(len(lead)) < true
        after_us = HORIZON_WEEKS * WEEK_US * rng.beta(1.0, 1.0 + 2.0 * sigmoid(log_odds))
        rows = pd.DataFrame({"lead_id": lead, "state": WAITING, "as_of_us": week * WEEK_US})
        rows["end_us"] = rows["followed_us"] = rows["as_of_us"] + HORIZON_WEEKS * WEEK_US
        rows["probability"] = sigmoid(log_odds)
        rows["won_us"] = np.where(is_won, rows["as_of_us"] + after_us.astype("int64"), NEVER_US)
        parts.append(rows)
        goes_on = ~is_won & (rng.random(len(lead)) < STAYS) & (week + HORIZON_WEEKS < WEEKS)
        lead, week = lead[goes_on], week[goes_on] + HORIZON_WEEKS
    return choose_windows(pd.concat(parts))


def print_delays(rng: np.random.Generator, shift: float, *, models: int) -> None:
    """After how many weeks a shift in week 52 raises the alarm."""
    alarms = [watch_weeks(rng, shift, since=CHANGED) for _ in range(models)]
    delays = [alarm - CHANGED for alarm in alarms if alarm is not None and alarm >= CHANGED]
    median, late = np.quantile(delays, [0.5, 0.9]) if delays else (np.nan, np.nan)
    print(
        f"odds times {np.exp(shift):.2f} from week {CHANGED}: {len(delays)} of {models} alarms, "
        f"half of them within {median:.0f} weeks, nine of ten within {late:.0f}"
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
