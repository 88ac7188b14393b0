"""Read the exports, train, evaluate and register: python flows/train.py --config leadscore.toml."""

from __future__ import annotations

from command import main
from events import announce_promotion
from leadscore.cli.rendering import draw_train
from leadscore.results import Result
from local import HOUR, flow
from model_pages import show_training
from model_tasks import ingest, register, train
from review_tasks import find_due


@flow(name="leadscore-train", timeout_seconds=6 * HOUR)
def train_flow(
    config: str,
    data: str | None = None,
    as_of: str | None = None,
    known_until: str | None = None,
    clock: str | None = None,
    *,
    if_due: bool = False,
    url_block: str | None = None,
) -> tuple[Result, ...]:
    """Train on a new export, if it is time; the evidence says whether the new model scores from now on."""
    ingest(config, data, known_until, clock, url_block=url_block)
    if if_due:
        retraining = find_due(config, as_of, clock)
        if not retraining.due:
            return (retraining,)
    trained = train(config, as_of, clock)
    registered = register(config, trained)
    announce_promotion(config)
    show_training(config, trained, registered)
    return trained, registered


if __name__ == "__main__":
    main(train_flow, draw_train, about=__doc__)
