"""Lists of growing length scored twice, each list in a process of its own: seconds and memory per lead.

`python bench/long_lists.py FOLDER --copies 4 12 39` scores companies of 200,000 leads whose open ones are there so
many times. What it builds stays in the folder, and is measured again the next time.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from company import SIZES, ingest_company, train_model
from leadscore.settings.settings import Settings
from speed_table import describe_machine

LEADS = 200_000
SIZE = SIZES["small"]
RUN = Path(__file__).parent / "scoring_run.py"
HEADER = [
    "| open leads | list | seconds of processors | ms a lead | steps | MB |",
    "|---|---|---|---|---|---|",
]


def main() -> None:
    """Build what is missing, and print a line for each list."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--copies", type=int, nargs="+", default=[4, 12, 39])
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    print("\n".join(HEADER))
    for copies in asked.copies:
        path = asked.folder / f"{copies}.json"
        if not path.exists():
            _build(asked.folder, path, copies=copies)
        _remove_lists(Settings.model_validate_json(path.read_text(encoding="utf-8")))
        for way in ("first", "second"):
            print(_measure(way, path), flush=True)
    print(f"\n{SIZE}; measured on: {describe_machine()}.")


def _build(folder: Path, path: Path, *, copies: int) -> None:
    """A company, scored by a model that all of them share, and its settings as a file."""
    model = folder / "model.json"
    if not model.exists():
        trained = train_model(folder / "model", SIZE)
        model.write_text(trained.model_dump_json(), encoding="utf-8")
    of_model = Settings.model_validate_json(model.read_text(encoding="utf-8"))
    company = ingest_company(folder / str(copies), leads=LEADS, copies=copies)
    scored_by = {"models_folder": of_model.models_folder, "model": of_model.model}
    settings = company.model_copy(update=scored_by)
    path.write_text(settings.model_dump_json(), encoding="utf-8")


def _measure(way: str, path: Path) -> str:
    """The line of one list of a company."""
    command = [sys.executable, str(RUN), way, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    printed = json.loads(done.stdout.splitlines()[-1])
    [(name, measured)] = printed["measured"].items()
    return _format_row(name, measured, printed["peak_mb"])


def _remove_lists(settings: Settings) -> None:
    """Remove the lists of an earlier measurement, so that the first one is the first again."""
    project = settings.project_folder()
    for folder in (project / "scores", project / "store" / "receipts"):
        shutil.rmtree(folder, ignore_errors=True)


def _format_row(name: str, measured: dict[str, Any], peak_mb: float) -> str:
    leads = measured["open leads"]
    used = measured["processor"]
    steps = [f"{step} {taken:.0f}" for step, taken in measured["steps"].items() if taken >= 0.5]
    return (
        f"| {leads:,} | {name} | {used:.0f} | {1_000 * used / leads:.2f} "
        f"| {', '.join(steps)} | {peak_mb:,.0f} |"
    )


if __name__ == "__main__":
    main()
