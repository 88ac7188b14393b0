"""What was ingested, rejected and stored."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import command, escaped, number, out, table_of, until, warn
from leadscore.wording import counted, describe_memory_step, describe_next_step

if TYPE_CHECKING:
    from leadscore.results import (
        Accounts,
        Audited,
        ForgottenLeads,
        Ingested,
        Pruned,
        RejectGroup,
        Rejects,
        SourceFile,
        StoreRollback,
        StoreVersion,
        StoreVersions,
        WrittenRejects,
        WrittenSample,
    )

ALIKE = ("lead may be the same as another one", "leads may be the same as another one")
COLOURS = {"leak": "bold red", "suspect": "yellow", "ok": "green"}  # the worst first


def draw_sample(sample: WrittenSample) -> None:
    """Which files there are, and what to do next."""
    table = table_of("Files", "file", "rows")
    for name, rows in sample.rows.items():
        table.add_row(f"{name}.csv", f"{rows:,}")
    out.print(table)
    config = f"{sample.folder}/leadscore.toml"
    still_open = counted(sample.open, "lead is", "leads are")
    out.print(f"{still_open} open at the end. Settings: {escaped(config)}", soft_wrap=True)
    quoted = escaped(shlex.quote(config))
    out.print(f"Next: leadscore ingest --config {quoted}", soft_wrap=True)


def draw_ingest(ingested: Ingested) -> None:
    """Where the rows went."""
    _draw_accounts(ingested.accounts)
    for file in ingested.files:
        out.print(escaped(_file_in_words(file)), highlight=False)
    _draw_broken_rules(ingested)
    if ingested.duplicates:
        where = escaped(ingested.duplicates_file)
        how_many = counted(ingested.duplicates, *ALIKE)
        out.print(f"[yellow]{how_many}[/]: see {where}", soft_wrap=True)
    warn([*ingested.alarms, *ingested.warnings])
    if ingested.bant_not_learned_from:
        fields = ingested.bant_not_learned_from
        out.print(
            f"[yellow]Not learned from yet[/] (BANT without a history): {escaped(', '.join(fields))}. "
            "Today's answers are shown, and count in qualification and questions. "
            f"To learn from them: {escaped(describe_next_step(fields))}",
            highlight=False,
            soft_wrap=True,
        )
    if ingested.keys_not_learned_from:
        keys = ingested.keys_not_learned_from
        out.print(
            f"[yellow]Not learned from[/] (nothing says since when they are known): "
            f"{escaped(', '.join(keys))}. To learn from earlier leads of the same "
            f"{escaped(' or '.join(keys))}: {escaped(describe_memory_step(keys))}",
            highlight=False,
            soft_wrap=True,
        )
    basis = f" (by {escaped(ingested.known_until_from)})" if ingested.known_until_from else ""
    version = f"Store version [bold]{ingested.store_version}[/]"
    out.print(f"{version}, {until(ingested.known_until)}{basis}", soft_wrap=True)


def _draw_accounts(accounts: Accounts) -> None:
    table = table_of("Sources", "source", "rows read", "used", "ignored", "rejected")
    for name, source in accounts.sources.items():
        counts = (source.read, source.used, source.ignored, source.rejected)
        table.add_row(escaped(name), *(f"{count:,}" for count in counts))
    out.print(table)

    for line in _views(accounts):
        out.print(escaped(line), highlight=False)

    columns = ("selected", "stored", "ignored", "rejected", "exact duplicates")
    table = table_of("Tables", "table", *columns)
    for name, rows in accounts.tables.items():
        if name == "scores" and not rows.selected:
            continue  # few projects map it
        of_table = (rows.selected, rows.stored, rows.ignored, rows.rejected, rows.duplicates)
        table.add_row(name, *(f"{count:,}" for count in of_table))
    out.print(table)

    for line in _ignored(accounts):
        out.print(escaped(line), highlight=False)


def _views(accounts: Accounts) -> list[str]:
    """A line for each view: the rows it read, and how many came out."""
    lines = []
    for name, view in accounts.views.items():
        read = [f"{counted(count, 'row')} of {table}" for table, count in view.rows_in.items()]
        sources = ", ".join(read) or "no source"
        lines.append(f"View {name}: {sources} -> {counted(view.rows, 'row')}")
    return lines


def _ignored(accounts: Accounts) -> list[str]:
    """A line for each name under which rows were ignored: how many, of which source and which table."""
    places: dict[str, list[str]] = {}
    counted_by = (("source", accounts.sources), ("table", accounts.tables))
    for kind, by_place in counted_by:
        for place, account in by_place.items():
            for name, count in account.ignored_by.items():
                if count:
                    rows = f"{counted(count, 'row')} of the {kind} {place}"
                    places.setdefault(name, []).append(rows)
    return [f"Ignored by {name}: {', '.join(rows)}" for name, rows in places.items()]


def _file_in_words(file: SourceFile) -> str:
    if file.unchanged:
        return f"{file.file}, unchanged: not read again"
    if file.of_database:
        return f"{file.file}: read from the database"
    return f"{file.file}: {file.dialect}" if file.dialect else file.file


def _draw_broken_rules(ingested: Ingested) -> None:
    """How many rows broke which rule, and where the first of them stands."""
    verbs = (("rejected", ingested.rejects), ("kept with a warning", ingested.warned))
    for verb, rules in verbs:
        for rule, count in rules.items():
            first = escaped(ingested.first_rejects[rule])
            rows = f"[yellow]{counted(count, 'row')} {verb}[/]"
            out.print(f"{rows} (rule {escaped(rule)}); first at {first}")
    if ingested.first_rejects:
        see = command("rejects")
        out.print(f"Details, with file, line, column and value: {see}", soft_wrap=True)


def draw_audit(audited: Audited) -> None:
    """Which fields can be trusted, the worst first, and what training makes of them."""
    columns = ("field", "verdict", "use", "AUC alone", "evidence")
    table = table_of(f"Fields, {until(audited.known_until)}", *columns, text=5)
    worst_first = list(COLOURS)
    in_order = sorted(audited.fields, key=lambda report: worst_first.index(report.verdict))
    for report in in_order:
        verdict = f"[{COLOURS[report.verdict]}]{report.verdict}[/]"
        evidence = escaped(report.evidence)
        field = escaped(report.field)
        table.add_row(field, verdict, report.use, number(report.auc), evidence)
    out.print(table)
    for finding in audited.findings:
        out.print(f"[yellow]also:[/] {escaped(finding.evidence)}")
    if any(report.use == "left out" for report in audited.fields):
        out.print(
            "Leaks are left out of training. To learn from one anyway: keep = [...] under \\[audit]"
        )


def draw_rejects(rejects: Rejects, written: WrittenRejects) -> None:
    """The first rejected rows of each rule, or where all of them were written."""
    if rejects.stopped:
        why = escaped(rejects.stopped)
        out.print(f"[yellow]The last ingest was stopped:[/] {why}\n", highlight=False)
    if written.to:
        rows = counted(written.written or 0, "rejected row")
        out.print(f"{rows} written to {escaped(written.to)}", soft_wrap=True)
        return
    if not rejects.rules:
        out.print("No row was rejected")
    for group in rejects.groups:
        _draw_group(group)
    for rule in rejects.rules:
        refused = rejects.refused.get(rule, 0)
        warned = rejects.warned.get(rule, 0)
        title = f"{rule}: {refused:,} refused, {warned:,} kept with a warning"
        table = table_of(title, "file", "line", "column", "value", "lead", text=5)
        for row in rejects.first[rule]:
            names = ("file", "line", "column", "value", "lead_id")
            cells = [row[name] for name in names]
            texts = ["" if cell is None else escaped(cell) for cell in cells]
            table.add_row(*texts)
        out.print(table)


def _draw_group(group: RejectGroup) -> None:
    """How many rows are wrong in the same way, with which values, and what to write about it."""
    verb = "rejected" if group.severity == "refused" else "kept with a warning"
    place = f"{group.source} -> {group.table}" if group.table else group.source
    if group.column:
        place += f", column {group.column}"
    rows = f"[yellow]{counted(group.rows, 'row')} {verb}[/]"
    out.print(f"{rows} (rule {escaped(group.rule)}; {escaped(place)})", soft_wrap=True)
    if group.values:
        values = [f"{value} ({count:,})" for value, count in group.values]
        others = group.distinct - len(values)
        if others > 0:
            values.append(f"{others:,} more")
        out.print(f"  values: {escaped(', '.join(values))}", soft_wrap=True)
    for line in group.cure:
        out.print(f"  write {escaped(line)}", soft_wrap=True, highlight=False)


def draw_store(store: StoreVersions) -> None:
    """The versions of the store."""
    table = table_of("Store versions", "version", "known until", "", "leads", "all rows", text=3)
    for version in store.versions:
        leads = f"{version.rows['leads']:,}" if version.rows else "-"
        rows = f"{sum(version.rows.values()):,}"
        notes = _notes(version)
        table.add_row(version.version, version.known_until, notes, leads, rows)
    out.print(table)


def _notes(version: StoreVersion) -> str:
    notes = []
    if version.current:
        notes.append("current")
    if version.referred:
        notes.append("in use")
    if version.quarantined:
        notes.append(f"[yellow]quarantined: {', '.join(version.quarantined)}[/]")
    if version.damaged:
        notes.append(f"[red]damaged: {', '.join(version.damaged)}[/]")
    return ", ".join(notes)


def draw_store_version(version: StoreRollback) -> None:
    """Which version counts now."""
    out.print(f"Store version [bold]{version.version}[/] is current, {until(version.known_until)}")


def draw_forgotten(forgotten: ForgottenLeads) -> None:
    """How many leads were erased, and what there may still be."""
    leads = counted(forgotten.leads, "lead")
    out.print(
        f"Erased what people saw of {leads}; later exports do not bring it back", soft_wrap=True
    )
    if not forgotten.leads:
        out.print("Nothing of it was shown. Check the spelling, unless that was to be expected")
    for path in forgotten.removed:
        out.print(f"Removed {escaped(path)}", soft_wrap=True)
    if forgotten.removed:
        again = f"{command('worklist')}, {command('report')}"
        out.print(f"To write workbook and report anew: {again}", soft_wrap=True)
    out.print("Files that you copied elsewhere, and the exports, are yours to clean")


def draw_pruned(pruned: Pruned) -> None:
    """What was removed, or would be."""
    verb = "Removed" if pruned.really else "Would remove"
    versions = counted(len(pruned.removed), "version")
    files = counted(pruned.files, "file")
    stay = counted(len(pruned.kept), "version stays", "versions stay")
    out.print(f"{verb} {versions} and {files}, {pruned.bytes / 1e6:,.1f} MB; {stay}")
    if pruned.lists.removed:
        lists = counted(len(pruned.lists.removed), "list")
        stay = counted(len(pruned.lists.kept), "list stays", "lists stay")
        out.print(f"{verb} {lists}, {pruned.lists.size / 1e6:,.1f} MB; {stay}")
    has_something = pruned.removed or pruned.files or pruned.lists.removed
    if has_something and not pruned.really:
        prune = command(f"store prune {_options(pruned)} --yes")
        out.print(f"To remove them: {prune}", soft_wrap=True)


def _options(pruned: Pruned) -> str:
    """The options that chose what a dry run showed."""
    options = f"--keep {pruned.asked['keep']}"
    limits = pruned.asked["lists"]
    if limits:
        options += f" --lists {limits['keep']} --list-days {limits['days']:g}"
    return options
