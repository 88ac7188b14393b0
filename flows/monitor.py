"""Read the exports, settle the published lists and look for drift: python flows/monitor.py --config leadscore.toml."""

from __future__ import annotations

from alarms import announce_review, show_alarms
from command import main
from leadscore.cli.rendering.reviewed import draw_reviewed
from leadscore.results import Result
from local import HOUR, flow
from model_tasks import ingest
from review_tasks import review


@flow(name="leadscore-monitor", timeout_seconds=2 * HOUR)
def monitor_flow(
    config: str,
    data: str | None = None,
    as_of: str | None = None,
    known_until: str | None = None,
    clock: str | None = None,
    *,
    url_block: str | None = None,
) -> tuple[Result, ...]:
    """What became of published scores, whether the leads or the model have changed, and what follows from it."""
    ingest(config, data, known_until, clock, url_block=url_block)
    reviewed = review(config, as_of, clock)
    announce_review(reviewed)
    show_alarms(reviewed.monitored)
    return (reviewed,)


if __name__ == "__main__":
    main(monitor_flow, draw_reviewed, about=__doc__)
