"""Names of the fields that a target has by default."""

from __future__ import annotations

COMMON = (
    "score", "tier", "expected_value", "qualification", "suggested_action", "next_question",
    "reason_up_1", "reason_up_2", "reason_down_1", "as_of", "score_valid_until",
)  # fmt: skip


def name_fields(probability: str, pattern: str, *, title: bool = False) -> dict[str, str]:
    """Score column -> field, the probability first.

    >>> name_fields("win_percent", "Leadscore_{}__c", title=True)["as_of"]
    'Leadscore_As_Of__c'
    """
    columns = (probability, *COMMON)
    return {column: pattern.format(_short(column, title=title)) for column in columns}


def _short(column: str, *, title: bool) -> str:
    name = column.removeprefix("score_")
    if not title:
        return name
    words = [word.capitalize() for word in name.split("_")]
    return "_".join(words)
