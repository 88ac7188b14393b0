"""100,000 open leads explained, decided and routed: seconds and peak memory, beside LightGBM's own contributions."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

from leadscore import jobs
from leadscore.config import read_settings
from leadscore.features.matrix import build_features, build_matrix
from leadscore.jobs.opened import open_store
from leadscore.model.registry import Registry, Who
from leadscore.sample import write_sample

LEADS, HISTORY, REPS = 780_000, 20_000, 500  # of 780,000 leads some 100,000 are open at the end


def main() -> None:
    """Train on a small sample, score a large one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for which, leads in (("small", HISTORY), ("large", LEADS)):
            write_sample(folder / which, leads=leads, seed=1)
        settings = read_settings(folder / "small" / "leadscore.toml")
        model = settings.model.model_copy(update={"scorer": "boosted", "trials": 1})
        places = {"data_folder": folder / "data", "models_folder": folder / "models", "model": model}
        settings = settings.model_copy(update=places)
        jobs.ingest(settings)
        trained = jobs.train(settings)
        jobs.register(
            settings, Path(trained["folder"]), who=Who("bench", "2026-01-01T00:00:00Z", "bench"), promote=True
        )
        _write_reps(folder / "large" / "exports" / "reps.csv")
        large = read_settings(folder / "large" / "leadscore.toml").model_copy(update=places)
        jobs.ingest(large)
        before = time.perf_counter()
        scored = jobs.score(large)
        seconds = time.perf_counter() - before
        n, peak = scored["counts"]["scored"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{n:,} open leads scored, explained, decided, routed, written: {seconds:.1f} s, {peak:,.0f} MB at the most"
        )
        win_model = Registry(large).load_champion()[0]
        with open_store(large) as history:
            rows = history.open_list(history.version.known_until_us)
            before = time.perf_counter()
            matrix = build_matrix(history.snapshot(rows), build_features(large))
            print(f"of which features: {time.perf_counter() - before:.1f} s")
        encoded = win_model.encode(matrix.columns)
        before = time.perf_counter()
        win_model.booster.predict(encoded, pred_contrib=True)
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
