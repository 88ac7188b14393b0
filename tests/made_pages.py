"""A funnel, a forecast and a review with something in each part, for the pages that show them."""

from leadscore.results import Forecast, ForecastBacktest, Funnel, WinLoss


def share(value: float | None = 0.2) -> dict:
    return {"value": value, "low": value and value / 2, "high": value and value * 1.5}


def make_stage(name: str) -> dict:
    ways = ("forward", "back", "won", "lost")
    way = {"visits": 25, "share": 0.2, "low": 0.1, "high": 0.3, "of_finished": 0.25}
    return {
        "stage": name, "visits": 120, "unfinished": 20, "within_days": 60,
        "ways": dict.fromkeys(ways, way), "staying": 0.2, "median_days": 9, "fast_days": 1,
        "slow_days": 30, "is_qualification": False, "stalled_after_days": 30, "stalled": 1,
    }  # fmt: skip


def make_group(value: str, leads: int = 40) -> dict:
    """A group of the leads of a funnel of two stages."""
    return {
        "value": value, "leads": leads, "open": 5, "within_days": 60, "won": share(), "lost": share(0.4),
        "median_days": 33.4, "stages": [make_stage("New"), make_stage("Offer")],
    }  # fmt: skip


def make_funnel(name: str = "New", **changes) -> Funnel:
    """A funnel of two stages with something in each of its parts."""
    irregular = Funnel.model_fields["irregular"].annotation.model_fields
    waiting = {"lead_id": name, "stage": name, "days": 99, "lasted_longer": 0.02, "visits": 120}
    document = {
        "as_of": "2026-03-01T00:00:00Z", "since": "2025-03-01T00:00:00Z",
        "stages": [make_stage(name), make_stage("Offer")], "moves": [],
        "irregular": dict.fromkeys(irregular, 0), "changes": [], "by": None, "groups": [],
        "cohorts": [
            {"month": "2026-01", "leads": 50, "won": 9, "lost": 9, "open": 32,
             "won_within": {"30": share(), "60": share(None)}},
        ],
        "velocity": {
            "leads": 1, "wins": 1, "value": 1, "currency": "EUR", "win_rate": share(), "cycle_days": 1,
            "within_days": 1, "per_day": 1, "won_per_day": 1,
        },
        "losses": [
            {"stage": name, "reason": name, "visits": 25, "of_losses": 25, "share": share(1)},
        ],
        "contact": {
            "leads": 120, "median_days": 6, "contacted": {"1": share()}, "compared": 90, "from_day": 7,
            "within_days": 60, "bands": [{"first_contact": "within 1 day", "leads": 40, "won": share()}],
        },
        "stalled": [waiting],
        "undecided": [waiting],
        "untouched": {"leads": 1, "of_open": 20, "median_days": 4, "longest": [waiting]},
        "improvements": [
            {"stage": name, "points": 0.05, "visits": 30, "wins": 1.5, "value": 210_400, "currency": "EUR"},
        ],
        "patterns": [
            {"field": name, "value": name, "leads": 40, "within_days": 60, "won": share(0.5),
             "others": share(), "lift": 2, "p_value": 0.001, "adjusted": 0.002},
            {"field": "x", "value": "by chance", "leads": 40, "within_days": 60, "won": share(),
             "others": share(), "lift": 1, "p_value": 0.9, "adjusted": 0.9},
        ],
        "curves": [
            {"stage": name, "points": [{"days": 0, "staying": 1}, {"days": 60, "staying": 0.2}]},
        ],
    }  # fmt: skip
    return Funnel.from_dict(document | changes)


def band(middle: float) -> dict:
    return {"mean": middle, "low": 0.8 * middle, "middle": middle, "high": 1.2 * middle}


def make_period(name: str, won: int) -> dict:
    return {
        "period": name, "start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z", "won": won,
        "wins": band(40), "wins_from_open": 20.5, "wins_from_new": 11.5, "won_revenue": 1e4 * won,
        "revenue": band(2_500_000), "revenue_from_open": 1e6, "revenue_from_new": 9e5,
    }  # fmt: skip


def make_forecast(project: str = "acme", **changes) -> Forecast:
    """A forecast of two months, with a change and a target."""
    parts = {"new_leads": 50_000_000, "lost": -20_000_000, "model": 0}
    document = {
        "project": project, "as_of": "2026-03-10T00:00:00Z", "by": "month", "currency": "EUR",
        "periods": [make_period("2026-03", 8), make_period("2026-04", 0)],
        "total": make_period("together", 8),
        "views": {"commit": 4e6, "likely": 5e6, "best_case": 6e6, "pipeline": 9e6, "coverage": 4.5},
        "basis": {
            "model_version": "1", "open_leads": 600, "wins": 900, "arrivals_per_week": 60,
            "has_season": False, "paid_share": 0.9, "period_spread": 0.1,
        },
        "warnings": ["new leads are expected at one rate"],
        "change": {
            "since": "2026-02-15T00:00:00Z", "period": "2026-03", "before": 200_000_000,
            "after": 230_000_000, "parts": parts, "leads": {"new_leads": 12, "lost": 7, "model": 500},
        },
        "needed": {
            "target": 8e6, "unit": "EUR", "by": "2026-05-01T00:00:00Z", "won": 8e4,
            "chance_of_missing": 0.6, "leads": 700, "leads_low": 500, "leads_high": 900,
            "arriving": 520, "of_100_more": 70_000, "of_a_tenth_more": 200_000,
            "assumption": "This is arithmetic.", "leads_per_rep": 52, "of_one_more_rep": 36_400,
            "coverage": 1.1, "source_field": "channel",
            "sources": [
                {"source": "Webinar", "share": 0.6, "arriving": 312, "leads": 420, "leads_low": 300,
                 "leads_high": 540, "won": share(), "within_days": 60, "alone": 900,
                 "alone_low": 600, "alone_high": None},
            ],
        },
        "settled": {
            "forecasts": 3, "first": "2026-01-05T00:00:00Z", "held_wins": 1, "held_revenue": 0,
            "periods": [
                {"period": "2026-02", "as_of": "2026-01-30T00:00:00Z", "model_version": "1",
                 "wins": band(30), "won": 33, "revenue": band(2e6), "won_revenue": 9e6},
            ],
        },
    }  # fmt: skip
    return Forecast.from_dict(document | changes)


def make_past() -> ForecastBacktest:
    month = {
        "month": "2026-02", "model_known_until": "2026-02-01T00:00:00Z", "wins": band(30), "won": 33,
        "revenue": band(2e6), "won_revenue": 2.1e6, "naive_wins": {}, "naive_revenue": {},
    }  # fmt: skip
    error = {"wins": 3.0, "wins_bias": 3.0, "revenue": 1e5, "revenue_bias": 1e5, "months": 1}
    document = {
        "project": "acme", "months": [month], "skipped": {}, "held_wins": 1, "held_revenue": 1,
        "errors": {"leadscore": error}, "summary": "actual wins were within the 80% range in 1 of 1 month",
    }  # fmt: skip
    return ForecastBacktest.from_dict(document)


def make_win_loss(name: str = "L1", **changes) -> WinLoss:
    lead = {
        "lead_id": name, "closed": "2026-02-03T10:00:00Z", "stage": name, "reason": name,
        "amount": 12_500.0, "days": 41.2, "probability": 0.83,
    }  # fmt: skip
    closes = {"leads": 30, "amount": 1_234_567.0, "median_days": 33.0}
    document = {
        "project": name, "as_of": "2026-03-01T00:00:00Z", "since": "2025-12-01T00:00:00Z",
        "currency": "EUR", "won": closes, "lost": closes, "won_before": closes,
        "lost_before": closes | {"amount": None, "median_days": None},
        "won_of_closed": share(), "won_of_closed_before": share(None), "listed": 9,
        "reasons": [
            {"reason": name, "leads": 12, "share": share(0.4), "leads_before": 0, "share_before": share(None)},
        ],
        "losses": [
            {"stage": name, "reason": name, "visits": 30, "of_losses": 30, "share": share(1)},
        ],
        "changes": [
            {"name": "won", "now": 66, "before": 80, "p_value": 0.25},
            {"name": "won_of_closed", "now": 0.2, "before": 0.3, "p_value": 0.01},
            {"name": "revenue", "now": 1_234_567, "before": 1_000_000, "p_value": 0.3},
        ],
        "chances": {"usual": 0.13, "good": 0.23, "poor": 0.07},
        "unexpected_losses": [lead], "unexpected_wins": [], "largest_losses": [lead | {"probability": None}],
        "largest_wins": [lead],
    }  # fmt: skip
    return WinLoss.from_dict(document | changes)
