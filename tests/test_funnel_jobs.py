"""From an export to what becomes of visits to stages: the job and the command."""

import json

import pandas as pd
import pytest

from commands import run
from leadscore import Project
from leadscore.errors import UserError
from leadscore.results import Funnel
from leadscore.sample.sample import write_sample
from leadscore.times import DAY_US, format_us, parse_moment
from published_lists import write_list

SINCE, UNTIL = pd.Timestamp("2025-03-01", tz="UTC"), pd.Timestamp("2026-03-01", tz="UTC")


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("funnel")
    write_sample(folder / "crm", leads=900, seed=4)
    path = folder / "crm" / "leadscore.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(f'data_folder = "{folder}/data"\n{text}', encoding="utf-8")
    Project(path).ingest()
    return path


def test_funnel_when_measured_then_its_counts_are_those_of_the_export_and_its_shares_add_up(config):
    funnel = Project(config).funnel()
    assert (funnel.as_of, funnel.since) == ("2026-03-01T00:00:00Z", "2025-03-01T00:00:00Z")
    rows = pd.read_csv(config.parent / "exports" / "stage_history.csv")
    entered = pd.to_datetime(rows["entered_at"], utc=True, format="ISO8601")
    entries = rows[entered >= SINCE].drop_duplicates(["lead_id", "entered_at"])
    for stage in funnel.stages:
        near = entries.loc[entries["stage"] == stage.stage, "lead_id"]
        assert stage.visits == pytest.approx(len(near), rel=0.02)  # some are repeated in the export
        counts = {way: out.visits for way, out in stage.ways.items()}
        assert sum(counts.values()) + stage.unfinished == stage.visits
        shares = [out.share for out in stage.ways.values()]
        assert sum(shares) + stage.staying == pytest.approx(1)
        assert all(out.low <= out.share <= out.high for out in stage.ways.values())
        assert stage.fast_days < stage.median_days
    assert funnel.stages[0].stage == "New"
    assert funnel.stages[-1].ways["forward"].visits == 0
    assert list(funnel.to_pandas()["stage"]) == [stage.stage for stage in funnel.stages]


def test_funnel_when_asked_for_the_past_then_most_recent_visits_are_unfinished(config):
    past = Project(config).funnel("2025-06-01", days=30)
    now = Project(config).funnel(days=300)
    assert all(stage.unfinished / stage.visits > 0.2 for stage in past.stages)
    assert all(stage.unfinished / stage.visits < 0.2 for stage in now.stages)


def test_funnel_when_grouped_then_each_lead_of_the_period_is_in_one_group(config):
    plain = Project(config).funnel()
    for by in ("channel", "rep", "team"):
        funnel = Project(config).funnel(by=by)
        assert sum(cohort.leads for cohort in funnel.cohorts) == sum(
            group.leads for group in funnel.groups
        )
        for place, stage in enumerate(plain.stages):
            assert sum(group.stages[place].visits for group in funnel.groups) == stage.visits
        assert list(funnel.to_pandas("groups")["value"]) == [g.value for g in funnel.groups]
    assert {group.value for group in funnel.groups} == {"DACH", "North", "West", "Isles"}


def test_funnel_when_grouped_by_what_is_not_there_then_says_what_is(config):
    with pytest.raises(UserError, match="did you mean 'channel'"):
        Project(config).funnel(by="chanel")
    with pytest.raises(
        UserError, match=r"'amount' is a number; .* by 'rep', 'team', 'tier', 'channel'"
    ):
        Project(config).funnel(by="amount")
    with pytest.raises(UserError, match="no list was published yet"):
        Project(config).funnel(by="tier")


def test_funnel_when_measured_then_its_tables_agree_with_one_another(config):
    funnel = Project(config).funnel()
    with pytest.raises(UserError, match="there is no table 'nonsense'; there are stages, moves"):
        funnel.to_pandas("nonsense")
    by_stage = funnel.to_pandas("moves").groupby("stage")["visits"].sum()
    for stage in funnel.stages:
        moved = stage.ways["forward"].visits + stage.ways["back"].visits
        assert by_stage.get(stage.stage, 0) == moved
    backs = sum(stage.ways["back"].visits for stage in funnel.stages)
    assert funnel.irregular.moved_back == backs
    assert funnel.irregular.not_allowed == 0
    assert Funnel.from_dict(funnel.to_dict()) == funnel
    for cohort in funnel.cohorts:
        assert cohort.won + cohort.lost + cohort.open == cohort.leads
        shares = [share.value for share in cohort.won_within.values() if share.value is not None]
        assert shares == sorted(shares)
    assert len(funnel.cohorts) == 12
    assert funnel.velocity.per_day == pytest.approx(funnel.velocity.won_per_day, rel=0.5)


def test_losses_when_measured_then_add_up_to_the_stages_and_waits_and_gains_are_in_order(config):
    funnel = Project(config).funnel()
    by_stage = funnel.to_pandas("losses").groupby("stage")["visits"].sum()
    for stage in funnel.stages:
        assert by_stage[stage.stage] == stage.ways["lost"].visits
    assert {loss.reason for loss in funnel.losses} == {
        "competitor", "no budget", "too early", "no decision", "no answer",
    }  # fmt: skip

    leads = pd.read_csv(config.parent / "exports" / "leads.csv").set_index("lead_id")
    acts = pd.read_csv(config.parent / "exports" / "activities.csv")
    of_rep = acts[acts["actor"] == "rep"].groupby("lead_id")["at"].min()
    created = pd.to_datetime(leads["created_at"], utc=True, format="ISO8601")
    first = pd.to_datetime(of_rep, utc=True, format="ISO8601").reindex(leads.index)
    new = leads.index[created >= SINCE]
    within = ((first - created)[new] < pd.Timedelta(days=1)).mean()
    assert funnel.contact.leads == len(new)
    assert funnel.contact.contacted["1"].value == pytest.approx(within, abs=0.01)
    assert sum(band.leads for band in funnel.contact.bands) == funnel.contact.compared

    assert len(funnel.stalled) == sum(stage.stalled for stage in funnel.stages)
    gains = [better.wins for better in funnel.improvements]
    assert gains == sorted(gains, reverse=True)
    assert min(gains) > 0
    last = next(better for better in funnel.improvements if better.stage == "Negotiation")
    assert last.wins == pytest.approx(last.visits * 0.05)
    assert {pattern.field for pattern in funnel.patterns} >= {"channel", "amount", "activity"}


def test_command_when_asked_for_json_then_prints_the_stages_else_a_line_each(config):
    plain = run("funnel", "--config", config)
    assert plain.code == 0
    assert all(stage in plain.out for stage in ("New", "Contacted", "Negotiation", "visits"))
    told = json.loads(run("funnel", "--config", config, "--json").out)
    assert told["stages"][-1]["stage"] == "Negotiation"


def test_command_when_asked_for_a_page_then_writes_it_and_says_where(config, tmp_path):
    path = tmp_path / "pipeline.html"
    shown = run("funnel", "--config", config, "--html", path)
    assert shown.code == 0
    assert str(path) in shown.out
    page = path.read_text(encoding="utf-8")
    assert page.count("<svg") >= 4  # patterns are drawn only where some stand out
    assert "Negotiation: +5 points" in page


def test_funnel_when_there_are_no_stages_then_says_what_to_declare(config):
    settings = Project(config).settings
    bare = settings.model_copy(update={"stages": settings.stages.model_copy(update={"open": ()})})
    with pytest.raises(UserError, match="declare them in order"):
        Project(bare).funnel()


def us_of(day):
    return parse_moment(day, zone="UTC")


def test_funnel_when_grouped_by_tier_then_follows_the_leads_of_a_list_that_is_old_enough(config):
    project = Project(config)
    folder = project.settings.project_folder()
    with project.history() as history:
        until_us = history.version.known_until_us
        spells = history.spells(until_us)
    listed_us = us_of("2025-10-01")
    is_open = (spells["start_us"] <= listed_us) & (spells["close_us"] > listed_us)
    listed = spells[is_open].sort_values("lead_id")
    likely, unlikely = listed[listed["won"]], listed[~listed["won"]]
    write_list(folder, dict.fromkeys(likely["lead_id"], 0.5), as_of_us=listed_us, tier="B")
    write_list(folder, dict.fromkeys(unlikely["lead_id"], 0.1), as_of_us=us_of("2026-02-20"))
    with pytest.raises(UserError, match=r"at least 60 days before 2025-11-01.* is of 2025-10-01"):
        project.funnel("2025-11-01", by="tier")

    funnel = project.funnel(by="tier")
    (group,) = funnel.groups
    assert (group.value, funnel.tiers_as_of) == ("B", "2025-10-01T00:00:00Z")
    assert (group.leads, group.open) == (len(likely), 0)
    in_time = likely["close_us"] <= listed_us + 60 * DAY_US
    assert group.won.value == pytest.approx(in_time.mean(), abs=0.02)
    assert len(project.funnel().groups) == 0


def first_of(config):
    with Project(config).history() as history:
        return history.version.first_us


def test_review_when_asked_for_then_is_a_page_of_what_closed_beside_the_export(config, tmp_path):
    page = tmp_path / "review.html"
    ended = run("funnel", "--config", config, "--days", 90, "--review", page)
    assert ended.code == 0, ended.err
    assert f"Page: {page}" in " ".join(ended.out.split())
    closed = Project(config).win_loss(days=90)
    outcomes = pd.read_csv(config.parent / "exports" / "outcomes.csv")
    at = pd.to_datetime(outcomes["closed_at"], utc=True, format="ISO8601")
    lately = outcomes[(at >= UNTIL - pd.Timedelta(days=90)) & (at < UNTIL)]
    won = (lately["outcome"] == "won").sum()
    assert closed.won.leads == pytest.approx(won, rel=0.05)  # some are slips put right
    assert closed.records_begin is None
    assert Project(config).win_loss(days=365).records_begin == format_us(first_of(config))
    text = page.read_text(encoding="utf-8")
    assert f"Won and lost, {closed.since[:10]} to 2026-03-01" in text
    assert closed.largest_losses[0].lead_id in text


@pytest.mark.parametrize("days", [1, 7, 8])
def test_funnel_when_next_to_nothing_happened_in_the_period_then_has_dashes(config, days):
    asked = run("funnel", "--config", config, "--days", days)
    assert asked.code == 0, asked.err
    assert f"from {UNTIL - pd.Timedelta(days=days):%Y-%m-%d}" in asked.out


@pytest.mark.parametrize("days", [0, -1, 1e9, float("nan"), float("inf")])
def test_funnel_when_the_period_makes_no_sense_then_is_refused_in_words(config, days):
    for job in (Project(config).funnel, Project(config).win_loss):
        with pytest.raises(UserError, match="a period has from 1 to 36,500 days"):
            job(days=days)
    ended = run("funnel", "--config", config, f"--days={days}")
    assert ended.code == 2
    assert "a period has from 1 to 36,500 days" in " ".join(ended.err.split())


@pytest.mark.parametrize("name", ["leadscore.toml", "exports/leads.csv"])
def test_page_when_it_would_replace_what_the_project_reads_then_is_refused(config, name):
    file = config.parent / name
    before = file.read_bytes()
    asked = run("funnel", "--config", config, "--html", file)
    assert asked.code == 2
    assert "is read by project 'sample'; name another file" in " ".join(asked.err.split())
    assert file.read_bytes() == before


YOUNG = """
project = "young"
known_until = 2024-02-01
timezone = "Africa/Cairo"

[sources.leads]
path = "leads.csv"

[stages]
open = ["New", "Late"]

[[mapping]]
source = "leads"
table = "leads"
columns = { lead_id = "id", event_at = "created" }

[[mapping]]
source = "leads"
table = "stages"
columns = { lead_id = "id", event_at = "created" }
constants = { stage = "New" }

[[mapping]]
source = "leads"
table = "outcomes"
columns = { lead_id = "id", event_at = "closed" }
constants = { outcome = "won" }
"""


def test_funnel_when_no_lead_ever_moved_then_has_its_visits(tmp_path):
    path = tmp_path / "leadscore.toml"
    path.write_text(YOUNG)
    rows = [f"{i},2024-01-01 10:00,2024-01-{i % 20 + 2:02d}" for i in range(40)]
    (tmp_path / "leads.csv").write_text("\n".join(["id,created,closed", *rows]))
    Project(path).ingest()
    new, late = Project(path).funnel().stages
    assert (new.visits, late.visits) == (40, 0)
    assert new.ways["won"].share == 1  # all have ended, so there is nothing to wait for
