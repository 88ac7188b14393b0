"""The funnel of the BPI Challenge 2012 beside a computation from the raw log that shares no code with it."""

import os
from collections import Counter
from itertools import groupby
from pathlib import Path

import pandas as pd
import pytest

from leadscore import Project
from leadscore.settings.read import read_settings

ROOT = Path(__file__).parents[2]
LOG = Path(os.environ.get("LEADSCORE_REAL_DATA", ROOT / "../shared/data")) / "bpic2012"
pytestmark = pytest.mark.skipif(
    not LOG.is_dir(), reason=f"the BPI Challenge 2012 log is not at {LOG}"
)
STAGES = ["A_SUBMITTED", "A_PARTLYSUBMITTED", "A_PREACCEPTED", "A_ACCEPTED", "A_FINALIZED"]
NAMES = ["submitted", "partly submitted", "preaccepted", "accepted", "finalized"]
WON = ["A_APPROVED", "A_REGISTERED", "A_ACTIVATED"]
LOST = ["A_DECLINED", "A_CANCELLED"]
KNOWN = pd.Timestamp("2012-02-01", tz="UTC")
DECEMBER = pd.Timestamp("2011-12-01", tz="UTC")
HOUR = pd.Timedelta(hours=1)
Visit = tuple[int, str, pd.Timestamp]  # whole hours, how it ended, when it began


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bpic2012")
    settings = read_settings(ROOT / "examples/bpic2012/leadscore.toml", input_folder=LOG)
    project = Project(settings.model_copy(update={"data_folder": folder / "data"}))
    project.ingest()
    return project


@pytest.fixture(scope="module")
def visits() -> dict[str, list[Visit]]:
    """The visits to each stage, read case by case."""
    log = pd.read_parquet(LOG / "events.parquet")
    is_read = log["activity"].isin(STAGES + WON + LOST) & (log["timestamp"] < KNOWN)
    log = log[is_read].sort_values(["case_id", "timestamp", "event_index"])
    rows = log[["case_id", "timestamp", "activity"]].itertuples(index=False, name=None)
    of_stage: dict[str, list[Visit]] = {name: [] for name in NAMES}
    for _, events in groupby(rows, key=lambda row: row[0]):
        walk([(at, what) for _, at, what in events], of_stage)
    return of_stage


def walk(events: list[tuple[pd.Timestamp, str]], of_stage: dict[str, list[Visit]]) -> None:
    """Add the visits of a case: where it stands, since when, until something else happens."""
    stage, since = None, None
    for at, what in events:
        if what in STAGES:
            if stage == what:
                continue
            if stage is not None and at > since:
                is_later = STAGES.index(what) > STAGES.index(stage)
                add(of_stage, stage, since, at, "forward" if is_later else "back")
            stage, since = what, at
        elif stage is not None:
            add(of_stage, stage, since, at, "won" if what in WON else "lost")
            stage = None
    if stage is not None:
        add(of_stage, stage, since, KNOWN, "open")


def add(of_stage, stage, since, until, way):
    of_stage[NAMES[STAGES.index(stage)]].append(((until - since) // HOUR, way, since))


def aalen_johansen(visits: list[Visit], within: float) -> tuple[dict[str, float], float]:
    """The share that ended in each way by then, and the share still there, hour by hour."""
    at_hour = Counter((hours, way) for hours, way, _ in visits)
    risk, staying = len(visits), 1.0
    shares = dict.fromkeys(("forward", "back", "won", "lost"), 0.0)
    for hour in range(int(within) + 1):
        ended = {way: at_hour[hour, way] for way in shares}
        if risk == 0:
            break
        for way, n in ended.items():
            shares[way] += staying * n / risk
        staying *= 1 - sum(ended.values()) / risk
        risk -= sum(ended.values()) + at_hour[hour, "open"]
    return shares, staying


def test_stages_of_the_log_when_counted_by_hand_then_shares_and_days_are_those_of_the_funnel(
    project, visits
):
    funnel = project.funnel()
    assert [stage.stage for stage in funnel.stages] == NAMES
    for stage in funnel.stages:
        own = visits[stage.stage]
        counts = Counter(way for _, way, _ in own)
        assert stage.visits == len(own)
        assert stage.unfinished == counts["open"]
        assert {way: out.visits for way, out in stage.ways.items()} == {
            way: counts[way] for way in stage.ways
        }
        shares, staying = aalen_johansen(own, stage.within_days * 24)
        assert stage.staying == pytest.approx(staying, abs=1e-12)
        for way, out in stage.ways.items():
            assert out.share == pytest.approx(shares[way], abs=1e-12)
        if stage.median_days is not None:
            half = stage.median_days * 24
            assert aalen_johansen(own, half)[1] <= 0.5 < aalen_johansen(own, half - 1)[1] + 1e-12


@pytest.mark.parametrize(("stage", "way"), [("preaccepted", "forward"), ("finalized", "won")])
def test_share_when_known_in_december_then_holds_by_february_and_the_naive_one_does_not(
    project, visits, stage, way
):
    """Two months later it is known what became of all visits that began by then."""
    flow = next(flow for flow in project.funnel(DECEMBER, days=61).stages if flow.stage == stage)
    out = flow.ways[way]
    begun = [(hours, ended) for hours, ended, since in visits[stage] if since < DECEMBER]
    in_time = [ended for hours, ended in begun if hours <= flow.within_days * 24]
    truth = in_time.count(way) / len(begun)
    assert out.low < truth < out.high
    assert out.of_finished > out.high
