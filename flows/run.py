"""Everything once: read the exports, train, register, score, publish: python flows/run.py --config leadscore.toml."""

from __future__ import annotations

from leadscore.cli.rendering import draw_run
from leadscore.results import Result
from local import flow, main
from shown import show_scores, show_training
from tasks import ingest, publish, register, score, train


@flow(name="leadscore-run")
def run_flow(
    config: str,
    data: str | None = None,
    as_of: str | None = None,
    known_until: str | None = None,
    clock: str | None = None,
) -> tuple[Result, ...]:
    """From a new export to a published list; without a signal, and without a champion, there is no list."""
    ingested = ingest(config, data, known_until, clock)
    trained = train(config, as_of, clock)
    registered = register(config, trained)
    show_training(trained, registered)
    if registered.champion is None:
        return ingested, trained, registered
    scored = score(config, as_of, clock)
    published = publish(config, scored.publication_id)
    show_scores(scored, published)
    return ingested, trained, registered, scored, published


if __name__ == "__main__":
    main(run_flow, draw_run, about=__doc__)
