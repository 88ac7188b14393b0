"""Pruning of lists: which ones go, and that none goes that anybody still needs."""

import json
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from builders import day, make_settings
from leadscore.project.upkeep import horizon_of
from leadscore.publish import pruning
from leadscore.publish.listed import Listed, find_standing, list_published
from leadscore.publish.pruning import ListLimits, prune_lists
from leadscore.store.receipts import read_receipts
from publish.publishing import make_scores, publish, read_whole

DAYS = [100, 110, 120, 130, 140]


@pytest.fixture
def made(tmp_path):
    """Lists of five days; returns the folder and the ids by day."""
    return tmp_path, {n: publish(tmp_path, make_scores(shift=n), as_of_us=day(n)).id for n in DAYS}


def prune(folder, *, keep=1, days=0.0, until=500, horizon=30, really=True):
    return prune_lists(
        folder / "scores", folder / "store", limits=ListLimits(keep, days), known_until_us=day(until),
        horizon_days=lambda _: horizon, really=really,
    )  # fmt: skip


CASES = {
    "all are settled": ({}, [140]),
    "by number": ({"keep": 3}, [120, 130, 140]),
    "by age": ({"days": 375.0}, [130, 140]),
    "by both": ({"keep": 3, "days": 385.0}, [120, 130, 140]),
    "two horizons are open": ({"until": 150}, [130, 140]),
    "one ends just now": ({"until": 160, "horizon": 30}, [140]),
    "a horizon is not known": ({"horizon": None}, DAYS),
}


@pytest.mark.parametrize("case", CASES)
def test_lists_when_pruned_then_only_old_and_settled_ones_go_and_receipts_stay(made, case):
    folder, ids = made
    how, expected = CASES[case]
    receipts = read_receipts(folder / "store")
    foretold = prune(folder, **how, really=False)
    assert len(list_published(folder / "scores", folder / "store")) == len(DAYS)
    done = prune(folder, **how)
    assert (done.removed, done.kept) == (foretold.removed, foretold.kept)
    assert done.size == foretold.size
    if case == "two horizons are open":
        expected = [n for n in DAYS if n + 30 > 150]
    assert sorted(done.kept) == sorted(ids[n] for n in expected)
    assert {path.name for path in (folder / "scores").glob("2*")} == set(done.kept)
    assert read_receipts(folder / "store").equals(receipts)
    assert read_whole(folder) == ids[140]


def test_current_list_when_it_is_an_old_one_then_stays(made):
    folder, ids = made
    publish(folder, make_scores(shift=100), as_of_us=day(100), replace_newer=True)
    assert set(prune(folder).kept) == {ids[100], ids[140]}
    assert find_standing(folder / "scores", folder / "store").id == ids[100]


DAMAGE = {
    "its manifest is empty": lambda home: (home / "manifest.json").write_bytes(b""),
    "its manifest is gone": lambda home: (home / "manifest.json").unlink(),
    "it is gone": shutil.rmtree,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_list_when_old_then_goes_like_any_other(made, damage):
    folder, ids = made
    DAMAGE[damage](folder / "scores" / ids[110])
    assert prune(folder).kept == (ids[140],)


def test_pruning_when_it_dies_at_any_step_then_readers_see_a_whole_list_and_the_next_one_ends_it(
    made, monkeypatch
):
    folder, ids = made
    real = Path.unlink
    for dies_at in range(1, 5):
        calls = []

        def deadly(path, *args, **more):
            calls.append(path)  # noqa: B023
            if len(calls) == dies_at:  # noqa: B023
                raise KeyboardInterrupt
            return real(path, *args, **more)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "unlink", deadly)
            with suppress(KeyboardInterrupt):
                prune(folder)
        assert read_whole(folder) == ids[140]
    assert prune(folder).kept == (ids[140],)


def test_list_when_another_was_compared_with_it_then_stays_with_that_one(made):
    folder, ids = made
    manifest = folder / "scores" / ids[140] / "manifest.json"
    told = json.loads(manifest.read_text()) | {"previous": ids[110]}
    listed = pruning.Listed(ids[140], told)
    real = pruning.read_listed
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            pruning, "read_listed", lambda f, name: listed if name == ids[140] else real(f, name)
        )
        assert set(prune(folder).kept) == {ids[110], ids[140]}


def listed(**manifest):
    """A list as it is found in its folder; without a manifest it is damaged."""
    return Listed("20240101T000000Z-1", manifest or None)


HORIZONS = {
    "the same": (30, 30, 30),
    "longer then": (30, 90, 90),
    "longer now": (90, 30, 90),
    "left to the data, and that of its model": ("auto", 45, 45),
    "not known": (30, 0, None),
}


@pytest.mark.parametrize("case", HORIZONS)
def test_horizon_of_a_list_when_asked_for_then_is_the_longer_of_then_and_now(case):
    now, then, expected = HORIZONS[case]
    settings = make_settings(target={"horizon_days": now})
    assert (
        horizon_of(settings, listed(settings=json.dumps({"target": {"horizon_days": then}})))
        == expected
    )
    assert horizon_of(settings, listed()) == 0
