"""Training on 200,000 snapshots with the default budget: seconds and peak memory."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

from leadscore import jobs
from sample_project import build_sample

LEADS = 41_000


def main() -> None:
    """Train once on a sample that gives some 200,000 snapshots."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = build_sample(folder, leads=LEADS, seed=1)
        before, cpu = time.perf_counter(), time.process_time()
        trained = jobs.train(settings)
        seconds, used = time.perf_counter() - before, time.process_time() - cpu
    evaluation = trained["evaluation"]
    print(f"{evaluation['history']['snapshots']:,} snapshots of {evaluation['history']['leads']:,} leads, "
          f"{settings.model.trials} trials, chosen: {evaluation['scorer']['kind']}")  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"trained in {seconds:.0f} s ({used:.0f} s of processor time), {peak:,.0f} MB at the most")


if __name__ == "__main__":
    main()
