"""The section `money`: one currency for all amounts."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from leadscore.settings.base import Frozen
from leadscore.settings.limits import CURRENCY

Currency = Annotated[str, Field(pattern=CURRENCY)]
Rate = Annotated[Decimal, Field(gt=0, le=10**9)]


class Money(Frozen):
    """The one currency in which amounts are stored, and fixed rates into it."""

    currency: str = Field(pattern=CURRENCY, description="currency in which amounts are stored")
    rates: dict[Currency, Rate] = Field(
        default={},
        description="another currency -> what one unit of it is worth, like `{ USD = 0.92 }`",
    )

    def rate(self, currency: str) -> Decimal | None:
        """What a unit of a currency is worth, or None if no rate is given."""
        return Decimal(1) if currency == self.currency else self.rates.get(currency)
