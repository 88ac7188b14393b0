"""Writes docs/reasons.md: what every feature of the sample company says at typical values.

A person can read it to judge the sentences; a test fails when it is stale.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from leadscore.features.feature import Around, Feature
from leadscore.features.matrix import build_features
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings

PAGE = Path(__file__).parents[1] / "docs" / "reasons.md"
HEAD = """# What reasons say

Every sentence that can be a reason, at typical values of the fields of the sample company. The first column names the
feature, the last two what a value says for a lead and against it. "—" means that the value is no reason on that
side: what did not happen never speaks for a lead, and what is not known is never a reason.

A reason shows what became of past leads with about the same value, such as "(31% of 412 similar leads were won within
60 days; usual 12%)", if there were at least 30. Where such leads were not won clearly more often (or less often) than
usual, by 15% of the usual rate at least, it is no reason; nor is a value that more than 80% of all snapshots have.

This page is made by `python bench/reasons_reference.py`.

| feature | value | for | against |
|---|---|---|---|
"""
TYPICAL: dict[str, tuple[float | str, ...]] = {
    "count": (0.0, 1.0, 4.0),
    "days": (0.0, 0.4, 3.0, 21.0, 200.0),
    "days ahead": (-21.0, 0.0, 1.0, 12.0),
    "minutes": (0.0, 12.0, 150.0),
    "moved": (-3.0, 0.0, 14.0),
    "change": (-0.2, 0.0, 0.25),
    "share": (0.0, 0.25, 0.5, 1.0),
    "a week": (-2.5, 0.0, 1.0),
    "times": (0.5, 2.5),
    "flag": (0.0, 1.0),
    "category": ("Referral",),
    "number": (0.0, 1.0, 2.5, 15000.0),
}
FIRST_NAMED = (0.0, 1.0)  # of values that stand for names; others may stand for none
AROUND = Around(stage="Proposal", spent=61.0)


def main() -> None:
    """Write the page."""
    PAGE.write_text(build_page(), encoding="utf-8")


def build_page() -> str:
    """The page as Markdown."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "crm"
        write_sample(folder, leads=1, seed=1)
        features = build_features(read_settings(folder / "leadscore.toml"))
    rows = [row for feature in features for row in _describe(feature)]
    return HEAD + "\n".join(rows) + "\n"


def _describe(feature: Feature) -> list[str]:
    """A row for each typical value."""
    rows = []
    name = f"`{feature.name}`"
    typical = FIRST_NAMED if feature.phrase.values else TYPICAL[feature.unit]
    for value in typical:
        up, down = (
            feature.reason(value, speaks_for=speaks_for, around=AROUND) or "—"
            for speaks_for in (True, False)
        )
        rows.append(f"| {name} | {value} | {up} | {down} |")
        name = ""
    return rows


if __name__ == "__main__":
    main()
