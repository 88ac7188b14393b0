"""Published forecasts: kept as they were, and settled by what came."""

import json
import logging
from pathlib import Path

import pytest

from builders import Facts, day, make_settings
from commands import run
from leadscore import Project
from leadscore.errors import UserError
from leadscore.project.forecast_published import is_published, settle_published
from leadscore.project.trail import read_trail
from leadscore.publish.forecasts import keep_forecast, read_forecasts
from leadscore.results import Forecast
from leadscore.store.version import make_current
from made_pages import band, make_forecast, make_period

JANUARY, FEBRUARY, MARCH = 0, 31, 60  # first days, after day 0, which is 2024-01-01


def period(number: int, wins: float) -> dict:
    """A month of 2024, of which so many wins are forecast, 100 each."""
    return make_period(f"2024-{number:02d}", 0) | {
        "start": f"2024-{number:02d}-01T00:00:00Z", "end": f"2024-{number + 1:02d}-01T00:00:00Z",
        "wins": band(wins), "revenue": band(100 * wins),
    }  # fmt: skip


def forecast(at: str, **wins: float) -> Forecast:
    """A forecast of some months as of a day of 2024, by a model named after it."""
    moment = f"2024-{at}T00:00:00Z"
    basis = make_forecast().basis.to_dict() | {"model_version": at}
    periods = [period(int(name[1:]), count) for name, count in wins.items()]
    return make_forecast(as_of=moment, basis=basis, periods=periods, settled=None)


@pytest.fixture
def settings(tmp_path):
    return make_settings().model_copy(update={"data_folder": tmp_path / "data"})


@pytest.fixture
def history(settings, tmp_path):
    """Ten wins in January, 20 in February, one a day in March."""
    facts = Facts(settings)
    days = [*[JANUARY + 5] * 10, *[FEBRUARY + 5] * 20, *range(MARCH, MARCH + 31)]
    for place, at in enumerate(days):
        facts.lead(f"l{place}", 0).stage(f"l{place}", 0, "new").stage(
            f"l{place}", at + 0.5, "signed"
        )
    opened = facts.history(tmp_path / "store", known_until=100)
    yield opened
    opened.engine.close()


@pytest.fixture
def january(settings):
    """A store that knows facts until the 20th of January."""
    store = settings.project_folder() / "store"
    make_current(Facts(settings).lead("a", 1).write(store, known_until=19))


def test_forecast_when_published_then_stands_whatever_is_forecast_of_that_moment_later(
    settings, january
):
    project = Project(settings)
    assert not is_published(settings, forecast("01-20", m2=20))
    path = project.publish_forecast(forecast("01-20", m2=20))
    first = json.loads(Path(path).read_text())
    assert (first["as_of"], first["basis"]["model_version"]) == ("2024-01-20T00:00:00Z", "01-20")
    assert first["periods"][0]["wins"] == band(20)
    assert first["change"] is first["needed"] is first["settled"] is None
    assert is_published(settings, forecast("01-20", m2=99))
    assert project.publish_forecast(forecast("01-20", m2=99)) == path
    assert json.loads(Path(path).read_text()) == first
    (entry,) = read_trail(settings)
    assert (entry.what, entry.about) == ("published", {"forecast": "20240120T000000Z-month"})


def test_command_when_published_a_second_time_then_says_that_the_file_stays_as_it_was(
    settings, january, monkeypatch
):
    monkeypatch.setattr("leadscore.project.project.read_settings", lambda *_, **__: settings)
    monkeypatch.setattr(Project, "forecast", lambda *_, **__: forecast("01-20", m2=20))
    first, second = run("forecast", "--publish"), run("forecast", "--publish")
    assert (first.code, second.code) == (0, 0)
    assert "\nPublished: " in first.out
    assert "\nAlready published, kept as it was: " in second.out


def test_forecast_when_it_is_of_the_past_then_is_a_replay_and_not_published(settings, january):
    with pytest.raises(UserError, match="is a replay"):
        Project(settings).publish_forecast(forecast("01-19", m2=20))
    assert not (settings.project_folder() / "forecasts").exists()


def test_settled_when_periods_are_over_then_the_last_forecast_from_before_counts(settings, history):
    folder = settings.project_folder() / "forecasts"
    assert settle_published(history, by="month", known_us=day(100)) is None
    for published in (
        forecast("01-05", m1=10, m2=40),  # January had begun, and nothing was published before
        forecast("01-20", m1=99, m2=30, m3=30),
        forecast("02-01", m2=21, m3=50),  # as February began
        forecast("02-10", m2=99, m3=60),
    ):
        keep_forecast(folder, published)
    settled = settle_published(history, by="month", known_us=day(100))
    assert settled.forecasts == 4
    assert [(one.period, one.model_version, one.won) for one in settled.periods] == [
        ("2024-01", "01-05", 10), ("2024-02", "02-01", 20), ("2024-03", "02-10", 31),
    ]  # fmt: skip
    # 8 to 12 of 10, 16.8 to 25.2 of 20, 48 to 72 of 31; no win states an amount
    assert settled.held_wins == 2
    assert settle_published(history, by="week", known_us=day(100)) is None


def test_settled_when_asked_for_an_earlier_moment_then_knows_what_was_known_then(settings, history):
    folder = settings.project_folder() / "forecasts"
    for published in (forecast("01-20", m2=30, m3=30), forecast("02-10", m3=60)):
        keep_forecast(folder, published)
    then = settle_published(history, by="month", known_us=day(MARCH))
    assert then.forecasts == 2
    assert [(one.period, one.won) for one in then.periods] == [("2024-02", 20)]
    early = settle_published(history, by="month", known_us=day(25))
    assert (early.forecasts, early.periods) == (1, [])


@pytest.mark.parametrize(("right", "damage", "words"), [
    ("{", "", "it is not JSON"),
    ("2024-01-05T00:00:00Z", "yesterday", "'yesterday' is no time"),
    ("2024-02-01T00:00:00Z", "soon", "'soon' is no time"),
])  # fmt: skip
def test_forecasts_when_a_file_is_damaged_then_the_others_are_read(
    tmp_path, caplog, right, damage, words
):
    for at in ("01-05", "01-20"):
        keep_forecast(tmp_path, forecast(at, m2=20))
    damaged = next(tmp_path.glob("*0105*"))
    damaged.write_text(damaged.read_text().replace(right, damage))
    with caplog.at_level(logging.WARNING):
        forecasts = read_forecasts(tmp_path, by="month")
    assert [one.as_of for one in forecasts] == ["2024-01-20T00:00:00Z"]
    assert words in caplog.text
