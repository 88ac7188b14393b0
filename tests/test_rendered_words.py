"""What commands print where a part is empty, or looks like markup of the terminal."""

import re
from types import SimpleNamespace

import pytest

from evaluations import make_evaluation
from leadscore.cli.rendering import customers, monitored, scored, started, stored, trained
from leadscore.cli.rendering.console import draw_metrics, out
from leadscore.cli.rendering.delivered import draw_publish
from leadscore.cli.rendering.forecast import draw_forecast
from leadscore.results import Deliveries, Monitored, ReceiptCounts, Scored, SourceFile, Started
from leadscore.results.breakdowns import NeverWorked
from leadscore.results.customers import Referrals
from leadscore.results.drift import CalibrationTest
from leadscore.results.monitor import Settled
from made_pages import band, make_forecast, make_period, share


def test_publish_when_no_target_is_set_then_names_the_table_of_settings(capsys):
    draw_publish(Deliveries(targets=[]))
    assert capsys.readouterr().out.startswith("The settings have no [targets]: nothing")


def make_started(*, is_dated: bool = True) -> Started:
    return Started(
        config="leadscore.toml",
        preset=None,
        url_env=None,
        parts=[],
        unused=["reps.csv"],
        to_confirm=["Region"],
        has_outcomes=True,
        is_dated=is_dated,
    )


def test_init_when_a_file_is_not_used_then_names_the_table_of_reps(capsys):
    started.draw_started(make_started())
    assert "A list of reps goes under [routing], reps" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("is_dated", "words"),
    [
        (True, "Not learned from yet: 'Region'."),
        (False, "Learned from, but not confirmed: 'Region'."),
    ],
)
def test_init_when_fields_wait_then_says_whether_they_are_learned_from(capsys, is_dated, words):
    started.draw_start(make_started(is_dated=is_dated))
    assert capsys.readouterr().out.startswith(words)


@pytest.mark.parametrize(
    ("settled", "words"),
    [
        (0, "None of the 286 published scores is settled yet as of 2026-03-01"),
        (7, "Of 286 published scores 7 are settled as of 2026-03-01"),
    ],
)
def test_monitor_when_scores_wait_then_says_in_words_that_none_is_settled(capsys, settled, words):
    counts = ReceiptCounts(
        receipts=286,
        settled=settled,
        waiting=286 - settled,
        out_of_sight=0,
        undated=0,
        without_lead=0,
    )
    monitored._draw_counts(counts, as_of="2026-03-01T00:00:00Z")
    assert words in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("lists", "order"), [(0, "first"), (3, "next")])
def test_monitor_when_a_list_waits_then_says_when_it_is_settled(capsys, lists, order):
    counts = ReceiptCounts(
        receipts=9,
        settled=0,
        waiting=9,
        out_of_sight=0,
        undated=0,
        without_lead=0,
    )
    settled = Settled(
        counts=counts,
        lists=lists,
        since=None,
        until=None,
        next_due="2026-04-30T00:00:00Z",
        metrics=None,
    )
    monitored.draw_monitor(
        Monitored(
            project="acme",
            as_of="2026-03-01T00:00:00Z",
            store_version="s",
            settled=settled,
        )
    )
    words = " ".join(capsys.readouterr().out.split())
    assert f"The {order} list is settled on 2026-04-30, when its horizon is over." in words


@pytest.mark.parametrize(
    ("highest", "raised", "words"),
    [
        (1.0, None, "No evidence that the win rates are off (1.0 to 1; alarm at 20 to 1)."),
        (3.2, None, "Win rates match the predictions so far (evidence against them 3.2 to 1;"),
        (25.0, "2026-03-01T00:00:00Z", "Win rates do not match the predictions (evidence"),
    ],
)
def test_calibration_when_tested_then_says_in_words_whether_win_rates_match(highest, raised, words):
    test = CalibrationTest.model_construct(highest=highest, limit=20.0, raised=raised)
    assert monitored._write_calibration(test).startswith(words)


@pytest.mark.parametrize(
    ("then", "now", "words"),
    [
        (2, 1, "by another model (version 2 then, version 1 now)"),
        (1, 1, "by the model or the pace of wins"),
        (None, None, "by the model or the pace of wins"),
    ],
)
def test_change_when_another_model_predicted_then_names_both_versions(
    capsys, monkeypatch, then, now, words
):
    monkeypatch.setattr(out, "width", 120)
    change = make_forecast().change.to_dict()
    change |= {"parts": {"model": -5_000}, "model_then": then, "model_now": now}
    draw_forecast(make_forecast(change=change))
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    ("dialect", "of_database", "words"),
    [
        ("comma", False, "leads: comma"),
        (None, False, "leads"),
        (None, True, "leads: read from the database"),
    ],
)
def test_file_when_it_is_a_table_of_a_database_then_says_so(dialect, of_database, words):
    file = SourceFile(
        source="leads", file="leads", dialect=dialect, unchanged=False, of_database=of_database
    )
    assert stored._file_in_words(file) == words


def test_view_when_it_reads_no_source_then_says_so():
    view = SimpleNamespace(rows_in={}, rows=12)
    accounts = SimpleNamespace(views={"stage_states": view})
    assert stored._views(accounts) == ["View stage_states: no source -> 12 rows"]


@pytest.mark.parametrize(
    ("currency", "expected_value", "words"),
    [("EUR", 5.0, "EUR 372,837"), (None, 5.0, "372,837"), (None, None, "372,836.6")],
)
def test_sum_when_amounts_have_no_currency_then_is_rounded_as_on_the_list(
    currency, expected_value, words
):
    shown = Scored.model_construct(currency=currency, top=[{"expected_value": expected_value}])
    assert scored._in_money(372_836.6, shown) == words


def test_currency_when_it_looks_like_markup_then_is_shown_as_it_is(capsys):
    draw_forecast(make_forecast(currency="[red]"))
    assert scored._in_money(5.0, Scored.model_construct(currency="[red]")) == r"\[red] 5"
    words = " ".join(capsys.readouterr().out.split())
    assert "All periods, [red]: commit" in words
    assert "cause leads [red]" in words


@pytest.mark.parametrize(("ours", "is_explained"), [(10.0, True), (30.0, False)])
def test_routing_when_another_way_has_more_value_then_says_why(capsys, ours, is_explained):
    beside = {"ours": {"value": ours}, "least_loaded": {"value": 20.0}}
    facts = {"leads": 9, "assigned": 9, "changed": 0, "beside": beside, "worth_of_place": {}}
    scored._draw_routing(SimpleNamespace(currency="EUR"), facts)
    words = " ".join(capsys.readouterr().out.split())
    assert ("leadscore's is not the highest, since better tiers" in words) == is_explained
    assert "one more free slot" not in words  # no rep has a team


def test_metrics_when_drawn_then_shares_are_in_percent_and_the_lift_is_a_multiple(
    capsys, monkeypatch
):
    monkeypatch.setattr(out, "width", 120)
    draw_metrics("Evaluated", {"all": make_evaluation().overall})
    shown = capsys.readouterr().out.replace("\N{NO-BREAK SPACE}", " ")
    assert re.search(r"of all wins in the first 10% +71\.0% \(66\.0% to 76\.0%\)", shown)
    assert "lift in the first 10%, times chance" in shown


@pytest.mark.parametrize(
    ("by_tier", "words"),
    [
        ({"A": 1, "B": 2}, "Never worked: 3 of 9 evaluated leads that were not won (A 1, B 2)"),
        ({"A": 2, "B": 2}, "(A 2, B 2; a lead counts in each tier that it was in)"),
    ],
)
def test_never_worked_when_leads_were_in_several_tiers_then_says_why_they_add_up_to_more(
    capsys, by_tier, words
):
    never = NeverWorked(leads=3, of=9, by_tier=by_tier)
    trained._draw_never_worked(never)
    assert words in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("in_tiers", "is_said"), [((5, 4), True), ((4, 3), False)])
def test_tiers_when_leads_are_in_several_then_says_that_they_add_up_to_more(
    capsys, in_tiers, is_said
):
    groups = [SimpleNamespace(leads=leads) for leads in in_tiers]
    overall = SimpleNamespace(leads=7)
    trained._note_repeats(SimpleNamespace(overall=overall, tiers=groups))
    words = " ".join(capsys.readouterr().out.split())
    assert ("so the groups add up to more than 7 leads" in words) == is_said


def test_forecast_when_printed_then_says_which_figures_are_averages_and_what_all_periods_are(
    capsys, monkeypatch
):
    monkeypatch.setattr(out, "width", 120)
    draw_forecast(make_forecast())
    shown = capsys.readouterr().out
    assert " total " in shown
    assert "Averages over the simulations, to the cent" in shown
    assert "won deals close at 90% of the requested amount" in shown
    assert "Won counts a re-opened lead once more each time" in " ".join(shown.split())


def test_forecast_when_the_terminal_is_narrow_then_no_number_is_broken(capsys, monkeypatch):
    monkeypatch.setattr(out, "width", 80)
    period = make_period("2026 Q1", 109) | {
        "revenue": band(20_000_000),
        "revenue_from_open": 10_000_000,
        "revenue_from_new": 10_000_000,
    }
    draw_forecast(make_forecast(periods=[period], change=None, needed=None, settled=None))
    table, _, _ = capsys.readouterr().out.partition("All periods")
    assert max(map(len, table.splitlines())) <= 80
    for number in ("20,000,000", "(16,000,000-24,000,000)", "10,000,000"):
        assert number in table.split()


@pytest.mark.parametrize(
    ("won", "words"),
    [(0.24, "24 ± 12% won within 60 days, of the others 10 ± 5%."), (None, "; too few leads to compare.")],
)  # fmt: skip
def test_referrals_when_too_few_were_followed_then_are_not_compared(won, words):
    shares = {"won": share(won), "others": share(0.1)}
    referrals = Referrals.from_dict({"leads": 5, "of_leads": 90, "within_days": 60} | shares)
    assert customers._write_referrals(referrals).endswith(words)
