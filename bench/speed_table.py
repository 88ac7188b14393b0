"""What `open_leads.py` measured: ratios, a table in Markdown, and the files in bench/results/."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("duckdb", "lightgbm", "numpy", "pandas", "pyarrow")
EXPLAINING = ("contributions", "reasons in words")  # what a list without reasons would not take
WAYS = {"leadscore": "leadscore", "notebook": "notebook", "floor": "floor, without reasons"}


@dataclass(frozen=True)
class Run:
    """One company scored by one model in three ways.

    Attributes:
        leads: of the company, open or closed.
        model: its size.
        ways: way -> what it measured, in seconds.
        peak_mb: way -> the most memory that its process took.
    """

    leads: int
    model: str
    ways: dict[str, Any]
    peak_mb: dict[str, float]

    @property
    def open_leads(self) -> int:
        """How many were scored."""
        return int(self.ways["leadscore"]["second list"]["open leads"])

    def ratios(self) -> dict[str, float]:
        """Ours to the others in processor time a lead, which a busy machine changes less; the less, the better.

        The others score the leads of the second list, which are more.
        """
        first = self.ways["leadscore"]["first list"]
        second = self.ways["leadscore"]["second list"]
        notebook = self.ways["notebook"]
        floor = self.ways["floor"]
        longer = second["open leads"] / first["open leads"]
        plain = longer * _leave_out(EXPLAINING, first)
        plain_notebook = _leave_out(["reasons"], notebook)
        return {
            "first list / notebook": longer * first["processor"] / notebook["processor"],
            "second list / first list": second["processor"] / first["processor"] / longer,
            "without reasons / notebook without reasons": plain / plain_notebook,
            "without reasons / floor": plain / floor["processor"],
        }


def _leave_out(steps: Sequence[str], measured: Mapping[str, Any]) -> float:
    """The processor time of the other steps, which are timed apart in seconds."""
    share = sum(measured["steps"][step] for step in steps) / measured["total"]
    return float(measured["processor"] * (1 - share))


def describe_machine() -> dict[str, str]:
    """What it was measured on."""
    load = os.getloadavg()[0]
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {_read_memory_gb():.0f} GB",
        "load when done": f"{load:.1f}",
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def _read_memory_gb() -> float:
    pages: int = os.sysconf("SC_PHYS_PAGES")
    size: int = os.sysconf("SC_PAGE_SIZE")
    return pages * size / 2**30


def format_table(runs: Sequence[Run], machine: dict[str, str]) -> str:
    """Markdown: a table of seconds, one of ratios, and the machine."""
    seconds = [
        "| open leads | model | way | seconds | of processors | steps | MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        for way, words in WAYS.items():
            measured = run.ways[way]
            parts = measured if way == "leadscore" else {"": measured}
            seconds += [
                _format_row(run, f"{words} {part}".strip(), one, run.peak_mb[way])
                for part, one in parts.items()
            ]
    ratios = ["| open leads | model | ratio | |", "|---|---|---|---|"]
    for run in runs:
        for name, value in run.ratios().items():
            ratios.append(f"| {run.open_leads:,} | {run.model} | {name} | {value:.2f} |")
    stated = "; ".join(f"{name} {value}" for name, value in machine.items())
    return "\n".join([*seconds, "", *ratios, "", f"Measured on: {stated}."])


def _format_row(run: Run, way: str, measured: dict[str, Any], peak_mb: float) -> str:
    steps = [f"{step} {taken:.1f}" for step, taken in measured["steps"].items() if taken >= 0.05]
    return (
        f"| {run.open_leads:,} | {run.model} | {way} | {measured['total']:.1f} "
        f"| {measured['processor']:.1f} "
        f"| {', '.join(steps)} | {peak_mb:,.0f} |"
    )


def write_results(runs: Sequence[Run], machine: dict[str, str]) -> None:
    """bench/results/open_leads.json, with the ratios, and open_leads.md."""
    RESULTS.mkdir(exist_ok=True)
    document = {
        "machine": machine,
        "runs": [
            asdict(run) | {"open_leads": run.open_leads, "ratios": run.ratios()} for run in runs
        ],
    }
    text = json.dumps(document, indent=1) + "\n"
    (RESULTS / "open_leads.json").write_text(text, encoding="utf-8")
    (RESULTS / "open_leads.md").write_text(format_table(runs, machine) + "\n", encoding="utf-8")
