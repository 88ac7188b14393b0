"""SQL that reads the dates of a column as ingest reads them, tried on all of its values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pyarrow as pa

from leadscore.engine.protocol import literal, quoted_name
from leadscore.ingest.mapping.moments import find_bare_dates, read_moments
from leadscore.ingest.view_trials import run_select
from leadscore.onboarding.profile import NOWHERE, Column
from leadscore.times import DAY_US

FIRST = 500  # values that show which expressions may do
PLACE = "{}"  # the column, in an expression
CASTS = (
    f"TRY_CAST({PLACE} AS TIMESTAMP)",
    f"TRY(make_timestamp(1000 * TRY_CAST({PLACE} AS BIGINT)))",
    f"TRY(make_timestamp(1000000 * TRY_CAST({PLACE} AS BIGINT)))",
    f"TRY(make_timestamp(TRY_CAST({PLACE} AS BIGINT)))",
    "TRY(TIMESTAMP '1899-12-30' + to_seconds(CAST(round(86400 * "
    f"TRY_CAST(replace({PLACE}, ',', '.') AS DOUBLE)) AS BIGINT)))",
)
MONTHS = ("%b", "%B")
DAYS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%y-%m-%d"),
    *("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%y", "%d/%m/%y", "%d-%m-%y"),
    *("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y"),
)
NAMED_DAYS = ("%d MONTH %Y", "%d-MONTH-%Y", "%d-MONTH-%y", "MONTH %d, %Y", "MONTH %d %Y")
CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
JOINTS = (" ", "T", ", ")
ZONES = ("", "%z", " %z")
Z_AS_OFFSET = f"replace({PLACE}, 'Z', '+0000')"  # strptime does not know Z


@dataclass(frozen=True)
class MomentSql:
    """SQL that reads the dates of a column as TIMESTAMP, those that state no zone as if in UTC.

    Attributes:
        column: with the dates.
        expression: the SQL, in which {} stands for the column.
        has_bare: whether some have no time of day: they are read as 00:00.
    """

    column: Column
    expression: str
    has_bare: bool

    def of(self, table: str = "") -> str:
        """The SQL of the column, in a table."""
        place = f"{table}.{quoted_name(self.column.name)}".lstrip(".")
        return self.expression.replace(PLACE, place)

    def is_comparable(self, other: MomentSql) -> bool:
        """Whether more than the day can be compared: both have times, in a zone of the same kind."""
        has_times = not (self.has_bare or other.has_bare)
        return has_times and self.column.lacks_zone == other.column.lacks_zone


def find_moment_sql(column: Column, dates: str | None) -> MomentSql | None:
    """SQL that reads the dates of a column; None if no expression reads them all.

    It reads nothing else, so that whatever ingest refuses is NULL.

    Args:
        column: with the dates.
        dates: how they are written, as the settings will state it.
    """
    texts = pa.array(list(column.values), pa.string())
    us, ok = read_moments(texts, zone="UTC", dates=dates)
    is_bare = find_bare_dates(texts, dates=dates)
    midnight = np.where(is_bare, us - DAY_US + 1, us)
    wanted = np.where(ok, midnight, NOWHERE)
    if not ok.any():
        return None

    likely = _right_ones([*CASTS, *_patterns()], texts[:FIRST], wanted[:FIRST])
    chosen: list[str] = []
    is_read = ~ok
    for form, right in _right_ones(likely, texts, wanted).items():
        if (right & ~is_read).any():
            chosen.append(form)
            is_read |= right
    if not is_read.all():
        return None
    return MomentSql(column, _joined(chosen), has_bare=bool(is_bare.any()))


def _patterns() -> list[str]:
    """The patterns of strptime that are tried."""
    named = [day.replace("MONTH", month) for day, month in product(NAMED_DAYS, MONTHS)]
    days = [*DAYS, *named]
    times = [f"{joint}{clock}{zone}" for joint, clock, zone in product(JOINTS, CLOCKS, ZONES)]
    return [f"{day}{time}" for day, time in product(days, ["", *times])]


def _right_ones(forms: Iterable[str], texts: pa.Array, wanted: np.ndarray) -> dict[str, np.ndarray]:
    """The forms that misread no text, and which texts (n,) they read."""
    forms = list(forms)
    columns = [f"epoch_us({_expression(form)}) AS c{at}" for at, form in enumerate(forms)]
    if not columns:
        return {}
    read = run_select(
        f"SELECT {', '.join(columns)} FROM texts", {"texts": pa.table({"text": texts})}
    )
    right = {}
    for form, column in zip(forms, read.columns, strict=True):
        moments = column.fill_null(NOWHERE).to_numpy()
        reads = moments > NOWHERE
        if reads.any() and (moments == wanted)[reads].all():
            right[form] = reads
    return right


def _expression(form: str) -> str:
    if form in CASTS:
        return form.replace(PLACE, "text")
    place = Z_AS_OFFSET if "%z" in form else PLACE
    return f"try_strptime({place}, {literal(form)})".replace(PLACE, "text")


def _joined(forms: Sequence[str]) -> str:
    """One expression of several forms; with an offset, strptime gives another type."""
    parts = [form for form in forms if form in CASTS]
    local = [form for form in forms if form not in CASTS and "%z" not in form]
    zoned = [form for form in forms if "%z" in form]
    if local:
        parts.append(f"try_strptime({PLACE}, {_list(local)})")
    if zoned:
        parts.append(f"make_timestamp(epoch_us(try_strptime({Z_AS_OFFSET}, {_list(zoned)})))")
    return parts[0] if len(parts) == 1 else f"COALESCE({', '.join(parts)})"


def _list(patterns: Sequence[str]) -> str:
    texts = [literal(pattern) for pattern in patterns]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
