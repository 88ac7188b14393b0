"""Lists for tests of targets: few leads, whose texts are as bad as a web form makes them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from builders import day
from leadscore.publish.checkers.check import check_file
from leadscore.publish.checkers.problem import Problem
from leadscore.publish.publication import Publication
from leadscore.publish.targets.delivery import Delivery, deliver
from leadscore.publish.targets.layout import build_layout
from leadscore.scoring.score import SCORES
from leadscore.settings.targets import TargetSettings
from leadscore.times import format_us

CRMS = ("salesforce", "hubspot", "dynamics", "odoo", "pipedrive", "generic")
AS_OF = day(100) + 1
NASTY = (
    '=HYPERLINK("http://x")',
    "+1 and -1, @home",
    'quoted "word", comma',
    "two\r\nlines",
    "nul\x00and\x1b[31mescape",
    "right\u202eleft",
    "\U0001f469\u200d\U0001f4bb coder",
    "x" * 10_000,
    "#N/A",
    "  blanks  ",
    "\ud800half",
    "'",
)


def make_list(
    rows: dict[str, dict[str, object]] | int, *, as_of_us: int | None = AS_OF
) -> pa.Table:
    """Scores of leads by id: what is stated of each, and the same for all else."""
    if isinstance(rows, int):
        rows = {f"{n:05d}": {"reason_up_1": NASTY[n % len(NASTY)]} for n in range(1, rows + 1)}
    usual: dict[str, object] = {
        "as_of": as_of_us or 0, "win_probability": 0.25, "probability_low": 0.2, "probability_high": 0.3,
        "score": 80.0, "tier": "B", "amount": 1000.0, "expected_value": 250.0, "amount_estimated": False,
        "qualification": "nurture", "trend": "steady", "change_points": None, "log_odds": -1.1,
        "next_question_gain": 0.0, "suggested_action": "call", "reason_up_1": "Replied",
    }  # fmt: skip
    table = [{"lead_id": lead, **usual, **stated} for lead, stated in rows.items()]
    columns = {
        field.name: [
            row.get(field.name, "" if field.type == pa.string() else None) for row in table
        ]
        for field in SCORES
    }
    bad = ("\ud800half",)
    for name, values in columns.items():
        columns[name] = [value.replace("\ud800", "") if value in bad else value for value in values]
    return pa.table(columns, schema=SCORES)


def publication(
    name: str = "20240410T000000Z-000000000001", as_of_us: int | None = AS_OF
) -> Publication:
    """A publication without a folder."""
    as_of = None if as_of_us is None else format_us(as_of_us)
    return Publication(name, Path("nowhere"), {"as_of": as_of})


def write(folder: Path, scores: pa.Table, kind: str, *, name: str = "", as_of_us: int | None = AS_OF,
          excluded: tuple[str, ...] = (), mode: str | None = None, preset: str | None = None,
          **settings: object) -> Delivery:  # fmt: skip
    """Deliver a list to a target of that kind."""
    stated = TargetSettings.model_validate({"kind": kind, **settings})
    layout = build_layout("crm", stated, preset=preset, available=set(scores.schema.names))
    pub = publication(name or "20240410T000000Z-000000000001", as_of_us)
    chosen = mode or stated.mode
    return deliver(pub, scores, layout, folder=folder, mode=chosen, excluded=excluded)  # type: ignore[arg-type]


def problems(delivery: Delivery) -> list[tuple[str, Problem]]:
    """What the checkers say of every file of a delivery."""
    kind = delivery.manifest["layout"]["kind"]
    found = []
    for name in delivery.manifest["parts"]:
        found += [(name, problem) for problem in check_file(delivery.folder / name, kind)]
    return found
