"""What an ingest hands over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from leadscore.results.base import Result

if TYPE_CHECKING:
    import pandas as pd


class SourceFile(Result):
    """A file, or what a database answered, that was read, and how."""

    source: str
    file: str
    dialect: str | None  # of a CSV file; other formats have none
    unchanged: bool
    of_database: bool = False


class SourceAccount(Result):
    """Where the rows of a source went: read = used + ignored + rejected."""

    read: int
    used: int
    ignored: int
    rejected: int
    ignored_by: dict[str, int] = Field(default_factory=dict)


class TableAccount(Result):
    """Where the rows for a table went: selected = stored + ignored + rejected + duplicates."""

    selected: int
    stored: int
    ignored: int
    rejected: int
    duplicates: int
    ignored_by: dict[str, int] = Field(default_factory=dict)


class ViewAccount(Result):
    """How many rows of each source or earlier view a view read, and how many came out."""

    rows_in: dict[str, int]
    rows: int


class Accounts(Result):
    """Every row that was read, by source or mapped view, and by table; and what views made of rows."""

    sources: dict[str, SourceAccount]
    tables: dict[str, TableAccount]
    views: dict[str, ViewAccount] = Field(default_factory=dict)


class Ingested(Result):
    """A new version of the store: what it was read from, where every row went, and what was unusual."""

    project: str
    store_version: str
    known_until: str
    known_until_from: str
    files: list[SourceFile]
    accounts: Accounts
    rejects: dict[str, int]
    warned: dict[str, int]
    first_rejects: dict[str, str]
    alarms: list[Any]
    warnings: list[str]
    duplicates: int
    duplicates_file: str
    bant_not_learned_from: list[str] = Field(default_factory=list)
    keys_not_learned_from: list[str] = Field(default_factory=list)

    def to_pandas(self) -> pd.DataFrame:
        """A row a table: how many rows were selected, stored, ignored, rejected and duplicates."""
        import pandas as pd

        tables = {name: account.to_dict() for name, account in self.accounts.tables.items()}
        return pd.DataFrame.from_dict(tables, orient="index").drop(columns="ignored_by")


class RejectGroup(Result):
    """Rows of a source that broke a rule in the same column, and the settings that would cure it."""

    rule: str
    severity: str
    source: str
    table: str | None
    column: str | None
    rows: int
    values: list[tuple[str, int]]
    distinct: int
    cure: list[str]


class Rejects(Result):
    """The rows that the last ingest rejected or warned about, by rule; `stopped` says why it made no version."""

    stopped: str | None
    rules: dict[str, int]
    refused: dict[str, int]
    warned: dict[str, int]
    groups: list[RejectGroup]
    first: dict[str, list[dict[str, Any]]]


class WrittenRejects(Result):
    """How many rejected rows were written, and to which file."""

    written: int | None
    to: str | None
