"""What people see of the leads of the latest export: replaced at each ingest, erased on request."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.files import is_there, list_folder
from leadscore.ingest.shown.forgotten import Forgotten, read_forgotten, write_forgotten
from leadscore.ingest.shown.rows import (
    SHOWN_ROWS,
    part_path,
    read_part_rows,
    shown_folder,
    write_shown,
)
from leadscore.ingest.staged import Staged
from leadscore.locks import locked
from leadscore.settings.show import SHOWN

CURRENT = "current.parquet"


def show_leads(staged: Staged) -> None:
    """Let people see the texts of the leads of an export, and of no others."""
    keys = [part["key"] for part in staged.parts if part.get("shown")]
    lead_ids = staged.engine.query("SELECT lead_id FROM leads_now")["lead_id"]
    replace_shown(shown_folder(staged.folder), keys, lead_ids)


def replace_shown(folder: Path, keys: Collection[str], lead_ids: pa.ChunkedArray) -> None:
    """Show the leads of an export and no others, and remove the texts that no file of it gave.

    Args:
        folder: of the shown texts.
        keys: of the parts of the export that have such texts.
        lead_ids: the leads that the store accepted.
    """
    if not keys and not is_there(folder):
        return
    with locked(folder):
        parts = [read_part_rows(part_path(folder, key)) for key in keys]
        whole = [part for part in parts if part is not None]
        rows = _join(whole)
        is_stored = pc.is_in(rows["lead_id"], value_set=lead_ids.combine_chunks())
        _write_current(folder, rows.filter(is_stored))
        for path in list_folder(folder / "parts", "*.parquet"):
            if path.stem not in keys:
                path.unlink()


def _join(parts: Iterable[pa.Table]) -> pa.Table:
    """One row a lead: of each text the first that any part has."""
    rows = pa.concat_tables([SHOWN_ROWS.empty_table(), *parts])
    if pc.count_distinct(rows["lead_id"], mode="all").as_py() < rows.num_rows:
        rows = _join_repeated(rows)
    return rows.sort_by("lead_id")


def _join_repeated(rows: pa.Table) -> pa.Table:
    firsts = [(key, "first") for key in SHOWN]
    by_lead = rows.group_by("lead_id", use_threads=False).aggregate(firsts)
    columns = [by_lead["lead_id"], *(by_lead[f"{key}_first"] for key in SHOWN)]
    return pa.table(columns, schema=SHOWN_ROWS)


def _write_current(folder: Path, rows: pa.Table) -> None:
    write_shown(folder / CURRENT, iter(rows.to_batches()))


def read_shown(folder: Path) -> pa.Table:
    """The texts that people see, a row a lead in the shape of `SHOWN_ROWS`; none without any."""
    rows = read_part_rows(folder / CURRENT)
    return SHOWN_ROWS.empty_table() if rows is None else rows


def forget_lead(folder: Path, lead_id: str) -> int:
    """Erase what is shown of a lead; later exports do not bring it back. Returns 1 if it was shown."""
    return _forget(folder, lambda forgotten: forgotten.with_lead(lead_id))


def forget_contact(folder: Path, text: str) -> int:
    """Erase all leads of whoever has this name, e-mail address or telephone number.

    Spellings are compared as in `mapping.personal`. Neither these leads nor others of the same
    contact are shown again. Returns how many leads were shown.
    """
    return _forget(folder, lambda forgotten: forgotten.with_contact(text))


def _forget(folder: Path, add: Callable[[Forgotten], Forgotten]) -> int:
    """Remember first what must go, then erase it: whoever is interrupted can say it again."""
    with locked(folder):
        forgotten = add(read_forgotten(folder))
        tables = _read_all(folder)
        leads: set[str] = set()
        for rows in tables.values():
            leads.update(_leads_of(rows, forgotten.matches(rows)))

        for lead_id in sorted(leads):
            forgotten = forgotten.with_lead(lead_id)
        write_forgotten(folder, forgotten)
        for path, rows in tables.items():
            _erase(path, rows, forgotten)
    return len(leads)


def _read_all(folder: Path) -> dict[Path, pa.Table]:
    """All files of shown texts that are whole."""
    tables = {}
    for path in (folder / CURRENT, *list_folder(folder / "parts", "*.parquet")):
        rows = read_part_rows(path)
        if rows is not None:
            tables[path] = rows
    return tables


def _leads_of(rows: pa.Table, chosen: np.ndarray) -> list[str]:
    lead_ids = rows["lead_id"].filter(pa.array(chosen))
    return [lead_id for lead_id in lead_ids.to_pylist() if lead_id]


def _erase(path: Path, rows: pa.Table, forgotten: Forgotten) -> None:
    gone = forgotten.matches(rows)
    if gone.any():
        staying = rows.filter(pa.array(~gone))
        write_shown(path, iter(staying.to_batches()))
