"""What our tiers and routes capture of the value of the sample's open leads, settled by its truth: `make value`.

Everybody works as many leads as the reps have places. Ours are those that leadscore gives to reps; the others take as
many from the top of their own order, and whoever knows the truth takes the best.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from leadscore import project as jobs
from leadscore.features.matrix import build_features, build_matrix
from leadscore.model.fit import fit_scorer
from leadscore.project.opened import open_store
from leadscore.settings.settings import Settings
from sample_project import build_sample, train_champion

LEADS, SEEDS = 20_000, (1, 2, 3)


def main() -> None:
    """Print the share of the best value that each way captures, as the truth expects it."""
    rows = [_captured(seed) for seed in SEEDS]
    names = list(rows[0])
    print(
        f"sample of {LEADS:,} leads, seeds {', '.join(map(str, SEEDS))}: value to expect, in percent of the oracle's"
    )
    for name in names:
        each = [100 * row[name] / row["oracle"] for row in rows]
        print(f"{name:34} {np.mean(each):6.1f}   ({', '.join(f'{x:.1f}' for x in each)})")


def _captured(seed: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = _preferring_value(build_sample(folder, leads=LEADS, seed=seed))
        train_champion(settings, by="bench/value.py")
        scored = jobs.score(settings)
        ours = pd.read_parquet(Path(scored.folder) / "scores.parquet")
        truth = pd.read_csv(
            folder / "crm" / "truth" / "leads.csv", dtype={"lead_id": str}
        ).set_index("lead_id")
        leads = pd.read_csv(
            folder / "crm" / "exports" / "leads.csv", dtype={"lead_id": str}
        ).set_index("lead_id")
        card = _score_card(settings)
    lead_id = ours["lead_id"]
    worth = truth.loc[lead_id, "win_probability"].to_numpy() * ours["amount"].to_numpy()
    given = ours["rep_id"].notna().to_numpy()
    n = int(given.sum())
    assert scored.routing is not None  # noqa: S101  (the sample has reps)
    routing = scored.routing["beside"]

    def first(order: np.ndarray) -> float:
        return float(worth[np.argsort(-order, kind="stable")[:n]].sum())

    amount = ours["amount"].to_numpy()
    created = pd.to_datetime(leads.loc[lead_id, "created_at"]).astype("int64").to_numpy()
    found = {
        "oracle": first(worth),
        "leadscore, given to reps": float(worth[given].sum()),
        "leadscore, by expected value": first(ours["expected_value"].to_numpy()),
        "leadscore, by win probability": first(ours["win_probability"].to_numpy()),
        "scorecard, by expected value": first(card.loc[lead_id].to_numpy() * amount),
        "largest amounts": first(amount),
        "first come": first(-created.astype(float)),
        "newest first": first(created.astype(float)),
        "random": float(worth.mean() * n),
    }
    print(f"seed {seed}: {len(ours):,} open leads, {n} places; routed value beside: "
          + ", ".join(f"{way} {told['value']:,.0f}" for way, told in routing.items()))  # fmt: skip
    return found


def _preferring_value(settings: Settings) -> Settings:
    """The settings with routes by value alone, since value is what is compared."""
    assert settings.routing is not None  # noqa: S101  (the sample has reps)
    routing = settings.routing.model_copy(update={"prefer": "value"})
    return settings.model_copy(update={"routing": routing})


def _score_card(settings: Settings) -> pd.Series[float]:
    """The scorecard's probability of each open lead."""
    with open_store(settings) as history:
        features = build_features(settings)
        matrix = build_matrix(
            history.snapshot(history.open_list(history.version.known_until_us)), features
        )
        nothing = matrix.keys.assign(label=np.nan, weight=0.0)
        card = fit_scorer(matrix, nothing, kind="scorecard", features=features, scorecard=settings.scorecard, seed=0,
                          threads=1)  # fmt: skip
        return pd.Series(
            card.probability(card.log_odds(matrix.columns)), index=matrix.keys["lead_id"]
        )


if __name__ == "__main__":
    main()
