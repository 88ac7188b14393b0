"""Exports that are wrong as a whole: empty, cut off, older than the one before, or the same."""

from __future__ import annotations

from collections.abc import Iterator

from leadscore.ingest.alarms.exports import Exports
from leadscore.times import format_us
from leadscore.wording import counted


def find_empty(exports: Exports) -> Iterator[str]:
    """Tables that had rows and have none."""
    for rows in exports.counts:
        if rows.before and not rows.now:
            yield f"{rows.table} had {counted(rows.before, 'row')} and has none"


def find_half_delivered(exports: Exports) -> Iterator[str]:
    """More leads, or rows of a table, gone than `validation.max_shrink` allows."""
    limit = exports.staged.settings.validation.max_shrink
    leads, gone = exports.count_gone_leads()
    if leads and gone > limit * leads:
        yield f"{gone:,} of {leads:,} leads are no longer there"
    for rows in exports.counts:
        least = (1 - limit) * rows.before
        if rows.table != "leads" and 0 < rows.now < least:
            yield f"{rows.table} had {counted(rows.before, 'row')} and has {rows.now:,}"


def find_same_files(exports: Exports) -> Iterator[str]:
    """A later known_until although no file changed; a database was asked, so its answer is of today."""
    is_later = exports.known_until > exports.before.known_until_us
    is_asked = any(source.is_query for source in exports.staged.settings.sources.values())
    if is_later and not is_asked and exports.files == exports.files_before:
        yield (
            f"known_until moved from {exports.before.manifest['known_until']} to "
            f"{format_us(exports.known_until)}, but no file changed: leads would be scored as if "
            "nothing had happened in between"
        )


def find_older_export(exports: Exports) -> Iterator[str]:
    """A known_until before that of the version before."""
    if exports.known_until < exports.before.known_until_us:
        previous = exports.before.manifest["known_until"]
        yield (
            f"it was made at {format_us(exports.known_until)}, before the previous one ({previous})"
        )
