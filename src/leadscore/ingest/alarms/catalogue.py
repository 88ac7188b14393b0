"""All alarms by name: what looks wrong in an export, compared with the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from leadscore.ingest.alarms.added import find_added
from leadscore.ingest.alarms.currency import find_currency_switch
from leadscore.ingest.alarms.deliveries import Deliveries
from leadscore.ingest.alarms.exports import Exports
from leadscore.ingest.alarms.new_facts import find_shares, find_sizes
from leadscore.ingest.alarms.raised import Raised
from leadscore.ingest.alarms.renamed import find_renamed, find_unknown
from leadscore.ingest.alarms.rewritten import find_emptied, find_rewritten
from leadscore.ingest.alarms.rewritten_numbers import (
    find_reassigned,
    find_rescaled,
    find_rewritten_numbers,
)
from leadscore.ingest.alarms.silent_tables import find_ahead, find_ended
from leadscore.ingest.alarms.silent_values import find_silent
from leadscore.ingest.alarms.time_shift import find_time_shift
from leadscore.ingest.alarms.vanished import find_vanished
from leadscore.ingest.alarms.whole_exports import (
    find_empty,
    find_half_delivered,
    find_older_export,
    find_same_files,
)

Finder = Callable[[Exports], Iterator[str]]  # sentences, one for each thing that looks wrong
PairFinder = Callable[[Deliveries], Iterator[str]]


def find_alarms(exports: Exports) -> list[Raised]:
    """Everything that looks wrong with an export, in a fixed order."""
    is_dated = exports.staged.settings.is_dated
    raised = []
    for name, find in FINDERS.items():
        if is_dated or name not in NEED_DATES:
            raised += [Raised(name, seen) for seen in find(exports)]
    return raised


def _in_both(*finders: PairFinder) -> Finder:
    """Finders that compare the rows of two deliveries; they find nothing without the one before."""

    def find(exports: Exports) -> Iterator[str]:
        if exports.pair is not None:
            for find_in_pair in finders:
                yield from find_in_pair(exports.pair)

    return find


def _find_emptied(exports: Exports) -> Iterator[str]:
    if exports.pair is not None:
        yield from find_emptied(exports.pair, exports.compared)


def _find_rewritten(exports: Exports) -> Iterator[str]:
    if exports.pair is not None:
        yield from find_rewritten(exports.pair, exports.compared)
        yield from find_rewritten_numbers(exports.pair)


NEED_DATES = {"same_files", "older_export", "time_shift"}
FINDERS: dict[str, Finder] = {
    "empty": find_empty,
    "half_delivered": find_half_delivered,
    "facts_vanished": _in_both(find_vanished),
    "facts_added": _in_both(find_added),
    "feed_ended": _in_both(find_ended, find_silent),
    "known_until_ahead": _in_both(find_ahead),
    "same_files": find_same_files,
    "older_export": find_older_export,
    "renamed": find_renamed,
    "unknown_value": find_unknown,
    "emptied": _find_emptied,
    "rewritten": _find_rewritten,
    "reassigned": _in_both(find_reassigned),
    "currency_switch": find_currency_switch,
    "scale": _in_both(find_rescaled, find_sizes),
    "shares": _in_both(find_shares),
    "time_shift": find_time_shift,
}
