"""A publication: score files and their manifest in a folder of their own; current.json names it, and comes last."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.atomic import write_folder
from leadscore.errors import CorruptFileError
from leadscore.files import hash_bytes, read_verified
from leadscore.json_files import canonical_json, read_json
from leadscore.times import format_us

# 2: change, change_points, trend; settings and the previous list in the manifest
# 3: log_odds, the last column, was raw, the third
SCHEMA_VERSION = 3


@dataclass(frozen=True)
class Publication:
    """A published list of scores: its id, its folder and what its manifest says."""

    id: str
    folder: Path
    manifest: dict[str, Any]


def write_publication(
    scores: pa.Table,
    *,
    folder: Path,
    as_of_us: int | None,
    model_version: str,
    store_version: str,
    project: str,
    counts: dict[str, int],
    basis: dict[str, Any],
    inputs: dict[str, Any] | None = None,
) -> Publication:
    """Write scores.parquet, scores.csv and manifest.json to `folder`/<id>, whole; no reader is led there yet.

    The id is made of as_of (None if there is no date) and the hash of all of it: the same scores give the same
    publication. `basis` is what else it takes to make it again: the settings, and the list before; `inputs` what was
    read besides the store, such as the list of reps, kept as inputs.json.
    """
    files = format_files(scores)
    manifest: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "project": project,
        "as_of": None if as_of_us is None else format_us(as_of_us),
        "model_version": model_version,
        "store_version": store_version,
        "columns": scores.schema.names,
        "counts": counts,
        **basis,
        "files": {
            name: {"sha256": hash_bytes(data), "bytes": len(data)} for name, data in files.items()
        },
    }
    kept = {"inputs.json": canonical_json(inputs)} if inputs else {}
    manifest["inputs"] = {name: hash_bytes(data) for name, data in kept.items()}
    publication_id = f"{_stamp(as_of_us)}-{hash_bytes(canonical_json(manifest))[:12]}"
    manifest["publication_id"] = publication_id
    write_folder(
        folder / publication_id, {**files, **kept, "manifest.json": canonical_json(manifest)}
    )
    return Publication(publication_id, folder / publication_id, manifest)


def format_files(scores: pa.Table, *, schema_version: int = SCHEMA_VERSION) -> dict[str, bytes]:
    """The score files by name, as that version of the schema has them; the same scores give the same bytes."""
    if schema_version < 3:
        scores = _with_raw(scores)
    return {"scores.parquet": _parquet(scores), "scores.csv": _csv(scores)}


def read_manifest(home: Path) -> dict[str, Any]:
    """The manifest of the publication in the folder `home`, checked against the id that names the folder.

    Raises:
        CorruptFileError: it is gone, damaged, or not what the id says.
    """
    path = home / "manifest.json"
    manifest = read_json(path, cure="this list cannot be used any more; score again")
    named = {name: value for name, value in manifest.items() if name != "publication_id"}
    found, expected = hash_bytes(canonical_json(named))[:12], home.name.rpartition("-")[2]
    if found != expected:
        raise CorruptFileError(path, expected=expected, found=found)
    return manifest


def read_publication(publication_id: str, *, folder: Path) -> tuple[Publication, pa.Table]:
    """A publication and its scores, checked against the hashes of its manifest, and that against its id.

    Raises:
        CorruptFileError: its files are gone or not what its manifest says, or the manifest is not what its id says.
    """
    home = folder / publication_id
    manifest = read_manifest(home)
    data = {
        name: read_verified(home / name, sha256=told["sha256"])
        for name, told in manifest["files"].items()
    }
    # Arrow's reading threads may still run when a process ends, and take it down (apache/arrow#34314)
    scores = pq.ParquetFile(pa.BufferReader(data["scores.parquet"])).read(use_threads=False)
    return Publication(publication_id, home, manifest), _with_log_odds(scores)


def _with_log_odds(scores: pa.Table) -> pa.Table:
    """Scores of any schema version in the columns of the current one."""
    if "raw" not in scores.schema.names:
        return scores
    log_odds = pa.field("log_odds", pa.float64(), nullable=False)
    return scores.drop_columns(["raw"]).append_column(log_odds, scores["raw"])


def _with_raw(scores: pa.Table) -> pa.Table:
    """Scores in the columns of schema version 2."""
    raw = pa.field("raw", pa.float64(), nullable=False)
    place = scores.schema.names.index("as_of") + 1
    return scores.drop_columns(["log_odds"]).add_column(place, raw, scores["log_odds"])


def read_inputs(publication: Publication) -> dict[str, Any]:
    """What was read besides the store; empty if nothing was."""
    return {
        key: value
        for name, sha256 in publication.manifest["inputs"].items()
        for key, value in json.loads(
            read_verified(publication.folder / name, sha256=sha256)
        ).items()
    }


def read_shift(manifest: Mapping[str, Any]) -> float:
    """What the times added to the calibrated log-odds of every lead of a publication."""
    times = manifest.get("times")  # lists of before had none
    return float(times["shift"]) if times else 0.0


def _stamp(as_of_us: int | None) -> str:
    if as_of_us is None:
        return "undated"
    return format_us(as_of_us).replace("-", "").replace(":", "").split(".")[0].rstrip("Z") + "Z"


def _parquet(scores: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(scores.combine_chunks(), file, compression="zstd")
    return file.getvalue()


def _csv(scores: pa.Table) -> bytes:
    """UTF-8, comma, texts in quotes, LF; numbers in full precision, so that CSV and Parquet say the same."""
    text = io.StringIO()
    text.write(",".join(scores.schema.names) + "\n")
    writer = csv.writer(
        text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC
    )  # a bare CR would end a row
    plain = [[_cell(value) for value in column.to_pylist()] for column in scores.columns]
    writer.writerows(zip(*plain, strict=True))
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value
