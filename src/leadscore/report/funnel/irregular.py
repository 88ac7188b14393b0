"""What is irregular in the histories, in words, for the page and the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.wording import counted

if TYPE_CHECKING:
    from leadscore.results import Irregular

# what is counted -> one, several
IRREGULAR = {
    "skipped": ("move that skipped a stage", "moves that skipped stages"),
    "moved_back": ("move back", "moves back"),
    "changed_pipeline": ("move into another pipeline", "moves into another pipeline"),
    "not_allowed": ("move that is not allowed", "moves that are not allowed"),
    "reopened": ("lead re-opened", "leads re-opened"),
    "entered_midway": ("lead that entered midway", "leads that entered midway"),
    "without_stage": ("lead without a stage", "leads without a stage"),
    "at_one_moment": (
        "entry replaced by another of the same moment",
        "entries replaced by others of the same moment",
    ),
    "repeated": ("entry into the same stage again", "entries into the same stage again"),
    "while_closed": (
        "entry into an open stage while closed",
        "entries into an open stage while closed",
    ),
    "not_declared": (
        "entry into a stage that is not declared",
        "entries into stages that are not declared",
    ),
    "rejected_stage": ("row rejected for its stage", "rows rejected for their stage"),
    "rejected_date": ("row rejected for its date", "rows rejected for their date"),
}


def write_irregular(irregular: Irregular) -> str:
    """What is irregular in the histories, each with its count."""
    counts = irregular.to_dict()
    parts = [counted(counts[name], *words) for name, words in IRREGULAR.items() if counts[name]]
    if not parts:
        return "Nothing in the histories of the period is irregular."
    return f"Irregularities in the histories: {', '.join(parts)}."
