"""The section `customers`: what is looked at after the sale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from leadscore.settings.base import Days, Frozen, hint

if TYPE_CHECKING:
    from leadscore.settings.settings import Settings


class CustomerSettings(Frozen):
    """What `leadscore customers` looks at; map `account` or `contact` to know customers by."""

    quiet_days: Days = Field(
        default=90,
        description="days without any contact after which a customer without an open lead is due "
        "for a follow-up",
    )
    referrals: dict[str, tuple[str, ...]] = Field(
        default={},
        description="field -> its values that say that a lead was referred, as in "
        '`{ channel = ["Referral"] }`',
    )
    product: str | None = Field(
        default=None, description="field that says which product a lead is about"
    )


def check_customers(settings: Settings) -> None:
    """Raise ValueError where the section names a field that leads do not have."""
    section = settings.customers
    asked = list(section.referrals)
    if section.product is not None:
        asked.append(section.product)
    texts = [name for name, field in settings.lead_fields().items() if field.type == "text"]
    for name in asked:
        if name not in texts:
            raise ValueError(f"customers: {name!r} is no text field of leads{hint(name, texts)}")
