"""Whether scoring became slower: the ratios of bench/results/open_leads.json beside those of baseline.json.

Ratios are compared and no seconds, since machines differ. A ratio that is worse by more than `--share` (default: a
quarter) is named, and the exit status is 1. `python bench/slower.py --accept` makes the present ratios the baseline.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping

from speed_table import RESULTS

BASELINE = RESULTS / "baseline.json"
SHARE = 0.25
Ratios = Mapping[str, float]


def main() -> None:
    """Compare, or accept."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=SHARE)
    parser.add_argument("--accept", action="store_true")
    asked = parser.parse_args()
    now = _read_measured()
    if asked.accept:
        BASELINE.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return
    if not BASELINE.exists():
        print("there is no baseline yet; `python bench/slower.py --accept` makes one")
        return
    before = json.loads(BASELINE.read_text(encoding="utf-8"))
    worse = find_worse(before, now, share=asked.share)
    for line in worse or ["no ratio is clearly worse"]:
        print(line)
    sys.exit(1 if worse else 0)


def _read_measured() -> dict[str, float]:
    """The measured ratios, each by open leads, model and name."""
    document = json.loads((RESULTS / "open_leads.json").read_text(encoding="utf-8"))
    return {
        f"{run['open_leads']} open leads, {run['model']}: {name}": value
        for run in document["runs"]
        for name, value in run["ratios"].items()
    }


def find_worse(before: Ratios, now: Ratios, *, share: float) -> list[str]:
    """The ratios that are worse by more than a share, in words; only what both have is compared.

    >>> find_worse({"a": 0.5, "b": 2.0, "c": 1.0}, {"a": 0.6, "b": 2.6}, share=0.25)
    ['b: 2.60, was 2.00']
    """
    shared = sorted(before.keys() & now.keys())
    worse = [name for name in shared if now[name] > before[name] * (1 + share)]
    return [f"{name}: {now[name]:.2f}, was {before[name]:.2f}" for name in worse]


if __name__ == "__main__":
    main()
