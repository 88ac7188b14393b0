"""Amounts of money with the mark of a currency before or behind them."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 64  # characters of a number with its currency; longer text is not looked at
MINUS = "\u2212-"  # the hyphen at the end, where a set of characters takes it as it is
NO_CENTS = re.compile(r"(?<=[0-9])([.,])(?:--?|[\u2013\u2014])$")  # 1.234,- and 1'234.-

# Marks that several currencies share, and the currencies that each may mean
SHARED = {
    "$": (
        "USD",
        "AUD",
        "BRL",
        "CAD",
        "CLP",
        "COP",
        "HKD",
        "MXN",
        "NZD",
        "SGD",
        "TWD",
        "ARS",
        "UYU",
    ),
    "\u00a5": ("JPY", "CNY"),
    "\u5143": ("CNY", "TWD", "HKD"),
    "kr": ("SEK", "NOK", "DKK", "ISK"),
    "Rs": ("INR", "PKR", "LKR", "NPR", "MUR"),
}
# The currency that a mark means, or the mark itself where several countries share it
CURRENCIES = {
    "\u20ac": "EUR",
    "\u00a3": "GBP",
    "\u20b9": "INR",
    "\u20a9": "KRW",
    "\u20ba": "TRY",
    "z\u0142": "PLN",
    "US$": "USD",
    "CA$": "CAD",
    "A$": "AUD",
    "NZ$": "NZD",
    "R$": "BRL",
    "Fr.": "CHF",
    "fr.": "CHF",
    "SFr.": "CHF",
    "$": "$",
    "\u00a5": "\u00a5",
    "CN\u00a5": "CNY",
    "\u5186": "JPY",
    "\u5143": "\u5143",
    "\uc6d0": "KRW",
    "kr": "kr",
    "kr.": "kr",
    "K\u010d": "CZK",
    "Ft": "HUF",
    "\u20aa": "ILS",
    "\u20b1": "PHP",
    "\u20bd": "RUB",
    "\u20b4": "UAH",
    "\u20ab": "VND",
    "\u0e3f": "THB",
    "HK$": "HKD",
    "MX$": "MXN",
    "NT$": "TWD",
    "S$": "SGD",
    "Rs.": "Rs",
    "Rs": "Rs",
    "\u20a8": "Rs",
    "RM": "MYR",
    "RMB": "CNY",
    "Rp": "IDR",
    "Rp.": "IDR",
    "S/": "PEN",
    "S/.": "PEN",
    "TL": "TRY",
    "US $": "USD",
    "\u0111": "VND",
    "\u0433\u0440\u043d": "UAH",
    "\u0440\u0443\u0431": "RUB",
    "\u0440\u0443\u0431.": "RUB",
}
_LONGEST_FIRST = sorted(CURRENCIES, key=len, reverse=True)
_MARK = rf"(?P<mark>{'|'.join(re.escape(mark) for mark in _LONGEST_FIRST)}|[A-Z]{{3}})"
BEFORE = re.compile(rf"(?P<sign>\(?[+{MINUS}]?)\s*{_MARK}\s*(?P<rest>.*)", re.DOTALL)
BEHIND = re.compile(rf"(?P<rest>.*?)\s*{_MARK}\s*(?P<sign>[{MINUS}]?\)?)", re.DOTALL)


@dataclass(frozen=True)
class Amount:
    """A text without its marks of a currency, and that currency, or "".

    The currency is an ISO code, or a mark like $ that several currencies share.
    """

    number: str
    currency: str


def split_currency(text: str) -> Amount:
    """A text without its marks of a currency; no number if they mean two currencies."""
    if len(text) > LONGEST:
        return Amount(text, "")

    currencies: set[str] = set()
    number = text.removesuffix("/-")  # behind whole rupees
    before = BEFORE.fullmatch(number)
    if before:
        number = before["sign"] + before["rest"]
        mark = before["mark"]
        currencies.add(CURRENCIES.get(mark, mark))
    behind = BEHIND.fullmatch(number)
    if behind:
        number = behind["rest"] + behind["sign"]
        mark = behind["mark"]
        currencies.add(CURRENCIES.get(mark, mark))
    number = NO_CENTS.sub(r"\g<1>00", number)

    if not currencies:
        return Amount(number, "")
    currency = _agree(currencies)
    return Amount(number, currency) if currency else Amount("", "")


def may_mean(mark: str, currency: str) -> bool:
    """Whether a mark or code is that currency, or shared by it and others."""
    return mark == currency or currency in SHARED.get(mark, ())


def _agree(currencies: set[str]) -> str | None:
    """The one currency that all of these are or may mean, or None."""
    for currency in sorted(currencies, key=len, reverse=True):  # codes before shared marks
        if all(may_mean(mark, currency) for mark in currencies):
            return currency
    return None
