"""What databases give, as parts: a source is one part, or with a cursor one for each new answer.

The rows of an answer are kept in a temporary file until the ingest ends. Their hash does not depend
on their order, so an answer with the same rows is the same part.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadscore.engine import Engine
from leadscore.errors import UserError
from leadscore.files import hash_bytes
from leadscore.ingest.part import Part, read_part, reading_of, stored_part, whole_part
from leadscore.ingest.readers.batch import SourceFile
from leadscore.ingest.readers.cursor import CursorValue
from leadscore.ingest.readers.extract import extract_rows
from leadscore.ingest.readers.query import Query
from leadscore.ingest.readers.rows import rows_of
from leadscore.json_files import canonical_json
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion, read_parts

INCREMENT = "increment"  # the entry of a part that a later answer continues
WHERE = ("sql", "db_table", "cursor")


@dataclass(frozen=True)
class DatabaseSource:
    """A source that a database answers.

    Attributes:
        query: what is asked; with a cursor, only for what is new.
        earlier: the parts that earlier answers gave, oldest first; none without a cursor.
        reading: a hash of the settings that decide what is asked and how it is read.
    """

    query: Query
    earlier: tuple[Part, ...]
    reading: str

    def file_in(self, folder: Path) -> SourceFile:
        """The answer as a file, to be kept in a folder."""
        path = folder / f"answer-{self.query.source}.parquet"
        return SourceFile(self.query.source, path, self.query.name)

    def read(
        self,
        file: SourceFile,
        settings: Settings,
        *,
        engine: Engine,
        folder: Path,
        view_text: Path | None,
    ) -> list[Part]:
        """Ask, and return all parts of the source; without new rows these are the earlier ones.

        Raises:
            SourceFormatError: the database refuses.
            UnavailableError: it cannot be reached.
            UserError: an answer cannot be read.
        """
        extract = extract_rows(self.query, file.path)
        parts = [part | {"unchanged": True} for part in self.earlier]
        if extract.rows or not self.earlier:
            sha256, about = extract.sha256, {}
            if extract.latest is not None:
                sha256 = _hash({"rows": sha256, "reading": self.reading})
                about = {INCREMENT: self._increment(extract.latest)}
            part = stored_part(file, sha256, settings, folder)
            parts.append(
                part
                or read_part(
                    rows_of(file, settings),
                    sha256,
                    settings,
                    engine=engine,
                    folder=folder,
                    about=about,
                    view_text=view_text,
                )
            )
        of_run = {"modified_us": extract.moment_us, "of_database": True}
        return [part | of_run for part in parts]

    def _increment(self, latest: CursorValue) -> dict[str, Any]:
        """What the next ingest needs to go on from here."""
        number = len(self.earlier) + 1
        return {"number": number, "reading": self.reading, "latest": latest.to_json()}


def plan_databases(
    settings: Settings,
    before: StoreVersion | None,
    folder: Path,
    *,
    read_by_views: Collection[str],
) -> list[DatabaseSource]:
    """What to ask for every source that a database answers.

    Raises:
        UserError: a view reads a source of which only new rows are asked for.
    """
    plans = []
    for name, source in settings.sources.items():
        if source.cursor is not None and name in read_by_views:
            raise UserError(
                f"sources.{name}: a view needs all rows, and a cursor brings only the new ones; "
                "leave out `cursor`, or write the view's SQL into the `sql` of the source"
            )
        if source.is_query:
            plans.append(_plan(name, settings, before, folder))
    return plans


def reach_database(name: str, settings: Settings) -> None:
    """Ask the database of a source for nothing but an answer.

    Raises:
        SourceFormatError: it refuses.
        UnavailableError: it cannot be reached.
    """
    from leadscore.ingest.readers.sql import ask  # SQLAlchemy takes a moment to import

    anything = {"sql": "SELECT 1 AS one", "db_table": None, "cursor": None}
    source = settings.sources[name].model_copy(update=anything)
    with ask(Query(name, source, settings.engine)):
        pass


def _plan(
    name: str,
    settings: Settings,
    before: StoreVersion | None,
    folder: Path,
) -> DatabaseSource:
    """What to ask for a source, after what the version before has of it."""
    source = settings.sources[name]
    reading = _reading(name, settings)
    query = Query(name, source, settings.engine)
    earlier: list[Part] = []
    if source.cursor is not None and before is not None:
        earlier = _earlier_parts(name, reading, before, folder)
    if earlier:
        latest = CursorValue.from_json(earlier[-1][INCREMENT]["latest"])
        query = Query(name, source, settings.engine, after=latest)
    return DatabaseSource(query, tuple(earlier), reading)


def _reading(name: str, settings: Settings) -> str:
    stated = settings.public()["sources"][name]
    asked = {key: stated[key] for key in WHERE}
    return _hash({"asked": asked, "read": reading_of(name, settings)})


def _earlier_parts(name: str, reading: str, before: StoreVersion, folder: Path) -> list[Part]:
    """The parts to continue, oldest first; none if one is gone, or was read otherwise.

    Then all rows are read again.
    """
    parts = []
    for key in read_parts(before):
        part = whole_part(key, folder)
        if part is None:  # nobody knows of which source it was
            return []
        if part["source"] == name:
            parts.append(part)
    parts.sort(key=_number_of)
    return parts if _is_chain(parts, reading) else []


def _number_of(part: Part) -> int:
    """The place of a part in the chain of answers, 0 for one that is in none."""
    number: int = part.get(INCREMENT, {}).get("number", 0)
    return number


def _is_chain(parts: Sequence[Part], reading: str) -> bool:
    """Whether parts are all answers so far to the same question."""
    increments = [part.get(INCREMENT, {}) for part in parts]
    numbers = [increment.get("number") for increment in increments]
    is_alike = all(increment.get("reading") == reading for increment in increments)
    return is_alike and numbers == list(range(1, len(parts) + 1))


def _hash(value: dict[str, Any]) -> str:
    return hash_bytes(canonical_json(value))
