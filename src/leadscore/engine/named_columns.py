"""Which columns a statement names of the tables that it reads, as its syntax tree shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from leadscore.engine.closed import parse_select, walk

OWN_COLUMNS = {"_source", "_file", "_line"}  # of staged text, in no file
Node = Mapping[str, Any]


@cache
def named_columns(sql: str) -> Mapping[str, frozenset[str]]:
    """Table, in lower case -> the columns that a statement names of it, as they are written.

    A name that could be of several tables, or that the SELECT itself gives to a value, is left out.

    Raises:
        SelectError: the text is not one SELECT.

    >>> sorted(named_columns("SELECT d.Id, p.name FROM Deals AS d JOIN people AS p ON true")["deals"])
    ['Id']
    >>> named_columns("SELECT Stage FROM (SELECT DISTINCT * FROM deals)")["deals"]
    frozenset({'Stage'})
    """
    named: dict[str, set[str]] = defaultdict(set)
    for node in walk(parse_select(sql)):
        if node.get("type") == "SELECT_NODE":
            for table, column in _columns_of(node):
                named[table].add(column)
    return {table: frozenset(columns - OWN_COLUMNS) for table, columns in named.items()}


def _columns_of(select: Node) -> Iterator[tuple[str, str]]:
    """The tables and columns that one SELECT names itself, without what is nested in it."""
    source = select["from_table"]
    tables = dict(_tables_in(source))
    is_only = source.get("type") != "JOIN" and len(tables) == 1
    given = {node.get("alias") for node in select["select_list"]}
    for node in _within(select):
        names = node.get("column_names")
        if node.get("class") != "COLUMN_REF" or not names:
            continue
        *qualifiers, column = names
        if len(qualifiers) == 1:
            table = tables.get(qualifiers[0].lower())
            if table is not None:
                yield table, column
        elif not qualifiers and is_only and column not in given:
            (table,) = tables.values()
            yield table, column


def _tables_in(node: Node) -> Iterator[tuple[str, str]]:
    """What a FROM calls its tables, and their names, both in lower case."""
    if node.get("type") == "BASE_TABLE":
        path = node["qualified_name"]["path"]
        table = str(path[-1]).lower()
        alias = str(node.get("alias") or table)
        yield alias.lower(), table
    if node.get("type") == "SUBQUERY":
        alias = str(node.get("alias") or "")
        for _, table in _all_columns_of(node["subquery"]["node"]):
            yield alias.lower(), table
    if node.get("type") == "JOIN":
        yield from _tables_in(node["left"])
        yield from _tables_in(node["right"])


def _all_columns_of(select: Node) -> Iterator[tuple[str, str]]:
    """The one table of which a nested SELECT gives all columns, and no others, under their names."""
    chosen = select.get("select_list", [])
    is_star = len(chosen) == 1 and chosen[0].get("class") == "STAR"
    if is_star and not chosen[0]["rename_list"] and not chosen[0]["columns"]:
        tables = list(_tables_in(select["from_table"]))
        if len(tables) == 1:
            yield from tables


def _within(node: Any) -> Iterator[Node]:
    """The nodes below a SELECT, but for those of other SELECTs."""
    children = node.values() if isinstance(node, dict) else node
    for child in children:
        if isinstance(child, dict) and child.get("type") != "SELECT_NODE":
            yield child
            yield from _within(child)
        elif isinstance(child, list):
            yield from _within(child)
