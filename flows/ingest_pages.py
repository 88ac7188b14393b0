"""What Prefect's pages show of an ingest: where the rows of every source went, and what was unusual."""

from __future__ import annotations

from leadscore.printable import as_markdown
from leadscore.results import Ingested
from local import artifacts
from pages import page


@page
def show_ingest(ingested: Ingested) -> None:
    """Counts by source, rejects by rule, and the warnings."""
    lines = [
        f"Stored as version {ingested.store_version}, known until {ingested.known_until}",
        "",
        "| source | rows read | used | ignored | rejected |",
        "|---|---|---|---|---|",
    ]
    for name, account in ingested.accounts.sources.items():
        counts = (account.read, account.used, account.ignored, account.rejected)
        cells = " | ".join(f"{count:,}" for count in counts)
        lines.append(f"| {as_markdown(name)} | {cells} |")

    rejects = [f"{as_markdown(rule)}: {rows:,} rows" for rule, rows in ingested.rejects.items()]
    alarms = [as_markdown(alarm) for alarm in ingested.alarms]
    warnings = [as_markdown(warning) for warning in ingested.warnings]
    parts = {"Rejected by rule": rejects, "Alarms let pass": alarms, "Warnings": warnings}
    for title, texts in parts.items():
        if texts:
            lines += ["", f"**{title}**", "", *(f"- {text}" for text in texts)]
    artifacts.create_markdown_artifact("\n".join(lines), key="leadscore-ingest")
