"""What a feature may ask of a relation: aggregates of its columns, and nothing else."""

from __future__ import annotations

import re
from functools import cache

from leadscore.errors import LeadscoreError

AGGREGATES = frozenset({"COUNT", "MAX", "MIN", "SUM", "DISTINCT"})
CONDITIONS = frozenset(
    {"CASE", "WHEN", "THEN", "ELSE", "END", "AND", "OR", "NOT", "IS", "NULL", "IN"}
)
SQL_TEXT = re.compile(r"'(?:[^']|'')*'")
SQL_WORD = re.compile(r"[^\W\d]\w*")
SQL_SIGNS = re.compile(r"[\w\s()<>=+*%|,-]*", re.ASCII)


class ForbiddenExpressionError(LeadscoreError):
    """An expression that may read more than the columns of its relation."""

    def __init__(self, expression: str) -> None:
        super().__init__(
            f"a feature may not name tables, only columns of its relation: {expression}"
        )


@cache
def check_expression(expression: str, columns: frozenset[str]) -> None:
    """Refuse an expression that has more in it than columns, constants and aggregates.

    It lists what is allowed, since engines know more ways to name a table than anybody can forbid.

    Raises:
        ForbiddenExpressionError: it has anything else in it, even a comment.

    `MAX(CASE WHEN kind = 'FROM leads' THEN event_us END)` is accepted: what is quoted says nothing
    in SQL. `(SELECT COUNT(*) FROM outcomes)` is refused: neither SELECT, nor FROM, nor outcomes is
    a column.
    """
    code = SQL_TEXT.sub(" ", expression)  # a quoted text may say anything
    has_comment = "--" in code
    if has_comment or not SQL_SIGNS.fullmatch(code):
        raise ForbiddenExpressionError(expression)
    for word in SQL_WORD.findall(code):
        is_sql = word.upper() in AGGREGATES | CONDITIONS
        if not is_sql and word not in columns:
            raise ForbiddenExpressionError(expression)
