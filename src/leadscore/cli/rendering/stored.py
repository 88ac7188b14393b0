"""What was ingested, rejected and kept."""

from __future__ import annotations

import shlex
from typing import Any

from leadscore.cli.rendering.console import command, escaped, number, out, table_of, until
from leadscore.wording import counted

ALIKE = ("lead may be the same as another one", "leads may be the same as another one")


def draw_sample(result: dict[str, Any]) -> None:
    """Which files there are, and how to go on."""
    table = table_of("Files", "file", "rows")
    for name, rows in result["rows"].items():
        table.add_row(f"{name}.csv", f"{rows:,}")
    out.print(table)
    folder = escaped(result["folder"])
    still_open = counted(result["open"], "lead is", "leads are")
    out.print(f"{still_open} open at the end. Settings: {folder}/leadscore.toml", soft_wrap=True)
    config = shlex.quote(f"{result['folder']}/leadscore.toml")
    out.print(f"Go on: leadscore ingest --config {escaped(config)}", soft_wrap=True)


def draw_ingest(result: dict[str, Any]) -> None:
    """What became of the rows."""
    table = table_of("Files", "source", "rows read", "used", "ignored", "rejected")
    for name, a in result["accounts"]["sources"].items():
        table.add_row(
            escaped(name), *(f"{a[key]:,}" for key in ("read", "used", "ignored", "rejected"))
        )
    out.print(table)
    table = table_of(
        "Tables", "table", "selected", "stored", "ignored", "rejected", "exact duplicates"
    )
    for name, a in result["accounts"]["tables"].items():
        table.add_row(
            name,
            *(f"{a[key]:,}" for key in ("selected", "stored", "ignored", "rejected", "duplicates")),
        )
    out.print(table)
    for line in _ignored(result["accounts"]):
        out.print(escaped(line), highlight=False)
    for file in result["files"]:
        how = (
            ", unchanged: not read again"
            if file["unchanged"]
            else f": {file['dialect']}"
            if file["dialect"]
            else ""
        )
        out.print(f"{escaped(file['file'])}{escaped(how)}", highlight=False)
    for said, rules in (("rejected", result["rejects"]), ("kept with a warning", result["warned"])):
        for rule, n in rules.items():
            first = escaped(result["first_rejects"][rule])
            out.print(
                f"[yellow]{counted(n, 'row')} {said}[/] (rule {escaped(rule)}); first at {first}"
            )
    if result["first_rejects"]:
        out.print(
            f"See them, with file, line, column and value: {command('rejects')}", soft_wrap=True
        )
    if result["duplicates"]:
        where = escaped(result["duplicates_file"])
        out.print(
            f"[yellow]{counted(result['duplicates'], *ALIKE)}[/]: see {where}", soft_wrap=True
        )
    for warning in [*result["alarms"], *result["warnings"]]:
        out.print(f"[yellow]warning:[/] {escaped(warning)}")
    basis = f" (by {escaped(result['known_until_from'])})" if result["known_until_from"] else ""
    out.print(
        f"Store version [bold]{result['store_version']}[/], {until(result)}{basis}", soft_wrap=True
    )


def _ignored(accounts: dict[str, Any]) -> list[str]:
    """Under which name how many rows of which source, and of which table, were ignored: a line for each name."""
    places: dict[str, list[str]] = {}
    for kind in ("source", "table"):
        for place, account in accounts[f"{kind}s"].items():
            for name, n in account["ignored_by"].items():
                if n:
                    places.setdefault(name, []).append(f"{counted(n, 'row')} of the {kind} {place}")
    return [f"Ignored by {name}: {', '.join(rows)}" for name, rows in places.items()]


COLOURS = {"leak": "bold red", "suspect": "yellow", "ok": "green"}


def draw_audit(result: dict[str, Any]) -> None:
    """Which fields can be trusted, the worst first, and what training makes of them."""
    table = table_of(
        f"Fields, {until(result)}", "field", "verdict", "use", "AUC alone", "evidence", text=5
    )
    for each in sorted(result["fields"], key=lambda each: list(COLOURS).index(each["verdict"])):
        verdict = f"[{COLOURS[each['verdict']]}]{each['verdict']}[/]"
        table.add_row(
            escaped(each["field"]),
            verdict,
            each["use"],
            number(each["auc"]),
            escaped(each["evidence"]),
        )
    out.print(table)
    for finding in result["findings"]:
        out.print(f"[yellow]beside:[/] {escaped(finding['evidence'])}")
    if any(each["use"] == "left out" for each in result["fields"]):
        out.print(
            "Leaks are left out of training. To learn from one all the same: keep = [...] under \\[audit]"
        )


def draw_rejects(result: dict[str, Any]) -> None:
    """The first rejected rows of each rule, or where all of them were written."""
    if result["stopped"]:
        out.print(
            f"[yellow]The last ingest was stopped:[/] {escaped(result['stopped'])}\n",
            highlight=False,
        )
    if result["to"]:
        out.print(
            f"{counted(result['written'], 'rejected row')} written to {escaped(result['to'])}",
            soft_wrap=True,
        )
        return
    if not result["rules"]:
        out.print("No row was rejected")
    for rule in result["rules"]:
        refused, warned = (result[said].get(rule, 0) for said in ("refused", "warned"))
        title = f"{rule}: {refused:,} refused, {warned:,} kept with a warning"
        table = table_of(title, "file", "line", "column", "value", "lead", text=5)
        for row in result["first"][rule]:
            cells = (row[name] for name in ("file", "line", "column", "value", "lead_id"))
            table.add_row(*("" if cell is None else escaped(cell) for cell in cells))
        out.print(table)


def draw_store(result: dict[str, Any]) -> None:
    """The versions of the store."""
    table = table_of("Store versions", "version", "known until", "", "leads", "all rows", text=3)
    for each in result["versions"]:
        notes = ["current"] * each["current"] + ["in use"] * each["referred"]
        if each["quarantined"]:
            notes.append(f"[yellow]quarantined: {', '.join(each['quarantined'])}[/]")
        if each["damaged"]:
            notes.append(f"[red]damaged: {', '.join(each['damaged'])}[/]")
        rows = each["rows"]
        leads = f"{rows['leads']:,}" if rows else "-"
        table.add_row(
            each["version"], each["known_until"], ", ".join(notes), leads, f"{sum(rows.values()):,}"
        )
    out.print(table)


def draw_store_version(result: dict[str, Any]) -> None:
    """Which version counts now."""
    out.print(f"Store version [bold]{result['version']}[/] counts now, {until(result)}")


def draw_pruned(result: dict[str, Any]) -> None:
    """What went, or would go."""
    verb = "Removed" if result["really"] else "Would remove"
    out.print(
        f"{verb} {counted(len(result['removed']), 'version')} and {counted(result['files'], 'file')}, "
        f"{result['bytes'] / 1e6:,.1f} MB; {counted(len(result['kept']), 'version stays', 'versions stay')}"
    )
    lists = result["lists"]
    if lists["removed"]:
        out.print(
            f"{verb} {counted(len(lists['removed']), 'list')}, {lists['size'] / 1e6:,.1f} MB; "
            f"{counted(len(lists['kept']), 'list stays', 'lists stay')}"
        )
    if not result["really"] and (result["removed"] or result["files"] or lists["removed"]):
        prune = command(f"store prune {_options(result['asked'])} --yes")
        out.print(f"Do it: {prune}", soft_wrap=True)


def _options(asked: dict[str, Any]) -> str:
    """The options that chose what a dry run showed."""
    limits = asked["lists"]
    lists = f" --lists {limits['keep']} --list-days {limits['days']:g}" if limits else ""
    return f"--keep {asked['keep']}{lists}"
