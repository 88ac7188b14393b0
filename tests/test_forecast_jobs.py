"""From a stored history to a forecast: what it adds up to, what it knows, and why it changed."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import histories
from builders import Facts, day
from commands import run
from leadscore import Project
from leadscore.errors import UserError
from leadscore.funnel.forecast import holds
from leadscore.funnel.naive import compute_stage_rates, guess_month
from leadscore.funnel.periods import list_periods
from leadscore.model.fallback import fit_scorecard
from leadscore.project.forecast_backtest import backtest_forecast, replay_month, summarise
from leadscore.project.forecast_target import Target
from leadscore.project.forecasting import forecast_by
from leadscore.project.horizon import with_horizon_of_champion
from leadscore.project.lead_timing import read_where, time_leads, write_timing
from leadscore.project.outlooks import KnownModel, look_ahead
from leadscore.results import Band, ForecastedMonth
from leadscore.scoring.score import score_open_leads
from leadscore.times import DAY_US, parse_moment

DAYS, NOW, THEN = 250.0, 240.0, 232.0  # day 240 is 2024-08-28


def world_facts(settings, *, until=DAYS):
    """The facts of a sales team whose leads ask for amounts, up to a day."""
    facts = histories.sales_facts(settings, leads=400, days=DAYS, seed=5, signal=1.8)
    for i, row in enumerate(facts.rows["leads"]):
        row |= {"amount": 1_000_00 + 100_00 * (i % 7), "currency": "EUR"}
    for name, rows in facts.rows.items():
        facts.rows[name] = [row for row in rows if row["available_us"] < day(until)]
    return facts


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return histories.sales_settings(tmp_path_factory.mktemp("forecast"))


@pytest.fixture(scope="module")
def history(settings, tmp_path_factory):
    return world_facts(settings).history(tmp_path_factory.mktemp("store"), known_until=DAYS)


@pytest.fixture(scope="module")
def known(history):
    return KnownModel(fit_scorecard(history, known_us=day(200), why="a test").model, "v1", day(200))


@pytest.fixture(scope="module")
def forecast(history, known):
    return forecast_by(
        history,
        known,
        as_of_us=day(NOW),
        since_us=day(THEN),
        target=Target(90_000, is_revenue=True),
    )


@pytest.fixture(scope="module")
def outlook(history, known):
    return look_ahead(history, known, as_of_us=day(NOW)).outlook


def test_probability_when_looked_ahead_then_is_the_published_one(history, known, outlook):
    scored = score_open_leads(
        history, known.model, model_version="v1", known_us=day(200), as_of_us=day(NOW)
    ).scores.to_pandas()
    published = scored.set_index("lead_id")["win_probability"]
    ours = outlook.leads.set_index("lead_id")["probability"]
    assert ours.to_dict() == published.to_dict()
    horizon_us = outlook.as_of_us + 30 * DAY_US
    assert outlook.win_by(horizon_us).tolist() == ours.tolist()


def test_forecast_when_made_then_periods_add_up_and_begin_with_what_has_been_won(history, forecast):
    assert [period.period for period in forecast.periods] == ["2024-08", "2024-09", "2024-10"]
    spells = history.spells(day(NOW))
    august = parse_moment("2024-08-01", zone="UTC")
    won = spells[spells["won"] & (spells["close_us"] >= august)]
    assert forecast.periods[0].won == len(won)
    total = forecast.total
    for name in ("wins", "revenue"):
        means = [getattr(period, name).mean for period in forecast.periods]
        assert getattr(total, name).mean == pytest.approx(sum(means))
    parts = total.won + total.wins_from_open + total.wins_from_new
    assert total.wins.mean == pytest.approx(parts)
    assert total.wins.low < total.wins.middle < total.wins.high
    assert list(forecast.to_pandas()["wins_middle"]) == [p.wins.middle for p in forecast.periods]
    assert forecast.currency == "EUR"


def test_forecast_when_simulated_then_its_means_are_the_sums_of_chances(outlook, forecast):
    end_us = parse_moment(forecast.total.end, zone="UTC")
    chances = outlook.win_by(end_us)
    assert forecast.total.wins_from_open == pytest.approx(chances.sum(), rel=0.03)
    expected = (chances * outlook.revenue).sum()
    assert forecast.total.revenue_from_open == pytest.approx(expected, rel=0.03)
    assert forecast.views.pipeline == outlook.leads["amount"].sum()
    assert forecast.views.coverage == pytest.approx(forecast.views.pipeline / expected, rel=0.03)


def test_forecast_when_made_in_the_past_then_knows_nothing_of_what_came_after(
    settings, history, known, tmp_path
):
    cut = world_facts(settings, until=NOW).history(tmp_path, known_until=NOW)
    assert forecast_by(cut, known, as_of_us=day(NOW)) == forecast_by(
        history, known, as_of_us=day(NOW)
    )


def test_change_when_explained_then_adds_up_to_both_forecasts_in_cents(
    history, known, outlook, forecast
):
    change = forecast.change
    assert change.before + sum(change.parts.values()) == change.after
    assert change.parts["model"] != 0  # the timing of wins was estimated anew
    spells = history.spells(day(NOW))
    since = spells[(spells["start_us"] >= day(THEN)) & (spells["start_us"] < day(NOW))]
    end_us = parse_moment(forecast.periods[0].end, zone="UTC")
    by_end = pd.Series(outlook.win_by(end_us) * outlook.revenue, outlook.leads["lead_id"])
    of_new = by_end[by_end.index.isin(since["lead_id"])]
    assert change.leads["new_leads"] >= len(of_new)
    assert change.parts["new_leads"] >= round(100 * of_new.sum()) - len(of_new)


def test_change_when_nothing_has_passed_between_then_is_refused(history, known):
    with pytest.raises(UserError, match="is not before the moment of the forecast"):
        forecast_by(history, known, as_of_us=day(NOW), since_us=day(NOW))


def test_leads_needed_when_a_target_is_given_then_count_on_todays_rates(forecast):
    needed = forecast.needed
    assert needed.unit == "EUR"
    assert needed.leads_low <= needed.leads <= needed.leads_high
    assert needed.arriving == pytest.approx(
        forecast.basis.arrivals_per_week / 7 * (305 - NOW), rel=0.01
    )


@pytest.fixture(scope="module")
def timing(history, outlook):
    return time_leads(outlook, read_where(history, as_of_us=day(NOW)))


def test_time_to_win_when_listed_then_never_falls_with_the_date(outlook, timing):
    assert list(timing.dates.values()) == sorted(timing.dates.values())
    frame = timing.to_pandas()
    assert len(frame) == len(outlook.leads)
    within = frame[list(timing.dates)].to_numpy()
    assert (np.diff(within, axis=1) >= 0).all()
    assert frame["30_days"].tolist() == frame["win_probability"].tolist()
    assert (frame["close_if_won_earliest"] <= frame["close_if_won"]).all()
    assert (frame["close_if_won"] < frame["close_if_won_latest"]).all()
    assert frame["close_if_won"].str.fullmatch(r"\d{4}-\d\d-\d\d").all()
    amounts = outlook.leads.set_index("lead_id")["amount"]
    assert frame["amount"].tolist() == amounts[frame["lead_id"]].tolist()
    assert frame["win_probability"].is_monotonic_decreasing


def test_time_to_win_when_looked_up_then_says_whose_a_lead_is_and_its_stage(tmp_path):
    facts = Facts().lead("a", 0, owner_id="R1").stage("a", 1, "new").stage("a", 3, "qualified")
    facts.lead("b", 2).change("b", 4, "owner_id", "R2").stage("a", 9, "proposal", known=30)
    where = read_where(facts.history(tmp_path, known_until=20), as_of_us=day(10))
    assert where.to_dict("index") == {
        "a": {"owner_id": "R1", "stage": "qualified"},
        "b": {"owner_id": "R2", "stage": ""},
    }


def test_time_to_win_when_written_then_is_the_list_even_without_leads(timing, tmp_path):
    nobody = timing.model_copy(update={"leads": []})
    write_timing(timing, tmp_path / "leads.csv")
    write_timing(nobody, tmp_path / "nobody.csv")
    texts = {"lead_id": str, "owner_id": str, "stage": str}
    written = pd.read_csv(tmp_path / "leads.csv", dtype=texts, keep_default_na=False)
    pd.testing.assert_frame_equal(written, timing.to_pandas().round(4), check_dtype=False)
    assert list(pd.read_csv(tmp_path / "nobody.csv")) == list(written)


def test_naive_methods_when_asked_then_say_what_an_export_says(history, known, outlook):
    september = list_periods(day(NOW), by="month", count=2, zone="UTC")[1]
    looked = look_ahead(history, known, as_of_us=september.start_us).outlook
    guesses = guess_month(history, looked, september)
    closed = looked.wins["close_us"]
    june = parse_moment("2024-06-01", zone="UTC")
    assert guesses["run_rate"].wins == pytest.approx((closed >= june).sum() / 3)
    assert guesses["last_year"].wins is None
    rates = compute_stage_rates(history, known_us=looked.as_of_us)
    assert set(rates) == {"new", "qualified", "proposal"}
    assert all(0 <= rate <= 1 for rate in rates.values())
    assert guesses["stage_weighted"].wins > 0


def test_stage_rates_when_solved_then_are_the_shares_of_a_walk_through_the_stages(tmp_path):
    facts = Facts()
    for i in range(100):
        lead = f"{i:02d}"
        facts.lead(lead, 0).stage(lead, 0, "new")
        if i < 60:
            facts.stage(lead, 1, "qualified")
        if i < 30:
            facts.stage(lead, 2, "proposal")
        facts.outcome(lead, 3, "won" if i < 12 or i >= 95 else "lost")
    rates = compute_stage_rates(facts.history(tmp_path, known_until=10), known_us=day(10))
    assert rates == pytest.approx({"new": 0.6 * 0.2 + 0.05, "qualified": 0.2, "proposal": 0.4})


def month(name, *, middle, won, guess=None):
    band = Band(mean=middle, low=middle - 2, middle=middle, high=middle + 2)
    return ForecastedMonth(
        month=name,
        model_known_until="2024-01-01T00:00:00Z",
        wins=band,
        won=won,
        revenue=None,
        won_revenue=None,
        naive_wins={"run_rate": guess},
        naive_revenue={"run_rate": None},
    )


def test_month_when_replayed_then_is_forecast_at_its_start_and_settled_by_what_came(history):
    july = list_periods(day(200), by="month", count=1, zone="UTC")[0]
    start_us = july.start_us
    early = fit_scorecard(history, known_us=start_us, why="a test").model
    replayed = replay_month(history, KnownModel(early, "v0", start_us), july)
    wins = history.spells(day(DAYS))
    wins = wins[wins["won"] & wins["close_us"].between(start_us, july.end_us, inclusive="left")]
    assert (replayed.month, replayed.won) == ("2024-07", len(wins))
    forecast = forecast_by(history, KnownModel(early, "v0", start_us), as_of_us=start_us, periods=1)
    assert replayed.wins == forecast.total.wins
    assert replayed.naive_wins["stage_weighted"] > 0
    late = KnownModel(early, "v0", start_us + 1)
    with pytest.raises(UserError, match="so its scores would use later facts"):
        replay_month(history, late, july)


def test_backtest_when_summed_up_then_counts_months_within_the_band_and_errors():
    months = [
        month("2024-01", middle=10, won=12, guess=9.0),
        month("2024-02", middle=10, won=13),
        month("2024-03", middle=10, won=7, guess=8.0),
    ]
    result = summarise("p", months, {})
    assert result.summary == "actual wins were within the 80% range in 1 of 3 months"
    assert result.held_revenue is None
    assert result.errors["leadscore"].wins == pytest.approx(8 / 3)
    assert result.errors["leadscore"].wins_bias == pytest.approx(-2 / 3)
    assert (result.errors["run_rate"].wins, result.errors["run_rate"].months) == (2.0, 2)
    assert not holds(None, 3)
    assert list(result.to_pandas()["wins_high"]) == [12, 12, 12]


def test_forecast_when_nothing_is_dated_or_hardly_anything_was_won_then_says_so(
    tmp_path, history, known
):
    undated = histories.undated_settings("none", tmp_path)
    for job in (Project(undated).forecast, Project(undated).backtest_forecast):
        with pytest.raises(UserError, match="nothing to forecast"):
            job()
    with pytest.raises(UserError, match="too few to say how fast leads are won"):
        forecast_by(history, replace(known, known_us=0), as_of_us=day(20))


def test_forecast_when_nobody_states_amounts_then_is_of_wins_alone(settings, known, tmp_path):
    facts = histories.sales_facts(settings, leads=400, days=DAYS, seed=5, signal=1.8)
    bare = facts.history(tmp_path, known_until=DAYS)
    forecast = forecast_by(bare, known, as_of_us=day(NOW), target=Target(40, is_revenue=False))
    assert forecast.views is None
    assert forecast.total.revenue is None
    assert forecast.needed.unit == "wins"
    assert any("no amounts are known" in warning for warning in forecast.warnings)
    for more in ({"target": Target(1.0, is_revenue=True)}, {"since_us": day(THEN)}):
        with pytest.raises(UserError, match="no amounts are known"):
            forecast_by(bare, known, as_of_us=day(NOW), **more)


def change_leads(settings, tmp_path, **columns):
    """The same history, whose last leads have other columns."""
    facts = world_facts(settings)
    for row in facts.rows["leads"][-200:]:
        row.update(columns)
    return facts.history(tmp_path, known_until=DAYS)


def test_forecast_when_amounts_are_in_several_currencies_then_adds_up_none_and_says_so(
    settings, known, tmp_path
):
    mixed = change_leads(settings, tmp_path, currency="USD")
    forecast = forecast_by(mixed, known, as_of_us=day(NOW))
    assert (forecast.total.revenue, forecast.views) == (None, None)
    assert forecast.warnings[0].startswith("amounts are in EUR, USD")
    for more in ({"target": Target(1.0, is_revenue=True)}, {"since_us": day(THEN)}):
        with pytest.raises(UserError, match="amounts are in several currencies, so"):
            forecast_by(mixed, known, as_of_us=day(NOW), **more)


def test_forecast_when_open_leads_have_amounts_below_0_then_warns_of_them(
    settings, known, tmp_path
):
    negative = change_leads(settings, tmp_path, amount=-1_000_00)
    forecast = forecast_by(negative, known, as_of_us=day(NOW), target=Target(1.0, is_revenue=True))
    assert "open leads have amounts below 0" in forecast.warnings[0]
    assert "fields.amount.minimum" in forecast.warnings[0]


@pytest.mark.slow
def test_command_when_run_then_prints_the_forecast_the_leads_and_the_backtest(tmp_path):
    settings = histories.trained().settings
    project = Project(settings)
    forecast = project.forecast(by="quarter", periods=1)
    timing = project.time_to_win(to=tmp_path / "leads.csv")
    assert (
        forecast.basis.open_leads == len(timing.leads) == len(pd.read_csv(tmp_path / "leads.csv"))
    )
    told = backtest_forecast(settings, months=1)
    assert json.loads(json.dumps(told.to_dict()))["months"][0]["model_known_until"]
    assert run("forecast", "--config", tmp_path / "none.toml").code == 2


def test_horizon_when_left_to_the_history_then_is_that_of_the_champion():
    stated = histories.trained().settings
    target = stated.target.model_copy(update={"horizon_days": 0})
    left_open = stated.model_copy(update={"target": target})
    assert with_horizon_of_champion(left_open).target == stated.target
    elsewhere = left_open.model_copy(update={"project": "untrained"})
    assert with_horizon_of_champion(elsewhere) == elsewhere
