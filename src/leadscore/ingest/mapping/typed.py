"""Numbers, amounts and times of one file, read the way that its source writes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.errors import UserError
from leadscore.ingest.mapping.moments import (
    count_date_orders,
    find_ambiguous_dates,
    read_moments,
    within_reason,
)
from leadscore.ingest.mapping.numbers import read_money, read_numbers
from leadscore.ingest.mapping.personal import PersonalHash
from leadscore.ingest.mapping.swapped import find_swapped_dates
from leadscore.ingest.mapping.words import Words, is_missing
from leadscore.settings.money import Money


@dataclass(frozen=True)
class Reader:
    """How a file's numbers and times are written, and the salt of its personal columns."""

    source: str
    file: str
    zone: str
    dates: str | None
    decimal: str
    personal: PersonalHash
    is_only_file: bool = True
    may_ask: bool = (
        True  # to be told how dates are written; texts of earlier exports are missing instead
    )

    @property
    def called(self) -> str:
        """What a lead without an id is called after: its source, or its file where the source has several."""
        return self.source if self.is_only_file else self.file

    def numbers(self, text: pa.Array, *, decimals: int) -> tuple[np.ndarray, np.ndarray]:
        """Integers of 10**-decimals (n,), and which texts could be read."""
        return read_numbers(text, decimals=decimals, decimal=self.decimal)

    def money(self, text: pa.Array, *, decimals: int) -> tuple[np.ndarray, np.ndarray, pa.Array]:
        """The same of amounts, and the currency that each is marked with, or ""."""
        return read_money(text, decimals=decimals, decimal=self.decimal)

    def moments(self, text: pa.Array, name: str) -> tuple[np.ndarray, np.ndarray]:
        """UTC microseconds (n,), and which texts could be read.

        Raises:
            UserError: most are dates that may mean two days, and the settings do not say which; or
                a spreadsheet has swapped day and month wherever it could.
        """
        us, ok = read_moments(text, zone=self.zone, dates=self.dates)
        may_be_mixed = self.dates is not None or not ok.all()  # ISO alone needs no second look
        if may_be_mixed and (swapped := find_swapped_dates(text)):
            raise UserError(
                f"source {self.source!r}: column {name!r} holds {swapped.true_dates:,} true dates "
                f"like {swapped.true_date!r}, none after the 12th of a month, and "
                f"{swapped.texts:,} dates as text like {swapped.text!r}, all after it: a "
                "spreadsheet has swapped day and month wherever it could, so the true dates are "
                "wrong. Export the file again and read it as it comes from the CRM, without "
                "opening it in a spreadsheet"
            )
        unread = text.filter(pa.array(~ok & ~is_missing(text)))
        usual = (
            self.may_ask and self.dates is None and len(unread) > ok.sum()
        )  # a stray one is one row's mistake
        if usual and (value := find_ambiguous_dates(unread)):
            day_first, month_first = count_date_orders(unread)
            raise UserError(
                f"source {self.source!r}: column {name!r} holds dates like {value!r}: day or month "
                f"first? {day_first} of its values can only have the day first, {month_first} only "
                'the month; set dates = "dmy" or "mdy" for the source'
            )
        return us, ok & within_reason(us)

    def day_begins(self, text: pa.Array, event: pa.Array) -> pa.Array:
        """The event (n,), or the begin of its day where only a date is given, which stands for the day's end."""
        dates = np.asarray(
            pc.invert(pc.match_substring(text, ":")).to_numpy(zero_copy_only=False), dtype=bool
        )
        if not dates.any():
            return event
        stamps = pd.to_datetime(pd.Series(event.fill_null(0).to_numpy()), unit="us", utc=True)
        days = stamps.dt.tz_convert(self.zone).dt.tz_localize(None).dt.floor("D")
        first = np.ones(
            len(days), dtype=bool
        )  # of two midnights, where a clock is set back then, the first one
        begins = days.dt.tz_localize(
            self.zone, ambiguous=first, nonexistent="shift_forward"
        ).dt.tz_convert("UTC")
        us = begins.to_numpy(dtype="datetime64[us]").astype(np.int64)
        return pc.if_else(pc.and_(pa.array(dates), pc.is_valid(event)), pa.array(us), event)


def convert(
    values: np.ndarray, stated: pa.Array | None, marked: pa.Array, money: Money | None
) -> tuple[np.ndarray, pa.Array, np.ndarray]:
    """Amounts in one currency.

    Args:
        values: (n,) in minor units.
        stated: (n,) the currency column; None if there is none.
        marked: (n,) the currency that stands beside the number, or "".
        money: the currency to convert into; None leaves amounts as they are.

    Returns:
        values (n,), their currency (n,), and whether there is a rate for it (n,). Where nothing could tell the
        currency, it is that of the settings; a currency column that contradicts the mark tells none.
    """
    column = marked if stated is None else stated
    agree = pc.or_(pc.or_(pc.equal(marked, ""), pc.equal(column, "")), pc.equal(marked, column))
    currency = pc.if_else(pc.equal(column, ""), marked, column)
    told = np.asarray(agree.to_numpy(zero_copy_only=False), dtype=bool)
    if money is None:
        return values, currency, told
    words = Words.of(currency)
    rates = [money.rate(word or (money.currency if stated is None else "")) for word in words.texts]
    rate = np.array([float(each) if each else np.nan for each in rates])[words.codes]
    known = told & ~np.isnan(rate)
    converted = np.rint(values * np.where(known, rate, 0)).astype(np.int64)
    kept = words.take(
        [
            word if each is None else money.currency
            for word, each in zip(words.texts, rates, strict=True)
        ]
    )
    return np.where(rate == 1, values, converted), kept, known
