"""Files such as strangers bring: their structure from knowledge of the originals, their rows made up.

Each builder returns a history and which fields must be caught as leaks, or at least suspected; every other field is
innocent, and must not be called a leak.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from audit.worlds import open_file
from leadscore.history.split import History

Rng = np.random.Generator


@dataclass(frozen=True)
class Stranger:
    history: History
    leaks: frozenset[str]
    suspects: frozenset[str] = frozenset()


def choose(rng: Rng, won: np.ndarray, shares: dict[str, tuple[float, float]]) -> np.ndarray:
    """A value for each lead, from value -> share among (lost, won); "" stands for a missing one."""
    weights = np.array(list(shares.values())).T
    bounds = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    at = (rng.random(len(won))[:, None] > bounds[won.astype(int)]).sum(axis=1)
    words = np.array([word or None for word in shares], dtype=object)
    return words[np.minimum(at, len(words) - 1)]


def by_rate(shares: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Value -> share among (lost, won), from value -> (leads, win rate)."""
    return {word: (n * (1 - rate), n * rate) for word, (n, rate) in shares.items()}


def make_education(rng: Rng, n: int = 9240) -> Stranger:
    """After the leads of "X Education": a web form, no dates, 38% won; counts and rates as they are published."""
    won = rng.random(n) < 0.385
    visits = np.where(rng.random(n) < 0.24, 0, 1 + rng.poisson(np.where(won, 3.4, 3.0)))
    minutes = rng.gamma(np.where(won, 1.6, 0.9), np.where(won, 480.0, 420.0)).round()
    tags = by_rate(
        {
            "": (3353, 0.25), "Will revert after reading the email": (2072, 0.969), "Ringing": (1203, 0.028),
            "Interested in other courses": (513, 0.025), "Already a student": (465, 0.006),
            "Closed by Horizzon": (358, 0.994), "switched off": (240, 0.017), "Busy": (186, 0.565),
            "Lost to EINS": (175, 0.977), "Not doing further education": (145, 0.007),
            "Interested in full time MBA": (117, 0.026), "Graduation in progress": (111, 0.063),
            "invalid number": (83, 0.012), "Diploma holder (Not Eligible)": (63, 0.016),
        }
    )  # fmt: skip
    quality = by_rate(
        {
            "": (4767, 0.22), "Might be": (1560, 0.76), "Not Sure": (1092, 0.32), "High in Relevance": (637, 0.947),
            "Worst": (601, 0.02), "Low in Relevance": (583, 0.818),
        }
    )  # fmt: skip
    columns = {
        "lead_number": rng.choice(np.arange(579_533, 660_738), n, replace=False),
        "lead_origin": choose(rng, won, by_rate({
            "Landing Page Submission": (4886, 0.362), "API": (3580, 0.311), "Lead Add Form": (718, 0.925),
            "Lead Import": (55, 0.236)})),
        "lead_source": choose(rng, won, by_rate({
            "Google": (2873, 0.40), "Direct Traffic": (2543, 0.322), "Olark Chat": (1755, 0.255),
            "Organic Search": (1154, 0.378), "Reference": (534, 0.918), "Welingak Website": (142, 0.986),
            "Referral Sites": (125, 0.248), "Facebook": (55, 0.236), "": (36, 0.81)})),
        "do_not_email": choose(rng, won, by_rate({"No": (8506, 0.405), "Yes": (734, 0.161)})),
        "totalvisits": visits,
        "total_time_spent": np.where(visits == 0, 0, minutes),
        "page_views": np.round(visits / (1 + rng.poisson(0.6, n)), 2),
        "last_activity": choose(rng, won, by_rate({
            "Email Opened": (3437, 0.378), "SMS Sent": (2745, 0.629), "Olark Chat Conversation": (973, 0.086),
            "Page Visited on Website": (640, 0.236), "Converted to Lead": (428, 0.126), "Email Bounced": (326, 0.08),
            "Email Link Clicked": (267, 0.273), "Form Submitted": (116, 0.241), "": (103, 0.80)})),
        "country": choose(rng, won, by_rate({"India": (6492, 0.371), "": (2461, 0.435), "United States": (69, 0.26)})),
        "specialization": choose(rng, won, by_rate({
            "Select": (1942, 0.21), "Finance Management": (976, 0.446), "HR Management": (848, 0.459), "": (1438, 0.53),
            "Marketing Management": (838, 0.487), "Operations Management": (503, 0.473)})),
        "occupation": choose(rng, won, by_rate({
            "Unemployed": (5600, 0.436), "": (2690, 0.138), "Working Professional": (706, 0.916),
            "Student": (210, 0.371)})),
        "city": choose(rng, won, by_rate({"Mumbai": (3222, 0.405), "Select": (2249, 0.467), "": (1420, 0.23)})),
        "magazine": np.full(n, "No", dtype=object),
        "tags": choose(rng, won, tags),
        "lead_quality": choose(rng, won, quality),
        "lead_profile": choose(rng, won, by_rate({
            "Select": (4146, 0.41), "": (2709, 0.17), "Potential Lead": (1613, 0.786), "Other Leads": (487, 0.37),
            "Student of SomeSchool": (241, 0.041), "Lateral Student": (24, 0.958)})),
        "activity_score": np.where(rng.random(n) < 0.456, np.nan, rng.normal(np.where(won, 14.5, 14.2), 1.4).round()),
        "last_notable_activity": choose(rng, won, by_rate({
            "Modified": (3407, 0.229), "Email Opened": (2827, 0.369), "SMS Sent": (2172, 0.694),
            "Page Visited on Website": (318, 0.292), "Olark Chat Conversation": (183, 0.137)})),
    }  # fmt: skip
    history = undated(pd.DataFrame(columns), won)
    return Stranger(
        history,
        frozenset({"tags"}),
        frozenset({"specialization", "city", "lead_profile", "lead_number", "lead_quality"}),
    )


def undated(frame: pd.DataFrame, won: np.ndarray) -> History:
    """A file without dates or order: all leads are of one moment."""
    n = len(frame)
    return open_file(frame, won, created=np.zeros(n), closes=np.ones(n), until=2)


def make_funnel(rng: Rng, n: int = 8000) -> Stranger:
    """After the Olist marketing funnel: qualified leads, of which a tenth closed a deal; its fields know."""
    created = np.sort(rng.uniform(0, 350, n))
    won = rng.random(n) < 0.105
    closes = created + np.where(won, rng.exponential(40, n), 60)
    done = won & (closes < 350)

    def of_deal(values: np.ndarray, filled: float = 1.0) -> np.ndarray:
        return np.where(done & (rng.random(n) < filled), values, None)

    columns = {
        "landing_page": np.array([f"page{i}" for i in rng.zipf(1.4, n) % 400], dtype=object),
        "origin": choose(rng, won, {
            "organic_search": (28, 32), "paid_search": (20, 23), "social": (17, 9), "unknown": (13, 21), "": (1, 2),
            "direct_traffic": (6, 7), "email": (6, 2)}),
        "seller_id": of_deal(np.array([f"s{i}" for i in range(n)], dtype=object)),
        "sdr_id": of_deal(rng.choice(["a", "b", "c", "d"], n).astype(object)),
        "won_date": np.where(done, closes, np.nan),
        "business_segment": of_deal(rng.choice(["pet", "home", "health", "toys"], n).astype(object)),
        "has_company": of_deal(rng.choice(["true", "false"], n).astype(object), 0.075),
        "declared_monthly_revenue": np.where(done, rng.choice([0.0] * 19 + [3e4], n), np.nan),
    }  # fmt: skip
    history = open_file(
        pd.DataFrame(columns), won, created=created, closes=closes, until=350, dates=("won_date",)
    )  # fmt: skip
    leaks = {
        "seller_id",
        "sdr_id",
        "won_date",
        "business_segment",
        "has_company",
        "declared_monthly_revenue",
    }
    return Stranger(history, frozenset(leaks))


def make_opportunities(rng: Rng, n: int = 4000) -> Stranger:
    """After exports of opportunities from CRMs: what the system fills in as it closes them stands beside the rest."""
    until = 400.0
    created = np.sort(rng.uniform(0, until, n)).round(3)
    fit = rng.normal(size=n)
    won = rng.random(n) < 1 / (1 + np.exp(0.8 - 1.1 * fit))
    closes = (created + 1 + rng.gamma(1.5, np.where(won, 30, 22))).round(3)
    closed = closes < until
    end = np.minimum(closes, until)
    stage = np.where(
        closed, np.where(won, "Closed Won", "Closed Lost"), rng.choice(["Qualify", "Propose"], n)
    )
    amount = np.exp(rng.normal(9 + 0.3 * fit, 0.8)).round()
    odds = np.where(closed, np.where(won, 100, 0), rng.choice([10, 25, 50, 75], n))
    age_at_end = end - created
    columns = {
        "opportunity_name": np.array([f"Deal {i}" for i in range(n)], dtype=object),
        "stage": stage.astype(object),
        "probability": odds,
        "forecast_category": np.where(
            closed, np.where(won, "Closed", "Omitted"), "Pipeline"
        ).astype(object),
        "is_won": np.where(closed & won, "true", "false").astype(object),
        "expected_revenue": amount * odds / 100,
        "amount": amount,
        "won_amount": np.where(closed & won, amount, 0),
        "days_to_close": np.where(closed, np.floor(closes - created), np.nan),
        "age_days": np.floor(age_at_end),
        "close_date": np.where(closed, closes, np.nan),
        "target_date": created + rng.gamma(2, 40, n),
        "last_activity_date": np.where(
            closed, closes - rng.exponential(1.5, n), until - rng.exponential(15, n)
        ),
        "last_modified_date": np.minimum(end + rng.exponential(20, n), until - 0.01),
        "touches": rng.poisson(age_at_end / 3),
        "loss_reason": np.where(
            closed & ~won, rng.choice(["price", "no decision", "Other"], n), None
        ),
        "next_step": np.where(closed, None, rng.choice(["call", "send offer", "meet"], n)),
        "contract_number": np.where(
            closed & won & (rng.random(n) < 0.3), [f"C-{i}" for i in range(n)], None
        ),
        "lead_source": choose(rng, won, {"Web": (50, 40), "Partner": (20, 40), "List": (30, 20)}),
        "owner_id": rng.choice([f"rep{i}" for i in range(15)], n).astype(object),
        "employees": np.exp(rng.normal(4 + 0.6 * fit, 1)).round(),
        "employees_band": pd.cut(fit, [-9, -1, 0, 1, 9], labels=["1", "2", "3", "4"]).astype(
            object
        ),
        "budget_known": np.where(rng.random(n) < 1 / (1 + np.exp(-fit)), "Yes", "No").astype(
            object
        ),
        "phone": np.where(rng.random(n) < 0.6, [f"+49 {i:07d}" for i in rng.permutation(n)], None),
        "campaign": np.array([f"Q{int(day // 90)}" for day in created], dtype=object),
        "competitor": rng.choice(["None", "Unknown", "No", "Acme"], n).astype(object),
    }
    dates = ("close_date", "target_date", "last_activity_date", "last_modified_date")
    history = open_file(
        pd.DataFrame(columns), won, created=created, closes=closes, until=until, dates=dates
    )
    leaks = {
        "stage", "probability", "forecast_category", "is_won", "expected_revenue", "won_amount", "days_to_close",
        "close_date", "last_activity_date", "last_modified_date", "loss_reason", "contract_number", "age_days",
        "touches",
    }  # fmt: skip
    suspects = {"next_step", "opportunity_name", "phone", "campaign"}
    return Stranger(history, frozenset(leaks), frozenset(suspects))


MAKERS = {"education": make_education, "funnel": make_funnel, "opportunities": make_opportunities}
