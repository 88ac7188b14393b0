"""A line in the run's log for each step: what it did, in counts, and how many seconds it took."""

from __future__ import annotations

import logging

from leadscore import results
from leadscore.results import Result

logger = logging.getLogger("leadscore.steps")
Facts = dict[str, object]


def log_step(name: str, run: str, result: object, *, seconds: float) -> None:
    """Log a step that has ended, as name=value pairs: ids, moments and counts, never a row."""
    facts: Facts = {"step": name, "run": run, "seconds": round(seconds, 1)}
    if isinstance(result, Result):
        facts |= count(result)
    logger.info(" ".join(f"{key}={value}" for key, value in facts.items()))


def count(result: Result) -> Facts:
    """What a result comes to; empty where it says nothing that is counted."""
    facts: Facts = {}
    match result:
        case results.Ingested():
            facts = _count_ingested(result)
        case results.Trained():
            facts = {"model": result.model_version, "promoted": result.promotion.promoted}
        case results.Registered():
            facts = {"version": result.registered.number if result.registered else None}
        case results.Scored():
            leads, warnings = result.counts.scored, len(result.warnings)
            facts = {"as_of": result.as_of, "leads": leads, "warnings": warnings}
        case results.Published():
            facts = {"list": result.publication_id, "published": result.published}
        case results.Forecast():
            leads, wins = result.basis.open_leads, result.total.wins.middle
            facts = {"as_of": result.as_of, "leads": leads, "wins": wins}
        case results.Deliveries():
            facts = {"targets": len(result.targets), "failed": len(result.failed)}
        case results.RetrainingDue():
            facts = {"due": result.due}
        case results.Reviewed(monitored=monitored):
            settled, alarms = monitored.settled.counts.settled, len(monitored.alarms)
            facts = {"as_of": monitored.as_of, "settled": settled, "alarms": alarms}
    return facts


def _count_ingested(result: results.Ingested) -> Facts:
    read = sum(source.read for source in result.accounts.sources.values())
    return {
        "known_until": result.known_until,
        "rows": read,
        "rejected": sum(result.rejects.values()),
        "warnings": len(result.warnings),
        "alarms": len(result.alarms),
    }
