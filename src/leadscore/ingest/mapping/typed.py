"""Numbers, amounts and times of one file, read the way that its source writes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.errors import UserError
from leadscore.ingest.mapping.date_questions import ask_about
from leadscore.ingest.mapping.durations import (
    find_doubtful_clock,
    find_fractions,
    read_durations,
)
from leadscore.ingest.mapping.local_time import local_to_utc
from leadscore.ingest.mapping.moments import find_bare_dates, read_moments, within_reason
from leadscore.ingest.mapping.numbers import find_percent, read_money, read_numbers
from leadscore.ingest.mapping.personal import PersonalHash
from leadscore.ingest.mapping.swapped import find_swapped_dates
from leadscore.ingest.mapping.words import is_missing
from leadscore.settings.fields import LeadField


@dataclass(frozen=True)
class Reader:
    """How a file's numbers and times are written, and the salt of its personal columns.

    With `may_ask`, dates that the settings must explain end the run with a question; without it,
    as for texts of earlier exports, they are missing. With `rows_name_file`, as of a view, each row
    says in `_file` where it came from.
    """

    source: str
    file: str
    zone: str
    dates: str | None
    decimal: str
    personal: PersonalHash
    is_only_file: bool = True
    may_ask: bool = True
    rows_name_file: bool = False

    @property
    def id_prefix(self) -> str:
        """What we begin made-up ids with: the source, or the file if the source has several."""
        return self.source if self.is_only_file else self.file

    def numbers(self, text: pa.Array, *, decimals: int) -> tuple[np.ndarray, np.ndarray]:
        """Integers of 10**-decimals (n,), and which texts could be read."""
        return read_numbers(text, decimals=decimals, decimal=self.decimal)

    def field(self, text: pa.Array, field: LeadField, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The same of a field that is a number; messages show the column's `name`.

        45% is 45, or 0.45 in a field whose `maximum` is 1 or less.

        Raises:
            UserError: some have a percent sign, others none, and nothing says what these mean.
        """
        shares = field.maximum is not None and field.maximum <= 1
        values, ok = read_numbers(
            text,
            decimals=field.decimals,
            decimal=self.decimal,
            shares=shares,
        )
        if self.may_ask and not shares:
            self._refuse_mixed_percent(text, ok & (values != 0), name)
        return values, ok

    def durations(self, text: pa.Array, unit: str, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Seconds (n,), and which texts could be read; plain numbers count in the unit.

        Raises:
            UserError: none is longer than a second, or most are hours long where they may be
                minutes; messages show the column's `name`.
        """
        seconds, ok = read_durations(text, unit=unit, decimal=self.decimal)
        fraction = find_fractions(text.filter(pa.array(ok)), seconds[ok])
        if self.may_ask and fraction is not None:
            sql = f'CAST("{name}" AS DOUBLE) * 86400'
            raise UserError(
                f"source {self.source!r}: column {name!r} holds durations like {fraction!r}, none "
                "longer than a second: if they are parts of a day, as a spreadsheet counts them, "
                f"make them seconds in a view, as by {sql}; if parts of an hour, by 3600"
            )
        clock = find_doubtful_clock(text.filter(pa.array(ok)), seconds[ok])
        if self.may_ask and clock is not None:
            raise UserError(
                f"source {self.source!r}: column {name!r} holds durations like {clock!r}, most of "
                "more than 3 hours if hours stand first. Make them clear in a view: if they are "
                f"minutes and seconds, by '0:' || \"{name}\"; if hours and minutes, by "
                f"\"{name}\" || ':00'"
            )
        return seconds, ok

    def _refuse_mixed_percent(self, text: pa.Array, counts: np.ndarray, name: str) -> None:
        has_sign = find_percent(text)
        signed = text.filter(pa.array(counts & has_sign))
        plain = text.filter(pa.array(counts & ~has_sign))
        if len(signed) and len(plain):
            raise UserError(
                f"source {self.source!r}: column {name!r} holds {signed[0].as_py()!r} and "
                f"{plain[0].as_py()!r}: with or without a percent sign, is that the same scale? If "
                "its numbers are shares, set maximum = 1 for the field; else export one form"
            )

    def money(self, text: pa.Array, *, decimals: int) -> tuple[np.ndarray, np.ndarray, pa.Array]:
        """The same of amounts, and the currency that each is marked with, or ""."""
        return read_money(text, decimals=decimals, decimal=self.decimal)

    def moments(self, text: pa.Array, name: str) -> tuple[np.ndarray, np.ndarray]:
        """UTC microseconds (n,), and which texts could be read; messages show the column's `name`.

        Raises:
            UserError: most are dates that the settings must explain, and do not; or a spreadsheet
                has swapped day and month wherever it could.
        """
        us, ok = read_moments(text, zone=self.zone, dates=self.dates)
        if self.dates is not None or not ok.all():  # ISO alone cannot be mixed
            self._refuse_swapped(text, name)
        ok &= within_reason(us)
        if self.may_ask:
            self._refuse_unclear(text, ok, name)
        return us, ok

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

    def _refuse_unclear(self, text: pa.Array, ok: np.ndarray, name: str) -> None:
        is_unread = ~ok & ~is_missing(text)
        unread = text.filter(pa.array(is_unread))
        if len(unread) <= ok.sum():  # a stray one is a mistake of its row
            return
        question = ask_about(unread, self.dates)
        if question is not None:
            raise UserError(f"source {self.source!r}: column {name!r} holds dates {question}")

    def day_begins(self, text: pa.Array, event: pa.Array) -> pa.Array:
        """The event (n,); where only a date is given, the begin of that day instead of its end."""
        is_bare = pa.array(find_bare_dates(text, dates=self.dates))
        is_date = pc.and_(is_bare, pc.is_valid(event))
        if not pc.any(is_date).as_py():
            return event
        event_us = event.fill_null(0).to_numpy()
        begins = _begin_of_day(event_us, self.zone)
        return pc.if_else(is_date, pa.array(begins), event)


def _begin_of_day(us: np.ndarray, zone: str) -> np.ndarray:
    """UTC microseconds (n,) at which the days of moments begin; of two midnights, the first."""
    moments = pd.DatetimeIndex(us.view("datetime64[us]"), tz="UTC")
    midnights = moments.tz_convert(zone).tz_localize(None).floor("D")
    return local_to_utc(midnights.asi8, zone, first=True)
