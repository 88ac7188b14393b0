"""Lists for analysts: Parquet partitioned by as_of, the current one as a Data Package, a source of dbt."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.atomic import write_folder, write_pointer
from leadscore.files import hash_bytes, read_verified
from leadscore.json_files import canonical_json, toml_text
from leadscore.locks import locked
from leadscore.publish.publication import Publication
from leadscore.publish.targets.columns import COLUMNS
from leadscore.publish.targets.database import CURRENT, HISTORY, LISTS
from leadscore.times import to_us

UNDATED = "undated"
EXACT = "as_of_us"  # the partition has the day only
TYPES = {"string": "string", "double": "number", "bool": "boolean"}
MEANINGS = {"lead_id": "the lead's id, as in the export"}
TABLES = {
    CURRENT: "the current list, a row a lead",
    HISTORY: "every list published, a row a lead and list",
    LISTS: "the lists, and which one is current",
}


def write_history(rows: pa.Table, publication: Publication, *, folder: Path, project: str) -> Path:
    """Add a list to the history, and describe the current one; repeating it changes nothing.

    Returns:
        The folder of the current list's Data Package.
    """
    with locked(folder):
        day = (publication.manifest["as_of"] or UNDATED).partition("T")[0]
        path = folder / "history" / f"as_of={day}" / f"{publication.id}.parquet"
        write_pointer(path, _format_partition(rows))
        home = folder / publication.id
        write_folder(home, _build_package(publication, project=project))
        write_pointer(folder / "sources.yml", format_dbt_source(project, folder).encode())
        pointer = {"publication_id": publication.id}
        write_pointer(folder / "current.json", canonical_json(pointer))
    return home


def _format_partition(rows: pa.Table) -> bytes:
    """The rows without the column that the folder's name states; the exact moment is in `as_of_us`."""
    moments = rows["as_of"].to_pylist()
    moments_us = [None if moment is None else to_us(moment) for moment in moments]
    place = rows.schema.names.index("as_of")
    exact = rows.set_column(place, EXACT, pa.array(moments_us, pa.int64()))
    file = io.BytesIO()
    pq.write_table(exact.combine_chunks(), file, compression="zstd")
    return file.getvalue()


def _build_package(publication: Publication, *, project: str) -> dict[str, bytes]:
    """scores.csv as it was published, and its descriptor."""
    described = publication.manifest["files"]["scores.csv"]
    data = read_verified(publication.folder / "scores.csv", sha256=described["sha256"])
    parquet = publication.manifest["files"]["scores.parquet"]
    schema_bytes = read_verified(publication.folder / "scores.parquet", sha256=parquet["sha256"])
    schema = pq.read_schema(pa.BufferReader(schema_bytes))
    resource = {
        "name": "scores",
        "path": "scores.csv",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(data),
        "hash": f"sha256:{hash_bytes(data)}",
        "schema": describe_schema(schema),
    }
    package = {
        "name": f"leadscore-{project.replace('_', '-')}",
        "id": publication.id,
        "title": f"Open leads of {project}, scored",
        "resources": [resource],
    }
    return {"scores.csv": data, "datapackage.json": canonical_json(package)}


def describe_schema(schema: pa.Schema) -> dict[str, Any]:
    """The Table Schema of scores.csv."""
    fields = [_describe_field(field) for field in schema]
    return {"fields": fields, "primaryKey": ["lead_id"], "missingValues": [""]}


def _describe_field(field: pa.Field) -> dict[str, Any]:
    known = COLUMNS.get(field.name)
    meaning = known.meaning if known else MEANINGS.get(field.name, "")
    described: dict[str, Any] = {
        "name": field.name,
        "type": TYPES.get(str(field.type), "datetime"),
        "description": meaning,
    }
    if field.name == "lead_id":
        described["constraints"] = {"required": True, "unique": True}
    return described


def format_dbt_source(
    project: str,
    folder: Path | None = None,
    *,
    schema: str | None = None,
) -> str:
    """A dbt file of sources: the tables of a database or, with a folder, Parquet for dbt-duckdb."""
    tables = {HISTORY: TABLES[HISTORY]} if folder else TABLES
    lines = ["version: 2", "", "sources:", f"  - name: leadscore_{project.replace('-', '_')}"]
    if schema:
        lines.append(f"    schema: {schema}")
    if folder:
        place = f"{folder.resolve().as_posix()}/history/*/*.parquet"
        location = f"read_parquet('{place.replace(chr(39), chr(39) * 2)}', hive_partitioning=true)"
        lines += ["    meta:", f"      external_location: {json.dumps(location)}"]
    lines.append("    tables:")
    for name, meaning in tables.items():
        lines += [f"      - name: {name}", f"        description: {toml_text(meaning)}"]
        if name != LISTS:
            lines += _dbt_columns()
    return "\n".join(lines) + "\n"


def _dbt_columns() -> list[str]:
    lines = ["        columns:"]
    documented = {"lead_id": MEANINGS["lead_id"]}
    derived = {"win_percent", "reasons", "status"}
    documented |= {name: column.meaning for name, column in COLUMNS.items() if name not in derived}
    for name, meaning in documented.items():
        lines += [f"          - name: {name}", f"            description: {toml_text(meaning)}"]
        if name == "lead_id":
            lines.append("            data_tests: [not_null]")
    return lines
