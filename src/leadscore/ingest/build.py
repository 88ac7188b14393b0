"""From exported files to a store version: read, check, compare, account, write."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadscore.engine import Engine
from leadscore.errors import AlarmError, UserError
from leadscore.ingest.accounts import (
    Accounts,
    build_accounts,
    write_rejects,
)
from leadscore.ingest.alarms.catalogue import find_alarms
from leadscore.ingest.alarms.exports import open_exports
from leadscore.ingest.alarms.names import check_names
from leadscore.ingest.alarms.raised import Alarms
from leadscore.ingest.checks.checked_table import CheckedTable
from leadscore.ingest.checks.duplicates import find_duplicates
from leadscore.ingest.checks.events import check_events
from leadscore.ingest.checks.id_spellings import hint_at_id_kinds
from leadscore.ingest.checks.leads import (
    ACCEPTED_LEADS,
    check_leads,
    count_duplicate_leads,
    find_late_leads,
    find_refused_leads,
)
from leadscore.ingest.checks.lost_facts import hint_at_views
from leadscore.ingest.checks.several_rows import hint_at_keep
from leadscore.ingest.data_warnings import find_data_warnings
from leadscore.ingest.differences.absent import find_absent, keep_absent
from leadscore.ingest.differences.before import find_earlier_rows
from leadscore.ingest.differences.closes import restated_sql, settle_closes
from leadscore.ingest.differences.delivery import Delivery, ExportMoment
from leadscore.ingest.differences.export_moment import determine_moment
from leadscore.ingest.differences.first_seen import find_new_columns, remember
from leadscore.ingest.differences.observed_changes import (
    attach_before,
    attach_earlier_changes,
    leads_sql,
    write_observed,
)
from leadscore.ingest.differences.states import map_states
from leadscore.ingest.file_notes import notes_of
from leadscore.ingest.inputs import read_before, read_parts
from leadscore.ingest.refused import check_refused, check_stored, describe_refused, hint_at_cures
from leadscore.ingest.shown.current import show_leads
from leadscore.ingest.sql import read_number, storing_order
from leadscore.ingest.staged import Staged
from leadscore.progress import Progress
from leadscore.settings.mapping import BEFORE
from leadscore.settings.rules import ALARMS
from leadscore.settings.settings import Settings
from leadscore.spreadsheet import write_csv_for_people
from leadscore.store.attempt import write_attempt
from leadscore.store.objects import write_rows
from leadscore.store.version import StoreVersion, quarantine_version, write_version
from leadscore.tables import TABLES
from leadscore.times import FOREVER_US, name_moment

FORMAT = 1  # of the manifest
EVENTS = [name for name in TABLES if name != "leads"]
FIRST_SQL = """SELECT MIN(available_us) FROM (SELECT available_us FROM leads_now
    UNION ALL SELECT available_us FROM absent_leads) AS known
    WHERE available_us < {undated_us}"""
FIRST_POSITION_SQL = f"SELECT MIN(available_us) FROM {ACCEPTED_LEADS} AS l"
LAST_POSITION_SQL = f"SELECT MAX(event_us) FROM {ACCEPTED_LEADS} AS l"
WRITE_ROWS = 100_000


@dataclass(frozen=True)
class Built:
    """A store version and how it came about.

    Attributes:
        version: The new current version.
        moment: When the export was made.
        files: How each file was read: source, file, dialect, unchanged.
        alarms: Every alarm that was raised, in words.
        duplicates: How many pairs of leads may be the same.
    """

    version: StoreVersion
    moment: ExportMoment
    files: list[dict[str, Any]]
    alarms: list[str]
    duplicates: int


def build_version(
    settings: Settings,
    *,
    engine: Engine,
    folder: Path,
    accept: Collection[str] = (),
    delivery: Delivery,
    forget_damaged: bool = False,
    progress: Progress,
) -> Built:
    """Read all sources into the store at `folder` and make the result its current version.

    Args:
        settings: The project's settings.
        engine: Runs the SQL.
        folder: The store. Files that it has read before are not read again.
        accept: Names of alarms that do not stop this ingest.
        delivery: When the export was made, and what the clock shows.
        forget_damaged: Whether a damaged current version counts as absent.
        progress: Is told of each file and table.

    Raises:
        CorruptFileError: the current version is damaged.
        AlarmError: an alarm was raised; the delivery is quarantined, and the version before still
            counts.
        UserError: `accept` names no alarm, nothing usable says when the export was made, a source
            is missing or unreadable, too many rows were refused, or no lead could be stored; the
            store is as it was.
    """
    check_names(accept)
    before = read_before(folder, project=settings.project, forget_damaged=forget_damaged)
    parts = read_parts(settings, engine, folder, progress, before=before)

    staged = Staged(engine, parts, settings, folder)
    staged.attach()
    attach_before(staged, before)
    moment = _determine_moment(staged, before, delivery)
    return _Build(staged, before, moment, progress).run(accept)


def _determine_moment(
    staged: Staged,
    before: StoreVersion | None,
    delivery: Delivery,
) -> ExportMoment:
    """When the export was made; without dates it is after all positions."""
    if staged.settings.is_dated:
        return determine_moment(staged, before, delivery)
    if delivery.known_until_us is not None:
        raise UserError(
            f"time = {staged.settings.time}: nothing is dated, so leave out --known-until"
        )
    return ExportMoment(FOREVER_US, basis="")


class _Build:
    """An ingest whose files are read, on its way to a store version."""

    def __init__(
        self,
        staged: Staged,
        before: StoreVersion | None,
        moment: ExportMoment,
        progress: Progress,
    ) -> None:
        self.staged = staged
        self.before = before
        self.moment = moment
        self.progress = progress
        self.engine = staged.engine
        self.settings = staged.settings
        self.folder = staged.folder
        self.checked: dict[str, CheckedTable] = {}
        self.warnings = notes_of(staged.parts, "warnings")
        self.hints = notes_of(staged.parts, "hints")

    def run(self, accept: Collection[str]) -> Built:
        """Take all steps in order; the rejects are kept even if one of them stops the ingest."""
        check_leads(self.staged)
        self.check_events()
        known_until = self.known_until()
        closes = self.settle_closes(known_until)
        memory = self.remember(known_until)
        self.add_earlier_rows()
        self.store_leads(known_until)

        rejects = write_rejects(self.staged, self.checked)
        self.hints += hint_at_id_kinds(self.staged) + hint_at_keep(self.staged)
        self.hints += hint_at_views(self.staged)
        accounts = build_accounts(self.staged, self.checked)
        alarms = self.find_alarms(accounts, known_until, accept)
        self.warn_of_data(known_until)
        manifest = {
            "format": FORMAT,
            "project": self.settings.project,
            "time": self.settings.time,
            "known_until": name_moment(known_until, time=self.settings.time),
            "known_until_us": known_until,
            "first_us": self.first_us(known_until),
            "tables": {name: self.checked[name].part for name in TABLES},
            "observed": write_observed(self.staged),
            **closes,
            **memory,
            "rejects": rejects,
            "accounts": accounts,
            "warnings": self.warnings,
        }
        try:
            self.stop_if_wrong(alarms, manifest)
        except UserError as e:
            write_attempt(self.folder, rejects, stopped=str(e))
            raise
        return self.write(manifest, alarms)

    def check_events(self) -> None:
        """Check every table of events by the accepted leads."""
        for done, name in enumerate(EVENTS):
            self.progress(f"checking {name}", done, len(EVENTS))
            table = check_events(self.staged, name, known_until=self.moment.us)
            self.checked[name] = table
            self.attach(name, table.part)

    def attach(self, name: str, part: dict[str, Any]) -> None:
        """Make the stored rows of a table readable as <table>_now."""
        schema = self.staged.table(name).schema()
        self.engine.add_files(f"{name}_now", self.staged.paths(part), schema=schema)

    def known_until(self) -> int:
        """The moment of the export; without dates the position after the last lead."""
        assumption = self.settings.assumption()
        if assumption:
            self.warnings.append(assumption)
            return read_number(self.engine, LAST_POSITION_SQL) + 1
        return self.moment.us

    def settle_closes(self, known_until: int) -> dict[str, Any]:
        """What is known of closes, as entries of the manifest; <table>_now gets their times."""
        if not self.settings.is_dated:
            return {}
        closes = settle_closes(self.staged, self.before, known_until=known_until)
        for name in closes.moved:
            batches = self.engine.stream(restated_sql(self.staged, name), rows=WRITE_ROWS)
            part = write_rows(self.folder, self.staged.table(name).schema(), batches)
            self.checked[name] = replace(self.checked[name], part=part)
            self.attach(name, part)
        self.warnings += closes.warnings
        return closes.entries

    def remember(self, known_until: int) -> dict[str, Any]:
        """What exports showed of leads, as entries of the manifest; nothing without dates."""
        if not self.settings.is_dated:
            return {}
        before = self.before
        if before is not None and before.manifest["time"] != "dated":
            before = None  # it remembers nothing
        find_absent(self.staged, before)
        memory = remember(self.staged, before, known_until=known_until)
        map_states(self.staged, memory.blocks)
        attach_earlier_changes(self.staged)
        absent = keep_absent(self.staged, before, known_until=known_until)
        self.warnings += absent.warnings
        self.warnings += find_new_columns(self.staged, before)
        return memory.entries | absent.parts

    def add_earlier_rows(self) -> None:
        """Add what logs of changes say of the time before their first rows."""
        if not self.settings.is_dated:
            return
        for name in BEFORE:
            earlier = find_earlier_rows(self.staged, name)
            self.warnings += earlier.warnings
            if not earlier.rows.num_rows:
                continue
            more = write_rows(self.folder, earlier.rows.schema, earlier.rows.to_batches())
            checked = self.checked[name]
            part = {
                "rows": checked.part["rows"] + more["rows"],
                "files": [*checked.part["files"], *more["files"]],
            }
            self.checked[name] = replace(checked, part=part, added=more["rows"])
            self.attach(name, part)

    def store_leads(self, known_until: int) -> None:
        """Write the accepted leads, with the values that were seen first."""
        schema = self.staged.table("leads").schema()
        leads = leads_sql(self.staged, creation_us=known_until - 1)
        ordered = f"SELECT * FROM ({leads}) AS t ORDER BY {storing_order(schema.names)}"
        part = write_rows(self.folder, schema, self.engine.stream(ordered, rows=WRITE_ROWS))

        refused = find_refused_leads(self.staged)
        late = find_late_leads(self.staged, known_until=known_until)
        self.checked["leads"] = CheckedTable(
            part=part,
            rejects=pa.concat_tables([refused, late]),
            refused=refused.num_rows,
            duplicates=count_duplicate_leads(self.staged),
        )
        self.attach("leads", part)

    def first_us(self, known_until: int) -> int:
        """When the first lead was known; known_until if no lead is dated: there is no past."""
        sql = FIRST_POSITION_SQL
        if self.settings.is_dated:
            sql = FIRST_SQL.format(undated_us=known_until - 1)
        first = self.engine.query(sql).column(0)[0].as_py()
        return known_until if first is None else int(first)

    def warn_of_data(self, known_until: int) -> None:
        """Add the warnings about the stored rows."""
        repeated = self.checked["activities"].repeated
        self.warnings += find_data_warnings(self.staged, known_until=known_until, repeated=repeated)
        self.warnings += self.hints

    def find_alarms(self, accounts: Accounts, known_until: int, accept: Collection[str]) -> Alarms:
        """What looks wrong beside the version before, and which of it may pass."""
        if self.before is None:
            return Alarms((), frozenset())
        exports = open_exports(
            self.staged, self.before, tables=accounts["tables"], known_until=known_until
        )
        answer_to = self.settings.validation.answer_to
        only_warn = frozenset(name for name in ALARMS if answer_to(name) == "warn")
        return Alarms(tuple(find_alarms(exports)), only_warn, frozenset(accept))

    def stop_if_wrong(self, alarms: Alarms, manifest: dict[str, Any]) -> None:
        """Raise if no lead is left, an alarm stops the delivery, or too many rows were refused."""
        accounts = manifest["accounts"]
        refused = describe_refused(self.staged)
        hints = self.hints + hint_at_cures(self.staged)
        check_stored(accounts, refused, hints=hints)
        self.check_alarms(alarms, manifest)
        check_refused(accounts, refused, limit=self.settings.validation.max_refused, hints=hints)

    def check_alarms(self, alarms: Alarms, manifest: dict[str, Any]) -> None:
        """Quarantine a delivery that fails an alarm: its version is kept, but does not count."""
        stopping = alarms.stopping
        if stopping:
            quarantined = manifest | {"quarantined": stopping}
            version = quarantine_version(self.folder, quarantined, parts=self.part_keys())
            raise AlarmError(stopping, version=version.id, hints=self.hints)

    def part_keys(self) -> list[str]:
        """The keys of what the files gave."""
        return [part["key"] for part in self.staged.parts]

    def write(self, manifest: dict[str, Any], alarms: Alarms) -> Built:
        """Make the version current, and write the list of leads that may be the same."""
        if alarms.accepted:
            manifest["accepted"] = alarms.accepted
        duplicates = find_duplicates(self.staged)
        version = write_version(self.folder, manifest, parts=self.part_keys())
        show_leads(self.staged)
        write_csv_for_people(self.folder.parent / "duplicates.csv", duplicates)
        write_attempt(self.folder, manifest["rejects"], stopped=None)

        keys = ("source", "file", "dialect", "unchanged")
        files = []
        for part in self.staged.parts:
            file = {key: part[key] for key in keys}
            files.append(file | {"of_database": part.get("of_database", False)})
        return Built(version, self.moment, files, alarms.words, duplicates.num_rows)
