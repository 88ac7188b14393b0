"""Scores of a made-up list, published, and what a reader finds then."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builders import day
from leadscore.files import hash_bytes
from leadscore.publish import publication as publications
from leadscore.publish import published
from leadscore.scoring.score import SCORES
from leadscore.store.receipts import read_receipts

FILES = ["manifest.json", "scores.csv", "scores.parquet"]
AS_OF = day(100) + 1  # the odd microsecond must survive


def make_scores(n=7, *, shift=0.0, texts=()):
    rng = np.random.default_rng(n)
    words = [*texts, *[f"reason {i}" for i in range(n)]][:n]
    columns = {
        "lead_id": [f"{i:05d}" for i in range(n)],
        "as_of": [AS_OF] * n,
        "log_odds": (rng.normal(size=n) + shift).tolist(),
        "win_probability": rng.uniform(0, 1, n).tolist(),
        "probability_low": [0.0] * n,
        "probability_high": [1.0] * n,
        "score": (rng.uniform(0, 1, n) * 100).tolist(),
        "tier": [str(x) for x in rng.choice(list("ABCD"), n)],
    }
    other = {pa.string(): words, pa.float64(): [0.5] * n, pa.bool_(): [False] * n}
    columns |= {field.name: other[field.type] for field in SCORES if field.name not in columns}
    return pa.table(columns, schema=SCORES)


def publish(folder, scores, *, as_of_us=AS_OF, model_version="m" * 16, replace_newer=False):
    written = publications.write_publication(
        [scores], folder=folder / "scores", as_of_us=as_of_us, model_version=model_version, store_version="s" * 16,
        project="synthetic", counts={"scored": scores.num_rows}, basis={},
    )  # fmt: skip
    done = published.publish(
        written.id,
        folder=folder / "scores",
        store_folder=folder / "store",
        replace_newer=replace_newer,
    )
    assert (done.publication, done.newer) == (written, None)
    return written


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def read_whole(folder):
    """What a careful reader does: current.json, then the manifest, then each file, hash by hash."""
    current = json.loads((folder / "scores" / "current.json").read_bytes())
    home = folder / "scores" / current["publication_id"]
    data = (home / "manifest.json").read_bytes()
    assert hash_bytes(data) == current["manifest_sha256"]
    manifest = json.loads(data)
    assert manifest["publication_id"] == current["publication_id"] == home.name
    for name, file in manifest["files"].items():
        found = (home / name).read_bytes()
        assert (hash_bytes(found), len(found)) == (file["sha256"], file["bytes"])
    receipts = read_receipts(folder / "store").to_pylist()
    assert [
        row["lead_id"] for row in receipts if row["publication_id"] == home.name
    ] == pq.read_table(home / "scores.parquet")["lead_id"].to_pylist()
    return current["publication_id"]
