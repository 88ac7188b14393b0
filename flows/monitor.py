"""Read the exports, settle the published lists and look for drift: python flows/monitor.py --config leadscore.toml."""

from __future__ import annotations

from alarms import announce_drift, show_alarms
from command import main
from leadscore.cli.rendering.monitored import draw_monitor
from leadscore.results import Result
from list_tasks import monitor
from local import HOUR, flow
from model_tasks import ingest


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
    """What became of published scores, and whether the leads or the model have changed."""
    ingest(config, data, known_until, clock, url_block=url_block)
    monitored = monitor(config, as_of, clock)
    announce_drift(monitored)
    show_alarms(monitored)
    return (monitored,)


if __name__ == "__main__":
    main(monitor_flow, draw_monitor, about=__doc__)
