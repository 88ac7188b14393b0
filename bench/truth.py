"""How near the model comes to the truth of the sample, over the leads that are open at its end: `make truth`.

`make truth LEADS=20000` makes a smaller sample, and fewer samples for the intervals, as CI does: the large one trains
for a third of an hour.
"""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from coverage_of_intervals import LEAST_COVERED, print_coverage, start_samples
from leadscore import project as jobs
from leadscore.evaluation.metrics import compute_auc
from sample_project import build_sample, train_champion

LEADS, SEED = 50_000, 1
MOST_BIAS, MOST_BEHIND = 0.10, 0.03


def main() -> None:
    """Judge a large sample and the intervals of small ones at once; exit code 1 if an aim is missed."""
    leads = int(sys.argv[1]) if sys.argv[1:] else LEADS
    with ProcessPoolExecutor() as processes:
        large = processes.submit(judge_sample, leads)
        samples = start_samples(processes, is_quick=leads < LEADS)
        missed = large.result()
        shares = print_coverage([sample.result() for sample in samples])
    if not all(share >= LEAST_COVERED for share in shares):
        missed.append(f"95% intervals that hold the mean truth of {LEAST_COVERED:.0%} of the bins")
    if missed:
        sys.exit("missed: " + "; ".join(missed))


def judge_sample(leads: int) -> list[str]:
    """Make a large sample, train, score, and print how far all is from the truth; which aims were missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = build_sample(folder, leads=leads, seed=SEED)
        train_champion(settings, by="bench/truth.py")
        scored = jobs.score(settings)
        ours = pd.read_parquet(Path(scored.folder) / "scores.parquet")
        truth = pd.read_csv(folder / "crm" / "truth" / "leads.csv", dtype={"lead_id": str})
    both = ours.merge(
        truth.dropna(subset=["win_probability"]),
        on="lead_id",
        suffixes=("", "_true"),
        validate="one_to_one",
    )
    assert len(both) == len(ours) == truth["win_probability"].notna().sum()  # noqa: S101
    model, true = both["win_probability"].to_numpy(), both["win_probability_true"].to_numpy()
    won = both["won_within_horizon"].astype(str).eq("True").to_numpy(dtype=float)
    ratio = model.mean() / true.mean()
    # every lead counted as won with its true chance: the AUC to expect, without the luck of one draw
    auc, best = (_expected_auc(p, true) for p in (model, true))
    ones = np.ones(len(won))
    print(f"sample of {leads:,} leads, seed {SEED}: {len(both):,} open leads")
    print(
        f"mean: model {model.mean():.4f}, truth {true.mean():.4f}, ratio {ratio:.3f}; won {won.mean():.4f}"
    )
    print(
        f"AUC expected under the truth: model {auc:.4f}, truth {best:.4f}, difference {best - auc:.4f}"
    )
    print(
        f"AUC of what happened: model {compute_auc(model, won, ones):.4f}, truth {compute_auc(true, won, ones):.4f}"
    )
    print(f"mean absolute difference of the probabilities: {np.abs(model - true).mean():.4f}")
    aims = {
        f"a mean within {MOST_BIAS:.0%} of the truth's": abs(ratio - 1) <= MOST_BIAS,
        f"an AUC within {MOST_BEHIND} of the truth's": best - auc <= MOST_BEHIND,
    }
    return [aim for aim, is_met in aims.items() if not is_met]


def _expected_auc(p: np.ndarray, true: np.ndarray) -> float:
    twice = np.concatenate([p, p])
    label = np.concatenate([np.ones(len(p)), np.zeros(len(p))])
    return compute_auc(twice, label, np.concatenate([true, 1 - true]))


if __name__ == "__main__":
    main()
