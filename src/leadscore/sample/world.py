"""The sample company's world: every rate and share that leads are drawn by.

Each lead has a hidden class. Every tuple of four numbers below gives one for each class, in the
order of `CLASSES`. Rates are per working day.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray
ByClass = tuple[float, float, float, float]
Shares = dict[str, ByClass]  # value -> its share in each class; each class adds up to 1
Stream = tuple[ByClass, Shares]  # rate of the events, and the shares of their marks

START = np.datetime64("2024-03-01")  # of the exports
UNTIL = np.datetime64("2026-03-01")
DAY_S = 86_400
START_S = int(START.astype("datetime64[s]").astype(np.int64))
UNTIL_S = int(UNTIL.astype("datetime64[s]").astype(np.int64))
HORIZON_DAYS = 60

CLASSES = ("ready", "weighing", "curious", "unfit")
SHARE = (0.17, 0.26, 0.35, 0.22)  # of the leads that arrive at START
DRIFT = (-0.18, -0.05, 0.05, 0.10)  # change of its logarithm in a year: leads slowly get worse

# How a spell ends, and how a lost lead comes back.
WIN = (0.0200, 0.0060, 0.0008, 0.0001)
LOSE = (0.0060, 0.0100, 0.0160, 0.0350)
COME_BACK = (0.0040, 0.0030, 0.0015, 0.0002)

STAGES = ("New", "Contacted", "Qualified", "Proposal", "Negotiation")
MOVES: dict[int, ByClass] = {
    1: (0.160, 0.085, 0.045, 0.030),  # to the next stage, until the last one
    -1: (0.006, 0.012, 0.020, 0.020),  # to the one before, never to the first
}

# What is known from creation.
ATTRIBUTES: dict[str, Shares] = {
    "source": {
        "Referral": (0.26, 0.16, 0.07, 0.03),
        "Demo request": (0.30, 0.20, 0.09, 0.04),
        "Trade fair": (0.16, 0.22, 0.20, 0.13),
        "Webinar": (0.12, 0.19, 0.25, 0.18),
        "Content download": (0.09, 0.15, 0.27, 0.32),
        "Bought list": (0.07, 0.08, 0.12, 0.30),
    },
    "industry": {
        "Manufacturing": (0.30, 0.26, 0.20, 0.14),
        "Logistics": (0.22, 0.20, 0.17, 0.12),
        "Wholesale": (0.17, 0.19, 0.20, 0.16),
        "Health care": (0.13, 0.14, 0.16, 0.16),
        "Public sector": (0.10, 0.12, 0.14, 0.18),
        "Education": (0.08, 0.09, 0.13, 0.24),
    },
    "employees": {
        "1-9": (0.05, 0.08, 0.15, 0.34),
        "10-49": (0.17, 0.22, 0.28, 0.30),
        "50-249": (0.40, 0.38, 0.32, 0.21),
        "250-4999": (0.38, 0.32, 0.25, 0.15),
    },
    "amount": {
        "500-4999": (0.10, 0.17, 0.28, 0.45),
        "5000-19999": (0.30, 0.33, 0.36, 0.33),
        "20000-79999": (0.40, 0.34, 0.25, 0.16),
        "80000-399999": (0.20, 0.16, 0.11, 0.06),
    },
    "title": {
        "chief": (0.24, 0.17, 0.10, 0.05),
        "director": (0.28, 0.24, 0.16, 0.08),
        "manager": (0.26, 0.29, 0.29, 0.20),
        "specialist": (0.12, 0.18, 0.27, 0.33),
        "learner": (0.02, 0.03, 0.06, 0.17),
        "missing": (0.08, 0.09, 0.12, 0.17),
    },
}

# What happens while a lead is open. The mark of an activity is how many pages a visit has.
SAME = (1.0, 1.0, 1.0, 1.0)
PAGES: Shares = {
    "1": (0.30, 0.40, 0.55, 0.80),
    "3": (0.40, 0.38, 0.30, 0.15),
    "8": (0.30, 0.22, 0.15, 0.05),
}
PRICE_PAGES: Shares = {"1": (0.5, 0.6, 0.7, 0.8), "3": (0.5, 0.4, 0.3, 0.2)}
ACTIVITIES: dict[str, Stream] = {
    "email_sent": ((0.1, 0.095, 0.085, 0.075), {"1": SAME}),
    "call_attempt": ((0.05, 0.055, 0.06, 0.055), {"1": SAME}),
    "call": ((0.04, 0.025, 0.013, 0.005), {"1": SAME}),
    "meeting": ((0.0225, 0.012, 0.004, 0.001), {"1": SAME}),
    "web_visit": ((0.04, 0.035, 0.03, 0.015), PAGES),
    "pricing_visit": ((0.018, 0.011, 0.005, 0.0015), PRICE_PAGES),
    "download": ((0.006, 0.008, 0.008, 0.004), {"1": SAME}),
    "webinar": ((0.005, 0.006, 0.006, 0.002), {"1": SAME}),
}

# The mark of an answer is what it says: a level, or a range that a number is drawn from.
BUDGETS: Shares = {
    "0-0": (0.03, 0.12, 0.34, 0.70),
    "5000-19999": (0.22, 0.34, 0.38, 0.20),
    "20000-59999": (0.42, 0.34, 0.20, 0.08),
    "60000-199999": (0.33, 0.20, 0.08, 0.02),
}
NEEDS: Shares = {
    "none": (0.01, 0.04, 0.14, 0.42),
    "low": (0.08, 0.18, 0.34, 0.36),
    "medium": (0.27, 0.40, 0.35, 0.16),
    "high": (0.40, 0.28, 0.13, 0.05),
    "critical": (0.24, 0.10, 0.04, 0.01),
}
DAYS_AHEAD: Shares = {
    "5-30": (0.36, 0.14, 0.05, 0.03),
    "31-90": (0.40, 0.36, 0.20, 0.12),
    "91-180": (0.18, 0.32, 0.35, 0.30),
    "181-500": (0.06, 0.18, 0.40, 0.55),
}
ANSWERS: dict[str, Stream] = {
    "budget": ((0.040, 0.026, 0.014, 0.008), BUDGETS),
    "need": ((0.050, 0.036, 0.022, 0.012), NEEDS),
    "timeline": ((0.036, 0.024, 0.012, 0.006), DAYS_AHEAD),
}
STREAMS = ACTIVITIES | ANSWERS
STREAM_CODES = {name: code for code, name in enumerate(STREAMS)}
E_MAIL = STREAM_CODES["email_sent"]

# What an e-mail may bring: kind -> (probability, mean delay in working days).
RESPONSES: dict[str, tuple[ByClass, float]] = {
    "email_open": ((0.60, 0.52, 0.42, 0.25), 0.5),
    "email_reply": ((0.34, 0.22, 0.10, 0.03), 1.5),
}
SCANNERS = 0.30  # share of e-mails that a program opens at once, whoever the lead is


def by_class(shares: Shares) -> Array:
    """Shares as an array: (classes, values), each row adds up to 1."""
    return np.array(list(shares.values())).T


def can_move(stage: Array, step: int) -> Array:
    """Whether a lead at each stage can take a step; never back to the first stage."""
    if step > 0:
        return np.asarray(stage < len(STAGES) - 1)
    return np.asarray(stage > 1)
