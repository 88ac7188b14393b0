"""A publication: score files and their manifest, in an immutable folder of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadscore.atomic import write_folder
from leadscore.errors import CorruptFileError
from leadscore.files import check_file, hash_bytes, hash_file, open_verified, read_verified
from leadscore.json_files import canonical_json, read_json
from leadscore.locks import scratch, writing_scratch
from leadscore.publish.formats import CSV, PARQUET, SCHEMA_VERSION, parse_parquet, write_files
from leadscore.times import format_us, parse_moment

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Publication:
    """A list of scores: its id, its folder and what its manifest says."""

    id: str
    folder: Path
    manifest: dict[str, Any]


def write_publication(
    scores: Iterable[pa.Table],
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
    """Write scores.parquet, scores.csv and manifest.json to `folder`/<id> without publishing them.

    The folder appears whole. Its id is made of as_of and a hash of everything in it.

    Args:
        scores: the list in slices, as `SCORES`, and `ROUTES` if leads are routed; read twice.
        folder: of all lists.
        as_of_us: the date of the list, None if it has none.
        model_version: of the model that made it.
        store_version: of the store that it was made from.
        project: its name.
        counts: for the manifest.
        basis: what else it takes to make the list again, such as the settings.
        inputs: what was read besides the store, such as the list of reps; kept as inputs.json.
    """
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "project": project,
        "as_of": None if as_of_us is None else format_us(as_of_us),
        "model_version": model_version,
        "store_version": store_version,
        "columns": next(iter(scores)).schema.names,
        "counts": counts,
        **basis,
    }
    read = _format_inputs(inputs)
    with _written(scores) as files:
        return _write(folder, manifest, files, read, stamp=_format_stamp(as_of_us))


@contextmanager
def _written(scores: Iterable[pa.Table]) -> Iterator[dict[str, Path]]:
    """The score files by name, in a temporary folder; as bytes they would take more memory than the list."""
    with writing_scratch(), scratch() as folder:
        write_files(scores, folder)
        yield {name: folder / name for name in (PARQUET, CSV)}


def _format_inputs(inputs: Mapping[str, Any] | None) -> dict[str, bytes]:
    """The file of inputs by name; none without inputs."""
    return {"inputs.json": canonical_json(inputs)} if inputs else {}


def _write(
    folder: Path,
    manifest: dict[str, Any],
    files: Mapping[str, Path],
    inputs: Mapping[str, bytes],
    *,
    stamp: str,
) -> Publication:
    """Write a publication, named by its date and the hash of its manifest and files."""
    manifest["files"] = {name: _describe_file(path) for name, path in files.items()}
    manifest["inputs"] = {name: hash_bytes(data) for name, data in inputs.items()}
    publication_id = f"{stamp}-{_hash_manifest(manifest)}"
    manifest["publication_id"] = publication_id

    home = folder / publication_id
    manifest_text = canonical_json(manifest)
    write_folder(home, {**files, **inputs, MANIFEST: manifest_text})
    return Publication(publication_id, home, manifest)


def read_publication(
    publication_id: str,
    *,
    folder: Path,
    columns: Sequence[str] | None = None,
) -> tuple[Publication, pa.Table]:
    """A publication and its scores, checked against the hashes of its manifest.

    Args:
        publication_id: of the list.
        folder: of all lists.
        columns: of the scores, where not all are needed; others may come along.

    Raises:
        CorruptFileError: its files are gone or not what its manifest says, or the manifest is not
            what its id says.
    """
    home = folder / publication_id
    manifest = read_manifest(home)
    hashes = {name: file["sha256"] for name, file in manifest["files"].items()}
    with open_verified(home / PARQUET, sha256=hashes.pop(PARQUET)) as file:
        scores = parse_parquet(file, columns=columns)
    for name, sha256 in hashes.items():
        check_file(home / name, sha256=sha256)
    return Publication(publication_id, home, manifest), scores


def read_manifest(home: Path) -> dict[str, Any]:
    """The manifest of the publication in `home`, checked against the id that names the folder.

    Raises:
        CorruptFileError: it is gone, damaged, or not what the id says.
    """
    path = home / MANIFEST
    manifest = read_json(path, cure="this list cannot be used any more; score again")
    expected = home.name.rpartition("-")[2]
    actual = _hash_manifest(manifest)
    if actual != expected:
        raise CorruptFileError(path, expected=expected, actual=actual)
    return manifest


def read_inputs(publication: Publication) -> dict[str, Any]:
    """What was read besides the store; empty if nothing was.

    Raises:
        CorruptFileError: the file is gone or damaged.
    """
    inputs: dict[str, Any] = {}
    for name, sha256 in publication.manifest["inputs"].items():
        data = read_verified(publication.folder / name, sha256=sha256)
        inputs |= json.loads(data)
    return inputs


def read_as_of(manifest: Mapping[str, Any]) -> int | None:
    """The date of a publication, None if it has none."""
    as_of = manifest["as_of"]
    return None if as_of is None else parse_moment(as_of, zone="UTC")


def read_known_until(manifest: Mapping[str, Any]) -> int:
    """Up to when the store of a publication knew the facts; -1 if its manifest does not say."""
    return int(manifest.get("known_until_us", -1))


def read_shift(manifest: Mapping[str, Any]) -> float:
    """The running intercept of a publication, in log-odds."""
    times = manifest.get("times")  # lists from before the running intercept have none
    return float(times["shift"]) if times else 0.0


def _describe_file(path: Path) -> dict[str, Any]:
    return {"sha256": hash_file(path), "bytes": path.stat().st_size}


def _hash_manifest(manifest: Mapping[str, Any]) -> str:
    """The hash in the id of a publication: of all of its manifest but the id itself."""
    named = {name: value for name, value in manifest.items() if name != "publication_id"}
    return hash_bytes(canonical_json(named))[:12]


def _format_stamp(as_of_us: int | None) -> str:
    """The date in the id of a publication, to the second, as 20260301T000000Z."""
    if as_of_us is None:
        return "undated"
    exact = format_us(as_of_us)
    seconds = exact.split(".")[0].rstrip("Z")
    return seconds.replace("-", "").replace(":", "") + "Z"
