"""Everything once: read the exports, train, register, score, publish: python flows/run.py --config leadscore.toml."""

from __future__ import annotations

from typing import Any

from leadscore.terminal import draw_run
from tasks import flow, ingest, main, publish, register, score, train


@flow(name="leadscore-run")
def run_flow(config: str, data: str | None = None, as_of: str | None = None) -> dict[str, Any]:
    """From a new export to a published list."""
    ingested = ingest(config, data)
    trained = train(config, as_of)
    registered = register(config, trained)
    scored = score(config, as_of) if registered["champion"] else None
    if scored:
        publish(config, scored)
    return {"ingested": ingested, "trained": {**trained, **registered}, "scored": scored}


if __name__ == "__main__":
    main(run_flow, draw_run, about=__doc__)
