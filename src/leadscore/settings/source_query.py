"""What a source that is read from a database must be: one SELECT, or the name of a table."""

from __future__ import annotations

import re

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
TABLE = re.compile(r"[^\s.\"'`;]+(\.[^\s.\"'`;]+){0,2}")
IGNORED = re.compile(
    r"""
    '(?:[^']|'')*'             # text
    | "(?:[^"]|"")*"           # a quoted name
    | (\$\w*\$).*?\1           # text between dollars
    | --[^\n]*                 # comments
    | /\*.*?\*/
    """,
    re.VERBOSE | re.DOTALL,
)


def check_statement(sql: str) -> str:
    """A statement as it is.

    Raises:
        ValueError: it is not one SELECT. A database's own grammar is left to the database, which
            is asked in a read-only transaction.
    """
    without_comments = IGNORED.sub(" ", sql)
    words = without_comments.strip().removesuffix(";").strip()
    if ";" in words:
        raise ValueError("must be one SELECT; there is a ';' between two statements")
    first_word = words.lstrip("( \n\t").partition(" ")[0]
    first = first_word.split("\n")[0].upper()
    if first not in {"SELECT", "WITH"}:
        raise ValueError(f"must begin with SELECT or WITH, got {first[:20]!r}")
    return sql


def check_variable(name: str) -> str:
    """The name of an environment variable as it is.

    Raises:
        ValueError: it is none; what it is instead is not shown, since it may be the address itself.
    """
    if not VARIABLE.fullmatch(name):
        raise ValueError(
            "must be the name of an environment variable, like CRM_URL; the address itself, which "
            "may hold a password, belongs in that variable"
        )
    return name


def check_table(name: str) -> str:
    """The name of a table as it is.

    Raises:
        ValueError: it is none.
    """
    if not TABLE.fullmatch(name):
        raise ValueError(f"must be a table like 'deals' or 'crm.deals', got {name[:100]!r}")
    return name
