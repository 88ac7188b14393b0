"""From exported files to a store version: read what is new, judge, compare with the version before, account, write."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadscore.engine import Engine
from leadscore.engine.protocol import identifier, literal
from leadscore.errors import (
    AlarmError,
    CorruptFileError,
    CorruptPointerError,
    ExportMomentError,
    LeadscoreError,
    NoLeadsError,
    NoStoreError,
    SourceFormatError,
    TooManyRefusedError,
    UnknownAlarmError,
    UserError,
)
from leadscore.ingest.alarms.alarms import Alarms, Exports, find_alarms
from leadscore.ingest.alarms.deliveries import attach_deliveries, read_parts_of
from leadscore.ingest.checks.duplicates import find_duplicates
from leadscore.ingest.checks.looks_personal import warn_of_personal_looks
from leadscore.ingest.checks.repeats import find_repeats
from leadscore.ingest.checks.validate import (
    Kept,
    Staged,
    count_duplicate_leads,
    judge_leads,
    keep_events,
    late_leads,
    refused_leads,
)
from leadscore.ingest.differences.absent import find_absent, keep_absent
from leadscore.ingest.differences.closes import restated_sql, settle_closes
from leadscore.ingest.differences.export_moment import (
    Delivery,
    ExportMoment,
    determine_moment,
    read_modified,
)
from leadscore.ingest.differences.first_seen import find_new_columns, remember
from leadscore.ingest.differences.observe import attach_before, leads_sql, observe
from leadscore.ingest.differences.states import map_states
from leadscore.ingest.part import Part, read_part
from leadscore.ingest.readers.sources import find_files
from leadscore.progress import Progress
from leadscore.settings.rules import ALARMS
from leadscore.settings.settings import Settings
from leadscore.spreadsheet import write_csv_for_people
from leadscore.store.version import (
    BESIDE,
    StoreVersion,
    quarantine_version,
    read_current,
    write_attempt,
    write_rows,
    write_version,
)
from leadscore.tables import REJECTS, TABLES
from leadscore.times import FOREVER_US, name_moment
from leadscore.wording import counted, listed

EVENTS = [name for name in TABLES if name != "leads"]
SOURCE_ACCOUNT = ("read", "used", "ignored", "rejected")
FIRST_SQL = "SELECT MIN(available_us) FROM judged WHERE broken_rule = '' AND event_us IS NOT NULL"
ROWS = 100_000
UNDATED = (
    "lead has no creation date: it is scored, but never learned from",
    "leads have no creation date: they are scored, but never learned from",
)
logger = logging.getLogger(__name__)


class AccountsError(LeadscoreError):
    """Rows that were neither stored, ignored nor rejected: our mistake, never the user's."""


@dataclass(frozen=True)
class Ingested:
    """A store version, its moment, how its files were read, alarms accepted, how many leads may be the same."""

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
) -> Ingested:
    """Read all sources into the store at `folder` and make the result its current version.

    Files that were read before are not read again. `accept` names alarms that shall not stop this ingest;
    `delivery` says when the export was made, and what the clock shows. With `forget_damaged` a current version that is
    damaged counts as absent.

    Raises:
        DamagedStoreError: the current version is damaged.
        ExportMomentError: nothing usable says when the export was made.
        AlarmError: an alarm was raised; the delivery is quarantined, and the version before still counts.
        UserError: `accept` names no alarm, a source is missing or unreadable, too many rows were refused, or not one
            lead could be stored; the store is as it was.
    """
    if unknown := [name for name in accept if name not in ALARMS]:
        raise UnknownAlarmError(unknown[0], [*ALARMS])
    before = _read_before(folder, project=settings.project, forget_damaged=forget_damaged)
    parts = _read_parts(settings, engine, folder, progress)
    staged = Staged(engine, parts, settings, folder)
    staged.attach()
    attach_before(staged, before)
    return _Build(staged, before, _moment(staged, before, delivery), progress).write(accept)


def _moment(staged: Staged, before: StoreVersion | None, delivery: Delivery) -> ExportMoment:
    """When the export was made; undated it is after the last place in the order."""
    if staged.settings.is_dated:
        return determine_moment(staged, before, delivery)
    if delivery.known_until_us is not None:
        raise ExportMomentError(
            f"time = {staged.settings.time}: nothing is dated, so leave out --known-until"
        )
    return ExportMoment(FOREVER_US, basis="")


def _read_before(folder: Path, *, project: str, forget_damaged: bool) -> StoreVersion | None:
    """The current version, its facts checked, or None before the first."""
    try:
        before = read_current(folder, project=project)
        for name in (*before.manifest["tables"], *BESIDE):
            if name != "rejects":  # the one thing that is not read of the version before
                before.files(name)
    except NoStoreError:
        return None
    except (CorruptFileError, CorruptPointerError) as e:
        if not forget_damaged:
            raise
        logger.warning("the version before counts as absent: %s", e)
        return None
    return before


def _read_parts(settings: Settings, engine: Engine, folder: Path, progress: Progress) -> list[Part]:
    files = [
        file
        for name, source in settings.sources.items()
        for file in find_files(name, source, folder=settings.input_folder)
    ]
    for name, source in settings.sources.items():
        n = sum(file.source == name for file in files)
        if n > 1 and settings.ordered_by_line(name):
            told = f"has {n} files, whose lines have no common order; map a column to sequence"
            raise SourceFormatError(name, str(source.path), told)
    parts = []
    for done, file in enumerate(files):
        progress(f"reading {file.name}", done, len(files))
        modified = read_modified(
            file.path
        )  # before its bytes: whoever writes meanwhile makes it older, not newer
        parts.append(
            read_part(file, settings, engine=engine, folder=folder) | {"modified_us": modified}
        )
    for name, source in settings.sources.items():
        if not sum(part["account"]["read"] for part in parts if part["source"] == name):
            raise SourceFormatError(name, str(source.path), "has a header but no rows")
    return parts


class _Build:
    """An ingest whose parts are read: what becomes of the rows, and what is said of them."""

    def __init__(
        self, staged: Staged, before: StoreVersion | None, moment: ExportMoment, progress: Progress
    ) -> None:
        self.staged, self.before, self.moment, self.progress = staged, before, moment, progress
        self.engine, self.settings, self.folder = staged.engine, staged.settings, staged.folder
        self.kept: dict[str, Kept] = {}
        self.warnings: list[str] = []

    def write(self, accept: Collection[str]) -> Ingested:
        """Judge, compare, account, and write the version; what stops it is said, with the rejects at hand."""
        judge_leads(self.staged)
        for done, name in enumerate(EVENTS):
            self.progress(f"judging {name}", done, len(EVENTS))
            self.kept[name] = keep_events(self.staged, name, known_until=self.moment.us)
            self._attach(name, self.kept[name].part)
        known_until = self._known_until()
        closes = self._settle_closes(known_until)
        memory = self._remember(known_until)
        self.kept["leads"] = self._keep_leads(known_until)
        self._attach("leads", self.kept["leads"].part)
        rejects = self._write_rejects()
        accounts = self._accounts()
        alarms = self._find_alarms(accounts["tables"], known_until, accept)
        observed = observe(self.staged)
        manifest = {
            "format": 1,
            "project": self.settings.project,
            "time": self.settings.time,
            "known_until": name_moment(known_until, time=self.settings.time),
            "known_until_us": known_until,
            "first_us": self._first_us(known_until),
            "tables": {name: self.kept[name].part for name in TABLES},
            "observed": observed,
            **closes,
            **memory,
            "rejects": rejects,
            "accounts": accounts,
            "warnings": self.warnings + self._find_warnings(),
        }
        try:
            self._check_leads(accounts, rejects["rules"])
            self._check_alarms(alarms, manifest)
            self._check_refused(accounts, rejects["rules"])
        except UserError as e:
            write_attempt(self.folder, rejects, stopped=str(e))
            raise
        if accepted := alarms.accepted:
            manifest["accepted"] = accepted
        duplicates = find_duplicates(self.staged)
        version = write_version(self.folder, manifest, parts=self._part_keys())
        write_csv_for_people(self.folder.parent / "duplicates.csv", duplicates)
        write_attempt(self.folder, rejects, stopped=None)
        files = [
            {key: part[key] for key in ("source", "file", "dialect", "unchanged")}
            for part in self.staged.parts
        ]
        return Ingested(version, self.moment, files, alarms.words, duplicates.num_rows)

    def _part_keys(self) -> list[str]:
        return [part["key"] for part in self.staged.parts]

    def _remember(self, known_until: int) -> dict[str, Any]:
        """What exports showed of leads, as entries of the manifest; undated nothing is known at any time."""
        if not self.settings.is_dated:
            return {}
        was_dated = self.before is not None and self.before.manifest.get("time", "dated") == "dated"
        before = self.before if was_dated else None
        find_absent(self.staged, before)
        memory = remember(self.staged, before, known_until=known_until)
        map_states(self.staged, memory.blocks)
        absent = keep_absent(self.staged, before, known_until=known_until)
        self.warnings += absent.warnings + find_new_columns(self.staged, before)
        return memory.manifest | absent.parts

    def _attach(self, name: str, part: dict[str, Any]) -> None:
        self.engine.add_files(
            f"{name}_now", self.staged.paths(part), schema=self.staged.table(name).schema()
        )

    def _settle_closes(self, known_until: int) -> dict[str, Any]:
        """The memory of closes as an entry of the manifest; the kept tables then have the times at which they count."""
        if not self.settings.is_dated:
            return {}
        closes = settle_closes(self.staged, self.before, known_until=known_until)
        for name in closes.moved:
            rows = self.engine.stream(restated_sql(self.staged, name), rows=ROWS)
            part = write_rows(self.folder, self.staged.table(name).schema(), rows)
            self.kept[name] = replace(self.kept[name], part=part)
            self._attach(name, part)
        self.warnings += closes.warnings
        return closes.entries

    def _number(self, sql: str) -> int:
        return int(self.engine.query(sql).column(0)[0].as_py() or 0)

    def _first_us(self, known_until: int) -> int:
        """When the first lead was known; without any dated lead known_until, so that there is no past to learn from."""
        first = self.engine.query(FIRST_SQL).column(0)[0].as_py()
        return known_until if first is None else int(first)

    def _known_until(self) -> int:
        """The moment of the export; without dates the place after the last, and what that takes for granted."""
        if assumption := self.settings.assumption():
            self.warnings.append(assumption)
            return self._number("SELECT MAX(event_us) FROM judged WHERE broken_rule = ''") + 1
        return self.moment.us

    def _keep_leads(self, known_until: int) -> Kept:
        schema = self.staged.table("leads").schema()
        sql = leads_sql(self.staged, creation_us=known_until - 1)
        order = ", ".join(
            map(
                identifier,
                sorted(schema.names, key=lambda name: name not in {"lead_id", "event_us"}),
            )
        )
        part = write_rows(
            self.folder,
            schema,
            self.engine.stream(f"SELECT * FROM ({sql}) AS t ORDER BY {order}", rows=ROWS),
        )
        refused = refused_leads(self.staged)
        late = late_leads(self.staged, known_until=known_until)
        return Kept(
            part,
            pa.concat_tables([refused, late]),
            refused.num_rows,
            count_duplicate_leads(self.staged),
        )

    def _write_rejects(self) -> dict[str, Any]:
        """All refused and warned rows as a part of the manifest, with the refused and warned ones counted by rule."""
        self.engine.add_rows(
            "rule_rejects", pa.concat_tables([kept.rejects for kept in self.kept.values()])
        )
        names = ", ".join(map(identifier, REJECTS.names))
        rows = f"(SELECT {names} FROM row_rejects UNION ALL SELECT {names} FROM rule_rejects) AS r"
        order = 'source, file, line, "table", rule, "column", value'
        part = write_rows(
            self.folder,
            REJECTS,
            self.engine.stream(f"SELECT * FROM {rows} ORDER BY {order}", rows=ROWS),
        )
        counts = self.engine.query(
            f"SELECT severity, rule, COUNT(*) AS n FROM {rows} GROUP BY severity, rule ORDER BY rule"
        )
        by = {
            said: {row["rule"]: row["n"] for row in counts.to_pylist() if row["severity"] == said}
            for said in ("refused", "warned")
        }
        return {**part, "rules": by["refused"], "warned": by["warned"]}

    def _accounts(self) -> dict[str, Any]:
        """What became of every row, by source and by table; it adds up."""
        sources: dict[str, Any] = {}
        for part in self.staged.parts:
            told = sources.setdefault(part["source"], {"ignored_by": {}})
            for key in SOURCE_ACCOUNT:
                told[key] = told.get(key, 0) + part["account"][key]
            for rule, n in part["account"]["ignored_by"].items():
                told["ignored_by"][rule] = told["ignored_by"].get(rule, 0) + n
        tables = {name: self._table_account(name) for name in TABLES}
        for name, a in sources.items():
            if a["read"] != a["used"] + a["ignored"] + a["rejected"]:
                raise AccountsError(f"source {name!r}: {a} do not add up")
        for name, a in tables.items():
            if a["selected"] != a["stored"] + a["ignored"] + a["rejected"] + a["duplicates"]:
                raise AccountsError(f"table {name!r}: {a} do not add up")
        return {"sources": sources, "tables": tables}

    def _table_account(self, name: str) -> dict[str, Any]:
        kept, parts = self.kept[name], [part["tables"][name] for _, part in self.staged.of(name)]
        return {
            "selected": sum(part["selected"] for part in parts),
            "stored": kept.part["rows"],
            "ignored": sum(kept.ignored.values()),
            "ignored_by": kept.ignored,
            "rejected": kept.refused + sum(part["refused"] for part in parts),
            "duplicates": kept.duplicates + sum(part["duplicates"] for part in parts),
        }

    def _check_leads(self, accounts: dict[str, Any], rules: dict[str, int]) -> None:
        """Stop if not one lead stands."""
        if not accounts["tables"]["leads"]["stored"]:
            raise NoLeadsError(rejected=rules)

    def _check_refused(self, accounts: dict[str, Any], rules: dict[str, int]) -> None:
        """Stop if more rows than the settings allow were refused."""
        limit = self.settings.validation.max_refused
        shares = {
            f"file of {name}": (a["rejected"], a["read"]) for name, a in accounts["sources"].items()
        }
        shares |= {
            f"table {name}": (a["rejected"], a["selected"])
            for name, a in accounts["tables"].items()
        }
        over = {name: counts for name, counts in shares.items() if counts[0] > limit * counts[1]}
        if over:
            raise TooManyRefusedError(over, limit=limit, rules=rules)

    def _find_alarms(
        self, accounts: dict[str, Any], known_until: int, accept: Collection[str]
    ) -> Alarms:
        """What looks wrong beside the version before, and what of it the settings or whoever runs it let pass."""
        if self.before is None:
            return Alarms((), frozenset())
        files, files_before = (
            {f"{part['source']}/{part['file']}": part["sha256"] for part in parts}
            for parts in (self.staged.parts, read_parts_of(self.before))
        )
        is_dated = self.settings.is_dated
        pair = (
            attach_deliveries(self.staged, self.before, known_until=known_until)
            if is_dated
            else None
        )
        exports = Exports(
            staged=self.staged,
            before=self.before,
            accounts=accounts,
            before_accounts=self.before.manifest.get("accounts", {}).get("tables", {}),
            pair=pair,
            known_until=known_until,
            files=files,
            files_before=files_before,
        )
        warned = {name for name in ALARMS if self.settings.validation.answer_to(name) == "warn"}
        return Alarms(tuple(find_alarms(exports)), frozenset(warned), frozenset(accept))

    def _check_alarms(self, alarms: Alarms, manifest: dict[str, Any]) -> None:
        """Quarantine a delivery that fails an alarm: a version is written, and the one before still counts."""
        if stopping := alarms.stopping:
            quarantined = manifest | {"quarantined": stopping}
            version = quarantine_version(self.folder, quarantined, parts=self._part_keys())
            raise AlarmError(stopping, version=version.id)

    def _find_warnings(self) -> list[str]:
        undated = self._number(
            "SELECT COUNT(*) FROM judged WHERE broken_rule = '' AND event_us IS NULL"
        )
        found = [counted(undated, *UNDATED)] if undated else []
        currencies = self.engine.query(
            "SELECT DISTINCT currency FROM leads_now WHERE amount IS NOT NULL AND currency IS NOT NULL "
            "ORDER BY currency"
        )["currency"].to_pylist()
        if len(currencies) > 1:
            found.append(
                f"amounts in {listed(currencies)} are compared as they stand: give rates under money"
            )
        for name, n in self._warned_late().items():
            found.append(
                counted(
                    n,
                    f"row of {name} is dated at or after known_until: it is planned, and counts once a later export "
                    "has it",
                    f"rows of {name} are dated at or after known_until: they are planned, and count once a later "
                    "export has them",
                )
            )
        found += (
            find_repeats(self.staged, repeated=self.kept["activities"].repeated)
            + self._unlisted_levels()
        )
        return found + warn_of_personal_looks(self.staged)

    def _warned_late(self) -> dict[str, int]:
        rows = self.engine.query(
            """SELECT "table" AS name, COUNT(*) AS n FROM rule_rejects WHERE rule = 'after_export'
            AND severity = 'warned' GROUP BY "table" """
        ).to_pylist()
        counts = {row["name"]: row["n"] for row in rows}
        return {name: counts[name] for name in TABLES if name in counts}

    def _unlisted_levels(self) -> list[str]:
        """Answers that no level of their BANT letter lists: they stay in the store, and count as unknown."""
        found = []
        for letter, bant in self.settings.bant.items():
            if not bant.levels:
                continue
            levels = ", ".join(literal(level) for level in bant.levels)
            parts = [f"SELECT value FROM changes_now WHERE field = {literal(bant.field)}"]
            if bant.field in self.staged.mapped_fields():
                parts.append(f"SELECT {identifier(bant.field)} AS value FROM leads_now")
            sql = f"SELECT value, COUNT(*) AS n FROM ({' UNION ALL '.join(parts)}) AS a WHERE value NOT IN ({levels})"
            unlisted = self.engine.query(f"{sql} GROUP BY value ORDER BY value")
            if unlisted.num_rows:
                n, words = (
                    sum(unlisted["n"].to_pylist()),
                    listed(unlisted["value"].to_pylist(), most=5),
                )
                found.append(
                    counted(
                        n,
                        f"answer to {letter} is not among bant.{letter}.levels and counts as unknown: {words}",
                        f"answers to {letter} are not among bant.{letter}.levels and count as unknown: {words}",
                    )
                )
        return found
