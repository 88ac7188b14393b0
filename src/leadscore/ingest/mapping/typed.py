"""Numbers, amounts and times of one file, read the way that its source writes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.errors import UserError
from leadscore.ingest.mapping.local_time import local_to_utc
from leadscore.ingest.mapping.moments import (
    count_date_orders,
    find_ambiguous_dates,
    read_moments,
    within_reason,
)
from leadscore.ingest.mapping.numbers import read_money, read_numbers
from leadscore.ingest.mapping.personal import PersonalHash
from leadscore.ingest.mapping.swapped import find_swapped_dates
from leadscore.ingest.mapping.words import is_missing


@dataclass(frozen=True)
class Reader:
    """How a file's numbers and times are written, and the salt of its personal columns.

    With `may_ask`, dates that may mean two days end the run with a question; without it, as for
    texts of earlier exports, they are missing.
    """

    source: str
    file: str
    zone: str
    dates: str | None
    decimal: str
    personal: PersonalHash
    is_only_file: bool = True
    may_ask: bool = True

    @property
    def id_prefix(self) -> str:
        """What we begin made-up ids with: the source, or the file if the source has several."""
        return self.source if self.is_only_file else self.file

    def numbers(self, text: pa.Array, *, decimals: int) -> tuple[np.ndarray, np.ndarray]:
        """Integers of 10**-decimals (n,), and which texts could be read."""
        return read_numbers(text, decimals=decimals, decimal=self.decimal)

    def money(self, text: pa.Array, *, decimals: int) -> tuple[np.ndarray, np.ndarray, pa.Array]:
        """The same of amounts, and the currency that each is marked with, or ""."""
        return read_money(text, decimals=decimals, decimal=self.decimal)

    def moments(self, text: pa.Array, name: str) -> tuple[np.ndarray, np.ndarray]:
        """UTC microseconds (n,), and which texts could be read; messages show the column's `name`.

        Raises:
            UserError: most are dates that may mean two days, and the settings do not say which; or
                a spreadsheet has swapped day and month wherever it could.
        """
        us, ok = read_moments(text, zone=self.zone, dates=self.dates)
        if self.dates is not None or not ok.all():  # ISO alone cannot be mixed
            self._refuse_swapped(text, name)
        if self.may_ask and self.dates is None:
            self._refuse_ambiguous(text, ok, name)
        return us, ok & within_reason(us)

    def _refuse_swapped(self, text: pa.Array, name: str) -> None:
        swapped = find_swapped_dates(text)
        if swapped is not None:
            raise UserError(
                f"source {self.source!r}: column {name!r} holds {swapped.true_dates:,} true dates "
                f"like {swapped.true_date!r}, none after the 12th of a month, and "
                f"{swapped.texts:,} dates as text like {swapped.text!r}, all after it: a "
                "spreadsheet has swapped day and month wherever it could, so the true dates are "
                "wrong. Export the file again and read it as it comes from the CRM, without "
                "opening it in a spreadsheet"
            )

    def _refuse_ambiguous(self, text: pa.Array, ok: np.ndarray, name: str) -> None:
        unread = text.filter(pa.array(~ok & ~is_missing(text)))
        if len(unread) <= ok.sum():  # a stray one is a mistake of its row
            return
        value = find_ambiguous_dates(unread)
        if value is None:
            return
        day_first, month_first = count_date_orders(unread)
        raise UserError(
            f"source {self.source!r}: column {name!r} holds dates like {value!r}: day or month "
            f"first? {day_first} of its values can only have the day first, {month_first} only "
            'the month; set dates = "dmy" or "mdy" for the source'
        )

    def day_begins(self, text: pa.Array, event: pa.Array) -> pa.Array:
        """The event (n,); where only a date is given, the begin of that day instead of its end."""
        has_time = pc.match_substring(text, ":")
        is_date = pc.and_(pc.invert(has_time), pc.is_valid(event))
        if not pc.any(is_date).as_py():
            return event
        begins = _begin_of_day(event.fill_null(0).to_numpy(), self.zone)
        return pc.if_else(is_date, pa.array(begins), event)


def _begin_of_day(us: np.ndarray, zone: str) -> np.ndarray:
    """UTC microseconds (n,) at which the days of moments begin; of two midnights, the first."""
    moments = pd.DatetimeIndex(us.view("datetime64[us]"), tz="UTC")
    midnights = moments.tz_convert(zone).tz_localize(None).floor("D")
    return local_to_utc(midnights.asi8, zone, first=True)
