"""How long a workbook of many leads takes, and how much memory; fails beyond 20 s or 500 MB.

Processor time is what counts: a busy machine takes longer.

    python bench/workbook.py --leads 50000 --reps 25
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from leadscore.report.workbook.book import write_workbook
from leadscore.report.workbook.worklist import Worklist
from leadscore.scoring.score import SCORES
from leadscore.settings.settings import Settings

MOST_SECONDS = 20.0
MOST_MB = 500.0
AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
TEXTS = {
    "bant": "budget: 50,000; authority: head of purchasing; need: unknown; timeline: unknown",
    "next_question": "Need: an answer of high would make it tier A (in 40 of 100 cases)",
    "suggested_action": "call",
    "reason_up_1": "Replied 3 times in 30 days (31% of 412 similar leads were won within 60 days; usual 12%)",
    "reason_up_2": "Came by referral",
    "reason_down_1": "In Proposal for 61 days; 20 are usual",
    "change": "5 points up: call yesterday +4, two days without a reply +1",
    "tier": "B",
}


def build_scores(leads: int, reps: int) -> pa.Table:
    """A list of so many leads with texts of the usual length, given to so many reps in turn."""
    columns = [_fill(field, leads) for field in SCORES]
    scores = pa.table(columns, schema=SCORES)
    rep_ids = [f"R{number % reps:03d}" for number in range(leads)]
    scores = scores.append_column("rep_id", pa.array(rep_ids))
    return scores.append_column("route_reason", pa.array([""] * leads))


def _fill(field: pa.Field, leads: int) -> pa.Array:
    if field.name == "lead_id":
        return pa.array([f"00Q{number:015d}" for number in range(leads)])
    value = TEXTS.get(field.name, "")
    constants = {pa.float64(): 0.25, pa.bool_(): False, pa.string(): value}
    return pa.array([constants.get(field.type, AS_OF)] * leads, field.type)


def build_worklist(leads: int, reps: int) -> Worklist:
    """The list with everything shown and a link for each lead."""
    show = {key: key for key in ("company", "contact", "email", "phone")}
    settings = Settings.model_validate(
        {
            "project": "bench",
            "sources": {"leads": {"path": "leads.csv"}},
            "mapping": [
                {"source": "leads", "table": "leads", "columns": {"lead_id": "i", "event_at": "c"}}
            ],
            "show": show | {"url": "https://crm.example.com/leads/{lead_id}"},
        }
    )
    scores = build_scores(leads, reps)
    shown = {}
    for lead_id in scores["lead_id"].to_pylist():
        texts = {"company": "Nordwerk GmbH", "contact": "Ada Almqvist", "phone": "+44 1632 960123"}
        shown[lead_id] = {"name": None, "email": "ada@example.com", **texts}
    return Worklist(
        scores=scores,
        as_of="2026-03-01T00:00:00Z",
        as_of_us=1_772_323_200_000_000,
        horizon_days=60,
        currency="EUR",
        settings=settings,
        shown=shown,
        reps={},
    )


def main() -> None:
    """Write one, print the figures, and fail if they are beyond the limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=50_000)
    parser.add_argument("--reps", type=int, default=25)
    chosen = parser.parse_args()
    worklist = build_worklist(chosen.leads, chosen.reps)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.xlsx"
        began = time.perf_counter()
        began_cpu = time.process_time()
        write_workbook(path, worklist, scratch=Path(folder))
        seconds = time.perf_counter() - began
        cpu = time.process_time() - began_cpu
        size = path.stat().st_size / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{chosen.leads:,} leads, {chosen.reps} sheets: {seconds:.1f} s ({cpu:.1f} s of processor "
        f"time), peak memory {peak:,.0f} MB, file {size:.1f} MB"
    )
    if cpu > MOST_SECONDS or peak > MOST_MB:
        sys.exit(f"beyond {MOST_SECONDS:.0f} s or {MOST_MB:.0f} MB")


if __name__ == "__main__":
    main()
