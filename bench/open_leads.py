"""All open leads of a large sample scored twice, beside a notebook and beside the least that it can take.

`python bench/open_leads.py --leads 200000 --model small large` has some 25,000 of them open; with `--copies 10` each
open lead is there ten times, so that 250,000 are. Ours is explained,
compared with the week before, decided, routed and written; see notebook_peer.py for what the others do. Prints the
table of seconds, ratios and memory, and with `--write` keeps it in bench/results/ as JSON and Markdown.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from company import SIZES, ingest_company, train_model
from leadscore.settings.settings import Settings
from speed_table import Run, describe_machine, format_table, write_results

RUN = Path(__file__).parent / "scoring_run.py"


def main() -> None:
    """Train a model of each size, ingest a company of each, and let all three score it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leads", type=int, nargs="+", default=[200_000])
    parser.add_argument("--copies", type=int, default=1, help="of the open leads")
    parser.add_argument("--model", choices=list(SIZES), nargs="+", default=["small"])
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    runs = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trained = {model: train_model(folder / model, SIZES[model]) for model in asked.model}
        for leads in asked.leads:
            company = ingest_company(folder / str(leads), leads=leads, copies=asked.copies)
            for model, of_model in trained.items():
                settings = company.model_copy(
                    update={"models_folder": of_model.models_folder, "model": of_model.model}
                )
                runs.append(_measure(settings, folder, leads=leads, model=model))
    machine = describe_machine()
    print(format_table(runs, machine))
    if asked.write:
        write_results(runs, machine)


def _measure(settings: Settings, folder: Path, *, leads: int, model: str) -> Run:
    """The three ways, one after the other, each in a process of its own.

    Lists that another model made before are removed: what changed since them could not be explained.
    """
    shutil.rmtree(settings.project_folder() / "scores", ignore_errors=True)
    path = folder / "settings.json"
    path.write_text(settings.model_dump_json(), encoding="utf-8")
    threads = settings.engine.threads
    ways = {way: _run(way, path, threads) for way in ("leadscore", "notebook", "floor")}
    return Run(
        leads=leads,
        model=str(SIZES[model]),
        ways={way: done["measured"] for way, done in ways.items()},
        peak_mb={way: done["peak_mb"] for way, done in ways.items()},
    )


def _run(way: str, path: Path, threads: int) -> dict[str, Any]:
    """What one way measured; its LightGBM has so many threads, whatever the shell says."""
    command = ["env", f"OMP_NUM_THREADS={threads}", sys.executable, str(RUN), way, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


if __name__ == "__main__":
    main()
