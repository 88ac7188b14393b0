"""A segment gets a model of its own only where that is clearly better on later leads, and is drawn to that of all."""

import numpy as np
import pandas as pd
import pytest

from builders import make_settings
from leadscore.features.feature import Feature
from leadscore.features.finish import Learned, Text
from leadscore.features.matrix import Matrix
from leadscore.history.side import Side
from leadscore.model.apply import WinModel, sigmoid
from leadscore.model.fit import fit_scorer
from leadscore.model.held_out import HeldOut
from leadscore.model.scorers.correction import fit_correction
from leadscore.model.scorers.segments import choose_segments
from leadscore.settings.settings import Settings

COUNTRY = Feature("profile_country", {}, Text("country"), "category", "profile_country")
MEETINGS = Feature("engagement_meetings", {}, Learned(), "share", "meetings", direction=1)
SIZE = Feature("profile_size", {}, Learned(), "share", "size")
FEATURES = (COUNTRY, MEETINGS, SIZE)


def make_world(*, swing, n=4000, seed=0):
    """Leads of three countries; in "at" the size works the other way round, by `swing`."""
    rng = np.random.default_rng(seed)
    keys = pd.DataFrame({"lead_id": [f"{i:05d}" for i in range(n)], "as_of_us": np.arange(n)})
    country = rng.choice(
        np.array(["at", "ch", "de", None], dtype=object), n, p=[0.3, 0.3, 0.3, 0.1]
    )
    meetings, size = rng.random(n), rng.normal(size=n)
    truth = 2 * (meetings - 0.5) + np.where(country == "at", 1 - swing, 1.0) * size
    label = (rng.random(n) < sigmoid(truth)).astype(float)
    columns = {"profile_country": country, "engagement_meetings": meetings, "profile_size": size}
    rows = keys.assign(label=label, weight=1.0)
    return Matrix(keys, columns), rows


def make_pools(matrix, rows, *, kind="logistic"):
    model = fit_scorer(matrix, rows.iloc[:1000], kind=kind, features=FEATURES, seed=0, threads=1)
    raw = model.log_odds(matrix.columns)

    def unseen(chosen):
        side = Side(
            "made", rows[chosen].reset_index(drop=True), 0, 1.0, 0.0, make_settings().target
        )
        return HeldOut(side, raw[chosen])

    at = np.arange(len(rows))
    return model, {
        "before": unseen((at >= 1000) & (at < 3000)),
        "last": unseen(at >= 3000),
        "whole": unseen(at >= 1000),
    }


def divided(swing, **more):
    matrix, rows = make_world(swing=swing, **more)
    model, pools = make_pools(matrix, rows)
    return matrix, model, pools, choose_segments(pools, model, matrix, FEATURES, field="country")


def test_segment_when_it_works_otherwise_then_has_a_model_of_its_own_that_is_better():
    matrix, model, _, found = divided(2.5)
    assert list(found.segments["models"]) == [
        "at",
        "ch",
        "de",
    ]  # the others gain by being freed from "at"
    told = {each.segment: each for each in found.report.models}
    assert sorted(told) == ["at", "ch", "de"]
    assert told["at"].own
    assert told["at"].gain > max(told["ch"].gain, told["de"].gain)
    assert told["at"].gain > 2 * told["at"].standard_error
    own = WinModel(model.document | {"segments": found.segments})
    raw, pooled = own.log_odds(matrix.columns), model.log_odds(matrix.columns)
    country = matrix.columns["profile_country"]
    unknown, inside = np.equal(country, None), country == "at"
    assert (raw[unknown] == pooled[unknown]).all()
    assert np.corrcoef(raw[inside], matrix.columns["profile_size"][inside])[0, 1] < 0
    np.testing.assert_allclose(own.contributions(matrix.columns).sum(axis=1), raw, atol=1e-9)


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3))]
)
def test_segments_when_all_are_alike_then_the_model_of_all_stays(seed):
    _, _, pools, found = divided(0.0, seed=seed)
    gains = [each.gain for each in found.report.models if each.own]
    assert len(gains) <= 1
    assert all(gain < 0.01 for gain in gains)
    if not gains:
        assert found.segments == {}
        assert found.held_out == pools
        assert "clearly better" in found.report.why


@pytest.mark.parametrize(
    ("swing", "least", "most", "own"),
    [
        pytest.param(0.4, 1.5, 2.0, False, id="between one and two"),
        pytest.param(0.6, 2.0, 3.5, True, id="above two"),
    ],
)
def test_segment_when_its_gain_is_so_many_standard_errors_then_two_decide(swing, least, most, own):
    _, _, _, found = divided(swing)
    at = next(row for row in found.report.models if row.segment == "at")
    assert least < at.gain / at.standard_error < most
    assert at.own == own
    assert ("at" in found.segments.get("models", ())) == own


@pytest.mark.parametrize("swing", [0.0, 2.5])
def test_segments_when_the_last_split_says_otherwise_then_the_same_are_chosen(swing):
    matrix, model, pools, found = divided(swing)
    last = pools["last"].side
    flipped = Side("made", last.rows.assign(label=1 - last.rows["label"]), 0, 1.0, 0.0, last.target)
    other = pools | {"last": HeldOut(flipped, pools["last"].log_odds)}
    again = choose_segments(other, model, matrix, FEATURES, field="country")
    assert (again.segments, again.report) == (found.segments, found.report)


def test_pools_when_corrected_then_no_row_was_seen_by_its_own_correction():
    matrix, model, pools, found = divided(2.5)
    rows = pools["before"].side.rows
    inside = np.isin(
        rows["lead_id"], rows["lead_id"][(matrix.take(rows).columns["profile_country"] == "at")]
    )
    flipped = rows.assign(
        label=np.where(rows.index == np.flatnonzero(inside)[0], 1 - rows["label"], rows["label"])
    )
    side = Side("made", flipped, 0, 1.0, 0.0, make_settings().target)
    again = choose_segments(
        pools | {"before": HeldOut(side, pools["before"].log_odds)},
        model,
        matrix,
        FEATURES,
        field="country",
    )
    first = np.flatnonzero(inside)[0]
    assert again.held_out["before"].log_odds[first] == found.held_out["before"].log_odds[first]
    assert (again.held_out["before"].log_odds != found.held_out["before"].log_odds).any()


@pytest.mark.parametrize(
    ("leads", "low", "high"), [(0, 0.0, 1e-6), (20, 0.005, 0.3), (2000, 0.7, 1.2)]
)
def test_correction_when_leads_are_few_then_is_near_the_model_of_all(leads, low, high):
    rng = np.random.default_rng(1)
    size = rng.normal(size=2000)
    raw = np.zeros(2000) + 0.01 * rng.normal(size=2000)
    label = (rng.random(2000) < sigmoid(size)).astype(float)
    encoded = np.column_stack([size])
    found = fit_correction(
        encoded[:leads], raw[:leads], label[:leads], np.ones(leads), leads=leads, features=[SIZE]
    )
    assert low <= abs(found["terms"][0]["slope"]) <= high


def test_correction_when_a_segment_contradicts_a_direction_then_raw_never_falls():
    rng = np.random.default_rng(2)
    meetings = rng.random(3000)
    label = (rng.random(3000) < sigmoid(-3 * meetings)).astype(float)
    found = fit_correction(
        np.column_stack([meetings]),
        2 * meetings,
        label,
        np.ones(3000),
        leads=3000,
        features=[MEETINGS],
    )
    assert found["terms"][0]["slope"] >= 0
    assert found["of_all"]["slope"] >= 0


def test_segments_when_the_field_is_not_learned_from_then_says_so():
    matrix, rows = make_world(swing=2.5)
    model, pools = make_pools(matrix, rows)
    found = choose_segments(pools, model, matrix, FEATURES, field="colour")
    assert (found.segments, found.report.why) == ({}, "colour is not learned from")
    found = choose_segments({"last": pools["last"]}, model, matrix, FEATURES, field="country")
    assert found.segments == {}
    assert "too few splits" in found.report.why


def test_segments_when_leads_of_one_are_few_then_it_is_not_tried():
    matrix, rows = make_world(swing=2.5)
    rare = matrix.columns["profile_country"].copy()
    at = np.flatnonzero(rare == "at")
    rare[at[15:]] = "de"
    model, pools = make_pools(Matrix(matrix.keys, matrix.columns | {"profile_country": rare}), rows)
    found = choose_segments(
        pools,
        model,
        Matrix(matrix.keys, matrix.columns | {"profile_country": rare}),
        FEATURES,
        field="country",
    )
    assert [each.segment for each in found.report.models] == ["ch", "de"]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"segment": "colour"}, "there is no field 'colour'"),
        ({"segment": "amount"}, "is of type 'number', 'text' is needed"),
        ({"segment_models": True}, "name the field that divides the leads"),
    ],
)
def test_settings_when_the_segment_is_wrong_then_say_what_is(model, said):
    with pytest.raises(ValueError, match=said):
        make_settings(model=model)
    assert isinstance(
        make_settings(model={"segment": "owner_id", "segment_models": True}), Settings
    )


def test_settings_when_nothing_says_since_when_a_segment_was_known_then_it_is_refused():
    plain = make_settings()
    entries = [entry.model_dump(exclude_unset=True) for entry in plain.mapping[:1]]
    with pytest.raises(ValueError, match="nothing says when 'colour' became known"):
        make_settings(mapping=entries, fields={"colour": {}}, model={"segment": "colour"})
    assert make_settings(
        mapping=entries, fields={"colour": {"known_from": "creation"}}, model={"segment": "colour"}
    )
