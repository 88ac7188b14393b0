"""Activities that may be counted twice, in words: the export alone cannot tell whether they are."""

from __future__ import annotations

from leadscore.ingest.sql import read_number
from leadscore.ingest.staged import Staged
from leadscore.wording import counted

SAME_ID_SQL = """SELECT SUM(n - 1) AS n FROM (
    SELECT COUNT(*) AS n FROM activities_now
    WHERE activity_id IS NOT NULL
    GROUP BY lead_id, activity_id HAVING COUNT(*) > 1) AS ids"""


def warn_of_repeats(staged: Staged, *, repeated: int) -> list[str]:
    """Warnings of activities that may be counted twice.

    Args:
        staged: The ingest; `activities_now` must be readable.
        repeated: How many stored activities equal an earlier row of their file.
    """
    warnings = []
    if repeated:
        rows = counted(
            repeated,
            "row of activities equals an earlier row of its file and counts as another activity",
            "rows of activities equal an earlier row of their file and count as other activities",
        )
        warnings.append(
            f"{rows}: map activity_id, so that an activity that was exported twice counts once"
        )
    same_id = read_number(staged.engine, SAME_ID_SQL) if _has_ids(staged) else 0
    if same_id:
        activities = counted(
            same_id,
            "activity shares its activity_id with a different one of its lead; both count",
            "activities share their activity_id with a different one of their lead; all count",
        )
        warnings.append(
            f"{activities}: if the id is right, export each activity once, in its latest state"
        )
    return warnings


def _has_ids(staged: Staged) -> bool:
    return any(
        "activity_id" in entry.targets()
        for entry in staged.settings.mapping
        if entry.table == "activities"
    )
