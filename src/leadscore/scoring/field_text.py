"""The value of a field as a person writes it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from leadscore.settings.fields import LeadField


def format_value(value: Any, field: LeadField, *, zone: str) -> str:
    """A stored value in words: numbers in their unit, dates in the zone, "none" for null."""
    if pd.isna(value):
        return "none"
    if field.type == "number":
        number = int(value) / 10**field.decimals
        zeros = "." + "0" * field.decimals
        return f"{number:,.{field.decimals}f}".removesuffix(zeros)
    if field.type == "date":
        moment = pd.Timestamp(int(value), unit="us", tz="UTC")
        return str(moment.tz_convert(zone).date())
    return str(value)
