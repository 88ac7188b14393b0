"""Converts amounts into one currency."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.currencies import CURRENCIES, SHARED, may_mean
from leadscore.ingest.mapping.words import Words
from leadscore.settings.money import Money


@dataclass(frozen=True)
class Converted:
    """Amounts (n,) in minor units, their currency (n,), and whether there is a rate for it (n,)."""

    values: np.ndarray
    currency: pa.Array
    has_rate: np.ndarray


def convert(
    values: np.ndarray,
    stated: pa.Array | None,
    marked: pa.Array,
    money: Money | None,
) -> Converted:
    """Amounts in the one currency of the settings.

    Where no currency is given, it is that of the settings. A currency column that contradicts the
    mark beside the number leaves the amount without a rate. A mark that several currencies share
    means that of the settings if this is among them, else the only one of them with a rate.

    Args:
        values: (n,) in minor units.
        stated: (n,) the currency column; None if there is none.
        marked: (n,) the currency or shared mark beside the number, or "".
        money: the currency to convert into, and its rates; None leaves amounts as they are.
    """
    column = marked if stated is None else stated
    has_no_column = pc.equal(column, "")
    currency = pc.if_else(has_no_column, marked, column)
    is_clear = ~_contradicts(marked, column)
    if money is None:
        return Converted(values, currency, is_clear)

    words = Words.of(currency)
    default = money.currency if stated is None else ""
    rates = _read_rates(words.texts, money, default)
    rate = rates[words.codes]
    has_rate = is_clear & ~np.isnan(rate)

    known_rate = np.where(has_rate, rate, 0)
    converted = np.rint(values * known_rate).astype(np.int64)
    targets = [
        word if np.isnan(word_rate) else money.currency
        for word, word_rate in zip(words.texts, rates, strict=True)
    ]
    amount = np.where(rate == 1, values, converted)
    return Converted(amount, words.take(targets), has_rate)


def _contradicts(marked: pa.Array, column: pa.Array) -> np.ndarray:
    """Where both the mark and the column (n,) give a currency, and not the same."""
    marks = Words.of(marked)
    currencies = Words.of(column)
    shape = (len(marks.texts), len(currencies.texts))
    agrees = [_agrees(mark, stated) for mark, stated in product(marks.texts, currencies.texts)]
    by_pair = np.array(agrees, dtype=bool).reshape(shape)
    return np.asarray(~by_pair[marks.codes, currencies.codes])


def _agrees(mark: str, stated: str) -> bool:
    """Whether a mark and a currency column may mean the same; one that is empty agrees with all."""
    return not mark or not stated or may_mean(mark, CURRENCIES.get(stated, stated))


def _read_rates(currencies: list[str], money: Money, default: str) -> np.ndarray:
    """The rate of each currency; NaN without one."""
    rates = [money.rate(_name_currency(word or default, money)) for word in currencies]
    numbers = [float(rate) if rate else np.nan for rate in rates]
    return np.array(numbers)


def _name_currency(mark: str, money: Money) -> str:
    """The currency of the settings that a mark means; the mark itself if that is not certain."""
    currency = CURRENCIES.get(mark, mark)
    if currency not in SHARED:
        return currency
    if may_mean(currency, money.currency):
        return money.currency
    known = [name for name in money.rates if may_mean(currency, name)]
    return known[0] if len(known) == 1 else currency
