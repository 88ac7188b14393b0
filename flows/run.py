"""Everything once: read the exports, train, register, score, publish: python flows/run.py --config leadscore.toml."""

from __future__ import annotations

from command import main
from events import announce_list, announce_promotion
from leadscore.cli.rendering import draw_run
from leadscore.results import Result
from list_pages import show_report, show_scores
from list_tasks import deliver, publish, publish_forecast, report, score, worklist
from local import HOUR, flow
from model_pages import show_training
from model_tasks import ingest, register, train


@flow(name="leadscore-run", timeout_seconds=8 * HOUR)
def run_flow(
    config: str,
    data: str | None = None,
    as_of: str | None = None,
    known_until: str | None = None,
    clock: str | None = None,
    *,
    url_block: str | None = None,
) -> tuple[Result, ...]:
    """From a new export to a published list; without a signal, and without a champion, there is no list."""
    ingested = ingest(config, data, known_until, clock, url_block=url_block)
    trained = train(config, as_of, clock)
    registered = register(config, trained)
    announce_promotion(config)
    show_training(config, trained, registered)
    if registered.champion is None:
        return ingested, trained, registered
    scored = score(config, as_of, clock)
    published = publish(config, scored.publication_id)
    announce_list(scored, published)
    page = report(config, scored.publication_id)
    show_report(config, page)
    if not published.published:
        show_scores(config, scored, published)
        return ingested, trained, registered, scored, published
    delivered = deliver(config)
    publish_forecast(config)
    written = worklist(config)
    show_scores(config, scored, published, written)
    return ingested, trained, registered, scored, published, delivered, written


if __name__ == "__main__":
    main(run_flow, draw_run, about=__doc__, draws_leads=True)
