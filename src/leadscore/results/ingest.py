"""What an ingest hands over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from leadscore.results.base import Result

if TYPE_CHECKING:
    import pandas as pd


class SourceFile(Result):
    """A file that was read, and how."""

    source: str
    file: str
    dialect: str | None  # of a CSV file; other formats have none
    unchanged: bool


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


class Accounts(Result):
    """Every row that was read, by source and by table."""

    sources: dict[str, SourceAccount]
    tables: dict[str, TableAccount]


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

    def to_pandas(self) -> pd.DataFrame:
        """A row a table: how many rows were selected, stored, ignored, rejected and duplicates."""
        import pandas as pd

        tables = {name: account.to_dict() for name, account in self.accounts.tables.items()}
        return pd.DataFrame.from_dict(tables, orient="index").drop(columns="ignored_by")


class Rejects(Result):
    """The rows that the last ingest rejected or warned about, by rule; `stopped` says why it made no version."""

    stopped: str | None
    rules: dict[str, int]
    refused: dict[str, int]
    warned: dict[str, int]
    first: dict[str, list[dict[str, Any]]]


class WrittenRejects(Result):
    """How many rejected rows were written, and to which file."""

    written: int | None
    to: str | None
