"""Read the exports, score the open leads and publish the list: python flows/score.py --config leadscore.toml."""

from __future__ import annotations

from leadscore.cli.rendering import draw_score
from leadscore.results import Result
from local import flow, main
from shown import show_scores
from tasks import ingest, publish, score


@flow(name="leadscore-score")
def score_flow(
    config: str,
    data: str | None = None,
    as_of: str | None = None,
    known_until: str | None = None,
    clock: str | None = None,
) -> tuple[Result, ...]:
    """Score a new export with the champion."""
    ingest(config, data, known_until, clock)
    scored = score(config, as_of, clock)
    published = publish(config, scored.publication_id)
    show_scores(scored, published)
    return scored, published


if __name__ == "__main__":
    main(score_flow, draw_score, about=__doc__)
