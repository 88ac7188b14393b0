"""Published lists for tests: some leads, with a probability each, all in one tier."""

from pathlib import Path

import pyarrow as pa

from leadscore.publish.publication import write_publication
from leadscore.publish.published import publish
from leadscore.scoring.score import SCORES


def write_list(
    folder: Path, probabilities: dict[str, float], *, as_of_us: int, tier: str = "A"
) -> None:
    """Publish a list of leads in a project's folder, as of a moment."""
    count = len(probabilities)
    values = {pa.string(): tier, pa.float64(): 0.5, pa.bool_(): False}
    columns = {field.name: [values.get(field.type)] * count for field in SCORES}
    columns |= {
        "lead_id": list(probabilities),
        "win_probability": list(probabilities.values()),
        "as_of": [as_of_us] * count,
    }
    written = write_publication(
        [pa.table(columns, schema=SCORES)], folder=folder / "scores", as_of_us=as_of_us,
        model_version="m" * 16, store_version="s" * 16, project="sample", counts={}, basis={},
    )  # fmt: skip
    publish(written.id, folder=folder / "scores", store_folder=folder / "store")
