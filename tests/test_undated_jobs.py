"""From an export without dates to a published list, by the jobs and by the command line."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import commands
import histories
from histories import undated_leads, undated_settings
from leadscore import project as jobs
from leadscore.errors import UserError
from leadscore.project import explaining, reporting
from leadscore.results import Scored, Trained
from leadscore.settings.settings import Settings
from leadscore.store.receipts import read_receipts

OPEN = 12


def run(folder: Path, *, time: str) -> tuple[Settings, Trained]:
    """The settings of an export in `folder`, with `OPEN` open leads, and what its training told."""
    settings = undated_settings(time, folder, project=time)
    undated_leads(leads=300, seed=2, is_open=OPEN).to_csv(folder / "leads.csv", index=False)
    jobs.ingest(settings)
    told = jobs.train(settings)
    assert told.no_signal is None
    histories.register(settings, told)
    return settings, told


@pytest.fixture(scope="module", params=["none", pytest.param("ordered", marks=pytest.mark.slow)])
def world(request, tmp_path_factory):
    return run(tmp_path_factory.mktemp("undated"), time=request.param)


def published(scored: Scored) -> pa.Table:
    return pq.read_table(Path(scored.folder) / "scores.parquet")


def test_score_when_nothing_is_dated_then_lists_every_open_lead_under_no_date(world):
    settings, _ = world
    told = histories.score_and_publish(settings)
    table = published(told)
    assert told.counts.to_dict() == {
        "leads": 300,
        "scored": OPEN,
        "closed": 300 - OPEN,
        "absent": 0,
        "not_yet_created": 0,
        "refused": 0,
    }
    assert table.num_rows == OPEN
    assert told.as_of is None
    assert re.fullmatch(r"undated-[0-9a-f]{12}", told.publication_id)
    assert set(table["as_of"].cast(pa.int64()).to_pylist()) == {0}
    receipts = read_receipts(settings.project_folder() / "store").to_pandas()
    ours = receipts[receipts["publication_id"] == told.publication_id]
    assert set(ours["lead_id"]) == set(table["lead_id"].to_pylist())


def test_score_when_the_export_states_its_moment_then_the_list_bears_it(world):
    settings, _ = world
    dated = settings.model_copy(update={"known_until": "2024-03-01"})
    told = jobs.score(dated)
    assert told.as_of == "2024-03-01T00:00:00Z"
    assert told.publication_id.startswith("20240301T000000Z-")
    assert {str(as_of) for as_of in published(told)["as_of"].to_pylist()} == {
        "2024-03-01 00:00:00+00:00"
    }
    plain = jobs.score(settings)
    assert published(told).drop_columns("as_of") == published(plain).drop_columns("as_of")


def test_score_when_repeated_then_is_the_same_publication(world):
    settings, _ = world
    assert jobs.score(settings).publication_id == jobs.score(settings).publication_id


def test_list_when_explained_and_replayed_then_is_the_same_and_bears_no_date(world):
    settings, _ = world
    told = histories.score_and_publish(settings)
    lead_id = told.top[0]["lead_id"]
    again = jobs.replay(settings, told.publication_id, lead_id)
    assert (again.same, again.as_of, again.facts) == (True, None, [])
    assert {past.as_of for past in again.past} == {None}
    assert not re.search(r"\b(None|nan|null|1970)\b", again.page)
    total = again.base + sum(group.value for group in again.groups)
    assert total == pytest.approx(again.log_odds, abs=1e-9)

    contents = reporting.gather(settings, *explaining.read_list(settings, told.publication_id))
    waterfall = contents.waterfalls[lead_id]
    assert waterfall.total == pytest.approx(100 * again.win_probability, abs=1e-6)
    assert contents.timelines == {}


@pytest.mark.parametrize("job", [jobs.train, jobs.score])
def test_job_when_a_moment_is_given_then_it_is_refused(world, job):
    settings, _ = world
    with pytest.raises(
        UserError, match=f"time = {settings.time}: nothing is dated, so leave out --as-of"
    ):
        job(settings, as_of_us=1)


@pytest.mark.slow
@pytest.mark.parametrize("world", ["ordered"], indirect=True)
def test_score_when_the_order_now_ends_before_what_the_model_learned_then_is_refused(
    world, tmp_path
):
    settings, _ = world
    (tmp_path / "leads.csv").write_text("id,place,color,size,level,end\nx,5,red,1,low,\n")
    shorter = settings.model_copy(
        update={"input_folder": tmp_path, "data_folder": tmp_path / "data"}
    )
    jobs.ingest(shorter)
    with pytest.raises(
        UserError, match=r"up to place 908, after the as_of place 6, .*; train again first"
    ):
        jobs.score(shorter)


# --- The model card -------------------------------------------------------------------------------------------------


def test_card_when_nothing_is_dated_then_has_no_empty_part_and_speaks_of_no_date(world):
    settings, told = world
    card = Path(told.card).read_text()
    words = re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", card, flags=re.DOTALL))
    assert settings.assumption() in words
    assert "learned from what was known until the export" in words
    assert not re.search(r"\b(None|nan|null)\b", words)
    assert not re.search(
        r"1970|horizon|snapshot|undated,|censored|Young and older|within the \d+ days", words
    )
    assert not re.search(r"<h[23]>[^<]*</h[23]>\s*(<h2|</section|</div>\s*</section)", card)
    assert not re.search(r"<(ul|tbody|p)>\s*</\1>", card)
    ordered = settings.time == "ordered"
    assert [
        said in words for said in ("known until place 908", "as known before", "The world drifts")
    ] == [ordered] * 3
    assert ("trained on those before" in words) is ordered
    assert ("by cross-validation" in words) is not ordered


# --- The command line -----------------------------------------------------------------------------------------------


SETTINGS = """
project = "{time}"
time = "{time}"
data_folder = "{folder}/data"
models_folder = "{folder}/models"
fields = {{ color = {{}}, size = {{ type = "number", decimals = 0 }}, level = {{}} }}
bant.need = {{ field = "level", levels = ["low", "mid", "high"] }}

[sources.leads]
path = "leads.csv"

[[mapping]]
source = "leads"
table = "leads"
columns = {{ lead_id = "id", color = "color", size = "size", level = "level"{place} }}

[[mapping]]
source = "leads"
table = "outcomes"
columns = {{ lead_id = "id", outcome = "end" }}
where_not = {{ end = "" }}
"""


@pytest.fixture
def command(world, monkeypatch):
    """Runs a command of `leadscore` beside the world's export: (exit code, all that is printed)."""
    settings, _ = world
    folder, place = (
        settings.input_folder,
        ', sequence = "place"' if settings.time == "ordered" else "",
    )
    (folder / "leadscore.toml").write_text(
        SETTINGS.format(time=settings.time, folder=folder, place=place)
    )
    monkeypatch.chdir(folder)

    def run(*words: str) -> tuple[int, str]:
        ended = commands.run(*words)
        return ended.code, " ".join((ended.out + ended.err).split())

    return run


@pytest.mark.parametrize("name", ["train", "score"])
def test_command_when_as_of_is_given_and_nothing_is_dated_then_words_refuse_it(
    world, command, name
):
    told = f"error: time = {world[0].time}: nothing is dated, so leave out --as-of"
    assert command(name, "--as-of", "2024-01-01") == (2, told)


def test_ingest_when_nothing_is_dated_then_says_what_that_takes_for_granted(world, command):
    code, told = command("ingest")
    assert code == 0
    assert f"warning: {world[0].assumption()}" in told
    assert told.endswith(", undated" if world[0].time == "none" else ", known until place 908")


def test_audit_when_nothing_is_dated_then_is_told_of_the_store(world, command):
    code, told = command("audit")
    assert code == 0
    assert told.startswith(
        "Fields, undated" if world[0].time == "none" else "Fields, known until place 908"
    )


def test_score_when_nothing_is_dated_then_shows_the_list_without_a_date(command):
    code, told = command("score")
    assert code == 0
    assert told.startswith("First to call # lead win value first reason")
    assert f"{OPEN} open leads scored; {300 - OPEN} closed" in told


@pytest.mark.slow
def test_backtest_when_there_is_an_order_then_is_told_by_place_else_refused(world, command):
    code, told = command("backtest", "--dates", "2")
    if world[0].time == "none":
        assert (code, told.partition(":")[0]) == (2, "error")
        assert told.endswith("so there is no past to replay; see `train`")
    else:
        assert code == 0
        assert told.startswith("By place as of")
        assert "scores of 173 leads at 2 places" in told


def test_backtest_when_dates_are_given_and_nothing_is_dated_then_is_refused(command):
    code, told = command("backtest", "--from", "2024-01-01")
    assert code == 2
    assert "leave out --from and --to" in told or "no past to replay" in told
