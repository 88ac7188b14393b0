"""Undated leads that look alike: each counts as a lead, and only copies share a fold."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from histories import open_undated, undated_leads, undated_settings
from leadscore import project as jobs
from leadscore.features.matrix import build_features, build_matrix

RATES = {"web": 0.2, "fair": 0.5, "phone": 0.8, "partner": 0.9}  # 60% on average
N = 1_000


def train(folder, *, has_id, identical_rows=None, rows=N):
    """What training told of leads with a single text field of four values."""
    color = np.resize(list(RATES), rows)
    won = np.random.default_rng(3).random(rows) < pd.Series(color).map(RATES).to_numpy()
    columns = {"color": "color"} | ({"lead_id": "id"} if has_id else {})
    outcomes = {"outcome": "end"} | ({"lead_id": "id"} if has_id else {})
    mapping = [
        {"source": "leads", "table": "leads", "columns": columns},
        {"source": "leads", "table": "outcomes", "columns": outcomes},
    ]
    model = {"identical_rows": identical_rows} if identical_rows else {}
    settings = undated_settings(
        "none",
        folder,
        fields={"color": {"known_from": "creation"}},
        bant={},
        mapping=mapping,
        model=model,
    )
    table = pd.DataFrame(
        {"id": [f"l{i}" for i in range(rows)], "color": color, "end": np.where(won, "won", "lost")}
    )
    table.to_csv(folder / "leads.csv", index=False)
    jobs.ingest(settings)
    return jobs.train(settings), won.mean()


@pytest.mark.slow
@pytest.mark.parametrize("has_id", [True, False], ids=["with an id", "without an id"])
def test_training_when_leads_have_one_text_field_then_each_counts_and_the_mean_holds(
    tmp_path, has_id
):
    told, won = train(tmp_path, has_id=has_id)
    evaluation = told.evaluation
    assert (told.no_signal, told.promotion.promoted) == (None, True)
    assert abs(evaluation.metrics["all"].bias.value) < 0.01
    tiers = evaluation.tiers
    promised = np.average(
        [tier.mean_probability for tier in tiers], weights=[tier.n for tier in tiers]
    )
    assert promised == pytest.approx(won, abs=0.02)
    assert evaluation.metrics["all"].leads == evaluation.judged.leads == N
    assert max(tier.leads for tier in tiers) >= N / 4


@pytest.mark.slow
def test_training_when_asked_to_group_identical_rows_then_leads_are_counted_all_the_same(tmp_path):
    told, won = train(tmp_path, has_id=True, identical_rows="together")
    assert (
        "judged on" not in told.no_signal
    )  # four groups tell nothing of a fifth, but these are 1,000 leads
    assert sum(row.leads for row in told.evaluation.reliability) >= N
    mean = np.average([row.mean_probability for row in told.evaluation.reliability])
    assert mean == pytest.approx(won, abs=0.05)


@pytest.mark.parametrize(
    ("asked", "has_id", "rows", "together"),
    [
        pytest.param("auto", True, 60, False, id="an id tells leads apart"),
        pytest.param("auto", False, 60, True, id="without one an equal row may be a copy"),
        pytest.param(
            "auto", False, 4_000, False, id="but not where the values are too few for so many leads"
        ),
        pytest.param("together", True, 60, True, id="asked for"),
        pytest.param("together", False, 4_000, True, id="asked for, however few the values"),
        pytest.param("apart", False, 60, False, id="copies ruled out"),
    ],
)
def test_identical_rows_when_an_id_is_mapped_or_not_then_share_a_fold_only_as_possible_copies(
    asked, has_id, rows, together
):
    leads = undated_leads(leads=rows, seed=1)
    history = open_undated(pd.concat([leads, leads.assign(id="again " + leads["id"])]), time="none",
                           model={"identical_rows": asked})  # fmt: skip
    if not has_id:
        history = replace(history, settings=without_id(history.settings))
    side = history.earlier_side(1)
    matrix = build_matrix(history.snapshot(side.rows), build_features(history.settings))
    assert (len(np.unique(matrix.groups())) <= rows) == together
    assert matrix.take(side.rows.head(10)).identical_together == together


def without_id(settings):
    """The same settings, whose leads are called by source and line."""
    mapping = [
        entry.model_copy(
            update={
                "columns": {
                    name: column for name, column in entry.columns.items() if name != "lead_id"
                }
            }
        )
        for entry in settings.mapping
    ]
    return settings.model_copy(update={"mapping": mapping})
