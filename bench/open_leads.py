"""100,000 open leads explained, compared with the week before, decided and routed: seconds and peak memory.

Beside LightGBM's own contributions alone, in the same run.
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

from leadscore import project as jobs
from leadscore.features.matrix import build_features, build_matrix
from leadscore.project.opened import open_store
from leadscore.registry.registry import Registry
from leadscore.sample.sample import write_sample
from leadscore.settings.settings import read_settings
from leadscore.times import parse_moment
from sample_project import build_sample, train_champion

LEADS, HISTORY, REPS = 780_000, 20_000, 500  # of 780,000 leads some 100,000 are open at the end
TRAINED, BEFORE, NOW = (
    parse_moment(day, zone="UTC") for day in ("2026-02-15", "2026-02-22", "2026-03-01")
)


def main() -> None:
    """Train on a small sample, score a large one of the same company twice, and time the second list."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = build_sample(folder, leads=HISTORY, seed=1)
        boosted = small.model.model_copy(update={"scorer": "boosted", "trials": 1})
        train_champion(
            small.model_copy(update={"model": boosted}), by="bench/open_leads.py", as_of_us=TRAINED
        )
        write_sample(folder / "large", leads=LEADS, seed=1)
        _write_reps(folder / "large" / "exports" / "reps.csv")
        large = read_settings(folder / "large" / "leadscore.toml").model_copy(
            update={
                "data_folder": small.data_folder,
                "models_folder": small.models_folder,
                "model": boosted,
            }
        )
        jobs.ingest(large, known_until_us=large.known_until_us())
        jobs.publish(large, jobs.score(large, as_of_us=BEFORE).publication_id)
        before = time.perf_counter()
        scored = jobs.score(large, as_of_us=NOW)
        seconds = time.perf_counter() - before
        n, peak = (
            scored.counts.scored,
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        )
        print(
            f"{n:,} leads scored, explained, compared, decided, routed, written: {seconds:.1f} s, {peak:,.0f} MB"
        )
        model = Registry(large).load_champion()[0]
        with open_store(large) as history:
            matrix = build_matrix(history.snapshot(history.open_list(NOW)), build_features(large))
        encoded = model.encode(matrix.columns)
        before = time.perf_counter()
        model.booster.predict(encoded, pred_contrib=True)
        print(f"LightGBM's pred_contrib alone: {time.perf_counter() - before:.1f} s")


def _write_reps(path: Path) -> None:
    teams = {"DACH": "DE;AT;CH", "North": "SE;DK;NO;FI", "West": "NL;BE;FR", "Isles": "GB;IE"}
    lines = ["rep_id,name,team,territories,capacity"]
    for i in range(REPS):
        team = list(teams)[i % len(teams)]
        lines.append(f"R{i:04d},Rep {i},{team},{teams[team]},60")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
