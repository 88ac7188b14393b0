"""Activities that look like another one: how many stay all the same, in words."""

from __future__ import annotations

from leadscore.ingest.checks.validate import Staged
from leadscore.wording import counted

TWO_VERSIONS_SQL = """SELECT COALESCE(SUM(n - 1), 0) AS n FROM (
    SELECT COUNT(*) AS n FROM activities_now WHERE activity_id IS NOT NULL
    GROUP BY lead_id, activity_id HAVING COUNT(*) > 1) AS ids"""


def find_repeats(staged: Staged, *, repeated: int) -> list[str]:
    """Warnings of activities that may be counted twice; `activities_now` must be readable on the engine.

    `repeated` is how many activities that stay equal an earlier row of their file.
    """
    warnings = []
    if repeated:
        rows = counted(
            repeated,
            "row of activities equals an earlier row of its file in all that is mapped; it counts as an activity of "
            "its own",
            "rows of activities equal an earlier row of their file in all that is mapped; they count as activities of "
            "their own",
        )
        warnings.append(
            f"{rows}: map activity_id, so that a row that was exported twice counts once"
        )
    versions = int(staged.engine.query(TWO_VERSIONS_SQL)["n"][0].as_py()) if _has_ids(staged) else 0
    if versions:
        same_id = counted(
            versions,
            "activity has the activity_id of another one of its lead, but differs from it: both count",
            "activities have the activity_id of another one of their lead, but differ from it: all of them count",
        )
        warnings.append(f"{same_id}; if the id is right, export each activity once, as it is now")
    return warnings


def _has_ids(staged: Staged) -> bool:
    entries = [entry for entry in staged.settings.mapping if entry.table == "activities"]
    return any("activity_id" in entry.targets() for entry in entries)
