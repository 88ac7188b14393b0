"""Read the exports, score the open leads and publish the list: python flows/score.py --config leadscore.toml."""

from __future__ import annotations

from command import main
from events import announce_list
from leadscore.cli.rendering import draw_score
from leadscore.results import Result
from list_pages import show_report, show_scores
from list_tasks import deliver, publish, publish_forecast, report, score, worklist
from local import HOUR, flow
from model_tasks import ingest


@flow(name="leadscore-score", timeout_seconds=2 * HOUR)
def score_flow(
    config: str,
    data: str | None = None,
    as_of: str | None = None,
    known_until: str | None = None,
    clock: str | None = None,
    *,
    url_block: str | None = None,
) -> tuple[Result, ...]:
    """Score a new export with the champion."""
    ingest(config, data, known_until, clock, url_block=url_block)
    scored = score(config, as_of, clock)
    published = publish(config, scored.publication_id)
    announce_list(scored, published)
    page = report(config, scored.publication_id)
    show_report(config, page)
    if not published.published:
        show_scores(config, scored, published)
        return scored, published
    delivered = deliver(config)
    publish_forecast(config)
    written = worklist(config)
    show_scores(config, scored, published, written)
    return scored, published, delivered, written


if __name__ == "__main__":
    main(score_flow, draw_score, about=__doc__, draws_leads=True)
