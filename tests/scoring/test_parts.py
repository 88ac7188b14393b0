"""A list that is made part by part is the list that is made at once."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import histories
from leadscore.features.matrix import Matrix
from leadscore.scoring import ranked
from leadscore.scoring.change import Previous
from leadscore.scoring.parts import Parts
from leadscore.scoring.ranked import Ranked
from leadscore.scoring.score import read_open_leads
from leadscore.store.receipts import build_receipts
from leadscore.times import DAY_US
from scoring.lists import score

WEEK_US = 7 * DAY_US


@pytest.fixture(scope="module")
def at_once():
    """A list made at once, the one before it, and the history of both."""
    world = histories.trained()
    until = world.history.version.known_until_us
    before = score(world.history, as_of_us=until - WEEK_US)
    versions = {"model_version": "m", "store_version": "s"}
    receipts = build_receipts(before.scores, publication_id="before", **versions)
    previous = Previous("before", until - WEEK_US, receipts, world.model)
    return score(world.history, as_of_us=until, previous=previous), previous, world.history


def with_parts(history, *, size):
    engine = history.settings.engine.model_copy(update={"chunk_snapshots": size})
    return replace(history, settings=history.settings.model_copy(update={"engine": engine}))


@pytest.mark.parametrize("leads", [60, "all but one"])
def test_list_when_made_in_parts_then_is_the_one_made_at_once(at_once, leads):
    whole, previous, history = at_once
    n = whole.scores.num_rows
    size = n - 1 if leads == "all but one" else leads
    in_parts = with_parts(history, size=size)
    scored = score(in_parts, as_of_us=history.version.known_until_us, previous=previous)
    assert size < n
    assert scored.scores.equals(whole.scores)
    assert scored.facts == whole.facts


@pytest.mark.parametrize("as_of_us", [0, None], ids=["no leads", "several parts"])
def test_ids_when_the_list_is_read_then_are_in_one_piece(at_once, as_of_us):
    _, _, history = at_once
    until = history.version.known_until_us
    leads = read_open_leads(
        with_parts(history, size=60),
        histories.trained().model,
        model_version="the model",
        known_us=0,
        as_of_us=until if as_of_us is None else as_of_us,
    )
    assert isinstance(leads.listed.lead_id, pa.Array)
    assert bool(len(leads.listed.lead_id)) == (as_of_us is None)


ids = st.lists(st.text(alphabet="aZ-ü\U0001f600é0", max_size=3), unique=True, max_size=8)


@given(ids, ids)
@settings(max_examples=50, deadline=None)
def test_published_probability_when_leads_are_asked_about_then_is_that_of_each(listed, asked):
    chances = {lead: (1 + place) / 10 for place, lead in enumerate(listed)}
    columns = {
        "lead_id": pa.array(listed, pa.string()),
        "win_probability": pa.array(chances.values(), pa.float64()),
    }
    previous = Previous("before", 0, pa.table(columns), model=None)
    published = previous.published(np.array(asked, dtype=object))
    expected = [chances.get(lead, np.nan) for lead in asked]
    np.testing.assert_array_equal(published, expected)


features = st.lists(
    st.tuples(st.floats(), st.sampled_from([None, "", "a", "b", "ü"])), min_size=1, max_size=5
)


@given(st.lists(features, min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_parts_when_read_again_then_are_what_was_kept(lists):
    parts = Parts()
    begin = 0
    for rows in lists:
        numbers, texts = zip(*rows, strict=True)
        lead_id = [str(begin + place) for place in range(len(rows))]
        keys = pa.table({"lead_id": lead_id, "as_of_us": [7] * len(rows)}).to_pandas()
        columns = {"number": np.array(numbers), "text": np.array(texts, dtype=object)}
        parts.add(Matrix(keys, columns))
        begin += len(rows)

    read = list(parts)
    assert np.concatenate([at for at, _ in read]).tolist() == list(range(begin))
    for rows, (at, part) in zip(lists, read, strict=True):
        assert part.keys["lead_id"].tolist() == [str(place) for place in at]
        assert part.keys["as_of_us"].tolist() == [7] * len(rows)
        numbers, texts = zip(*rows, strict=True)
        np.testing.assert_array_equal(part.columns["number"], numbers)
        assert part.columns["text"].tolist() == list(texts)
    one = parts.of_lead(str(begin - 1))
    assert one.columns["text"].tolist() == [lists[-1][-1][1]]
    with pytest.raises(KeyError):
        parts.of_lead("another")


@given(st.permutations(range(23)), st.lists(st.integers(0, 23), max_size=4), st.integers(1, 30))
@settings(max_examples=50, deadline=None)
def test_rows_when_they_come_in_another_order_then_are_read_by_rank(ranks, borders, at_once):
    in_order = pa.table({"rank": range(23), "text": [f"row {place}" for place in range(23)]})
    rows = Ranked()
    for rank in np.split(np.array(ranks), sorted(borders)):
        rows.add(in_order.take(rank), rank=rank)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranked, "SLICE", at_once)
        slices = list(rows)
        assert [len(rows) for rows in slices[:-1]] == [at_once] * (len(slices) - 1)
        assert pa.concat_tables(slices).equals(in_order)
    assert rows.read().equals(in_order)
    assert rows.columns(["text"]).equals(in_order.select(["text"]))


def test_list_when_it_has_no_rows_then_is_one_slice_without_any():
    rows = Ranked()
    rows.add(pa.table({"a": pa.array([], pa.string())}), rank=np.empty(0, dtype=np.int64))
    assert [slice_.num_rows for slice_ in rows] == [0]
