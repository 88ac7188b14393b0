"""From published lists to what became of them: the job and the command."""

import json
import shutil

import pytest

import histories
from builders import day
from commands import run
from leadscore import Project
from leadscore import project as jobs
from leadscore.errors import DamagedFileError, UserError
from leadscore.project.judging import read_backtest

DAYS = 200
DATES = (110, 120, 130, 140, 150, 160, 175, 190)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """A small team whose scorecard published a list every ten days."""
    folder = tmp_path_factory.mktemp("monitored")
    settings = histories.sales_settings(folder, model={"scorer": "scorecard"})
    facts = histories.sales_facts(settings, leads=300, days=DAYS, seed=4, signal=1.5)
    for number in range(300):
        facts.score(f"{number:05d}", 100, "age in the CRM", number % 50)
    histories.write_store(facts, known_until=DAYS)
    trained = jobs.train(settings, as_of_us=day(105))
    histories.register(settings, trained, promote=True)
    for date in DATES:
        histories.score_and_publish(settings, as_of_us=day(date))
    return settings


def test_monitor_when_lists_were_published_then_every_receipt_is_accounted_for(settings):
    monitored = Project(settings).monitor(by="channel")
    counts = monitored.settled.counts.to_dict()
    assert counts.pop("receipts") == sum(counts.values())
    assert monitored.settled.lists == 6  # 175 and 190 are within the horizon
    assert counts["settled"] > 150
    assert counts["waiting"] > 30
    assert {group.name for group in monitored.settled.segments} == {"web", "fair", "referral"}
    rows = monitored.to_pandas()
    assert set(rows["tier"]) <= set("ABCD")
    assert rows["leads"].gt(0).all()
    assert type(monitored).from_dict(monitored.to_dict()) == monitored


def test_monitor_when_the_latest_list_is_compared_with_training_then_every_feature_is(settings):
    drift = Project(settings).monitor().drift
    assert drift.notes == []
    assert {feature.feature for feature in drift.features} >= {"bant_budget", "profile_channel"}
    assert sum(feature.share for feature in drift.features) == pytest.approx(1)
    assert drift.calibration.leads > 100
    assert all(alarm.do and alarm.sure and alarm.what for alarm in drift.alarms)


def test_monitor_when_the_model_is_gone_then_says_so_and_settles_all_the_same(settings, tmp_path):
    alone = settings.model_copy(update={"models_folder": tmp_path})
    monitored = Project(alone).monitor()
    assert monitored.drift is None
    assert "drift is unknown" in monitored.warnings[-1]
    assert monitored.settled.lists == 6


def test_monitor_when_asked_about_the_past_then_only_older_lists_are_settled(settings):
    then = Project(settings).monitor(day(145))
    assert then.settled.lists == 1
    assert then.settled.counts.receipts < Project(settings).monitor().settled.counts.receipts


def test_monitor_when_a_date_has_two_lists_then_one_of_them_is_settled(settings):
    before = Project(settings).monitor().settled.counts.receipts
    histories.score_and_publish(settings, as_of_us=day(DATES[-1]))
    assert Project(settings).monitor().settled.counts.receipts == before


def test_monitor_when_the_field_does_not_divide_leads_then_says_so(settings):
    with pytest.raises(UserError, match="'size' is of type 'number'"):
        Project(settings).monitor(by="size")


def test_monitor_when_nothing_was_published_then_says_what_to_run(settings, tmp_path):
    bare = settings.model_copy(update={"data_folder": tmp_path})
    histories.write_store(histories.sales_facts(bare, leads=5, days=DAYS, seed=4), known_until=DAYS)
    with pytest.raises(UserError, match="no list is published yet"):
        Project(bare).monitor()


def test_monitor_when_nothing_is_dated_then_refuses(tmp_path):
    with pytest.raises(UserError, match="without dates"):
        Project(histories.undated_settings("none", tmp_path)).monitor()


def test_judge_when_lists_are_published_then_the_score_is_judged_beside_them(settings):
    judged = Project(settings).judge("age in the CRM")
    assert judged.basis == "our published scores"
    assert judged.counts.both <= judged.counts.settled
    assert judged.auc.difference.value > 0
    assert list(judged.to_pandas()["tiers"]) == [top.tiers for top in judged.tops]


def test_judge_when_the_name_is_unknown_then_says_which_there_are(settings):
    with pytest.raises(UserError, match="there is no score 'age'; there are 'age in the CRM'"):
        Project(settings).judge("age")


def test_judge_when_no_list_is_settled_then_asks_for_a_backtest(settings):
    with pytest.raises(UserError, match="backtest"):
        Project(settings).judge("age in the CRM", as_of=day(115))


def test_judge_when_there_is_a_backtest_then_that_stands_for_our_lists(settings, tmp_path):
    alone = settings.model_copy(update={"data_folder": tmp_path})
    shutil.copytree(settings.project_folder() / "store", alone.project_folder() / "store")
    shutil.rmtree(alone.project_folder() / "store" / "receipts")
    write_backtest(alone)
    judged = Project(alone).judge("age in the CRM")
    assert judged.basis.startswith("our back-test")
    assert judged.auc.ours.value == pytest.approx(judged.auc.theirs.value)  # it predicted the same


@pytest.mark.parametrize(("name", "content"), [
    ("backtest.json", "{}"),
    ("backtest.json", "[]"),
    ("backtest.json", '{"known_until": 3, "dates": [{}], "horizon_days": 30}'),
    ("backtest.json", '{"known_until": "2024-07-19T00:00:00Z", "dates": [{}], "horizon_days": "30"}'),
    ("predictions.csv", None),
    ("predictions.csv", ""),
    ("predictions.csv", "lead_id,as_of_us\na,1\n"),
    ("predictions.csv", "lead_id,as_of_us,leadscore\na,today,0.5\n"),
    ("predictions.csv", "lead_id,as_of_us,leadscore\na,1,\n"),
    ("predictions.csv", "\0\xff"),
])  # fmt: skip
def test_judge_when_the_backtest_is_damaged_then_says_which_file_and_what_to_do(
    settings, tmp_path, name, content
):
    alone = settings.model_copy(update={"data_folder": tmp_path})
    write_backtest(alone)
    folder = alone.project_folder() / "backtests" / "made"
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content, encoding="latin-1")
    with pytest.raises(DamagedFileError, match=rf"{name} is damaged: .*leadscore backtest"):
        read_backtest(alone)


def test_backtest_when_one_is_half_written_then_is_not_read(settings, tmp_path):
    alone = settings.model_copy(update={"data_folder": tmp_path})
    (alone.project_folder() / "backtests" / ".writing-made").mkdir(parents=True)
    assert read_backtest(alone) == []


def write_backtest(settings):
    """A back-test whose model gave every lead the other score."""
    folder = settings.project_folder() / "backtests" / "made"
    folder.mkdir(parents=True)
    rows = [
        f"{number:05d},{day(date)},{(number % 50 + 1) / 100}"
        for date in (120, 140, 160)
        for number in range(300)
    ]
    text = "\n".join(["lead_id,as_of_us,leadscore", *rows])
    (folder / "predictions.csv").write_text(text, encoding="utf-8")
    report = {"known_until": "2024-07-19T00:00:00Z", "dates": [{}], "horizon_days": 30}
    (folder / "backtest.json").write_text(json.dumps(report), encoding="utf-8")


def test_command_when_a_score_is_judged_then_a_page_of_sentences_and_figures(settings, monkeypatch):
    monkeypatch.setattr("leadscore.project.project.read_settings", lambda *_, **__: settings)
    drawn = run("judge", "age in the CRM")
    assert drawn.code == 0, drawn.err
    assert all(word in drawn.out for word in ("ranks better", "Calling the first", "peek"))
    assert len(drawn.out.splitlines()) < 60
    printed = json.loads(run("judge", "age in the CRM", "--json").out)
    assert printed["name"] == "age in the CRM"


def test_command_when_drawn_or_asked_for_json_then_tells_the_same(settings, tmp_path, monkeypatch):
    monkeypatch.setattr("leadscore.project.project.read_settings", lambda *_, **__: settings)
    drawn = run("monitor", "--by", "channel")
    assert drawn.code == 0
    assert all(word in drawn.out for word in ("By tier", "By channel", "predicted", "Estimate for"))
    printed = json.loads(run("monitor", "--json").out)
    assert f"{printed['settled']['counts']['settled']:,} are settled" in drawn.out
