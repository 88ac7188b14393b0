"""Account memory in two worlds: customers who buy again, and accounts that mean nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from builders import Facts, day, make_settings
from histories import scratch
from leadscore.evaluation.metrics import compute_auc
from leadscore.features.account import build_account
from leadscore.features.matrix import build_features, build_matrix
from leadscore.model.fit import fit_scorer

ACCOUNTS, DAYS, OPEN_DAYS = 60, 400, 20
SPLIT = 250


def world(*, pays: float, seed: int) -> Facts:
    """Leads of accounts that like us by `pays` log-odds more or less; a size tells a little, too."""
    rng = np.random.default_rng(seed)
    columns = {"lead_id": "id", "event_at": "created", "account": "account"}
    facts = Facts(
        make_settings(
            mapping=[{"source": "leads", "table": "leads", "columns": columns}],
            memory={"account": "creation"},
            fields={"size": {"type": "number", "decimals": 0, "known_from": "creation"}},
            target={"horizon_days": 30, "cadence_days": 30, "max_per_lead": 1},
        )
    )
    liking = rng.choice([-1.0, 1.0], ACCOUNTS) * pays
    for place in range(1_200):
        account = int(rng.integers(ACCOUNTS))
        size = int(rng.integers(1, 100))
        odds = liking[account] + (size - 50) / 50
        created = float(rng.uniform(0, DAYS))
        facts.lead(f"l{place}", created, account=f"hash:{account}", size=size)
        end = "won" if rng.random() < 1 / (1 + np.exp(-odds)) else "lost"
        facts.outcome(f"l{place}", created + float(rng.uniform(1, 2 * OPEN_DAYS)), end)
    return facts


def auc_with_and_without(facts: Facts, kind: str) -> tuple[float, float]:
    """AUC on the snapshots after the split, with all features, and without account memory."""
    history = facts.history(scratch(), known_until=DAYS)
    earlier = history.earlier_side(day(SPLIT))
    later = history.later_side(day(SPLIT), to_us=day(DAYS), known_us=day(DAYS))
    rows = pd.concat([earlier.rows, later.rows]).drop_duplicates(["lead_id", "as_of_us"])
    features = build_features(history.settings)
    matrix = build_matrix(history.snapshot(rows), features)
    history.engine.close()
    memory = {feature.name for feature in build_account(history.settings)}
    judged = later.rows[later.observed]
    aucs = []
    for left_out in (set(), memory):
        used = [feature for feature in features if feature.name not in left_out]
        model = fit_scorer(matrix, earlier.rows, kind=kind, features=used, seed=0, threads=1)
        log_odds = model.log_odds(matrix.take(judged).columns)
        label = judged["label"].to_numpy(dtype=float)
        aucs.append(compute_auc(log_odds, label, judged["weight"].to_numpy()))
    return aucs[0], aucs[1]


@pytest.mark.parametrize("kind", ["logistic", "boosted"])
@pytest.mark.parametrize(
    ("pays", "least", "most"), [(1.5, 0.08, 0.5), (0.0, -0.06, 0.06)], ids=["pays", "does not pay"]
)
def test_auc_when_repeat_business_pays_or_not_then_gains_or_stays(kind, pays, least, most):
    with_memory, without = auc_with_and_without(world(pays=pays, seed=4), kind)
    assert least < with_memory - without < most
