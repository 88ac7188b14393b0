"""The section `audit`: when a field looks too good to be true."""

from __future__ import annotations

from pydantic import Field

from leadscore.settings.base import Frozen


class AuditSettings(Frozen):
    """When a field looks too good to be true, and which fields are trusted all the same."""

    keep: tuple[str, ...] = Field(
        default=(), description="leaking fields to learn from anyway, and fields you confirm"
    )
    leak_auc: float = Field(
        default=0.85,
        gt=0.5,
        le=1,
        description="a field whose AUC on its own is clearly above this is a leak",
    )
    suspect_auc: float = Field(
        default=0.75,
        gt=0.5,
        le=1,
        description="a field whose AUC on its own is clearly above this is suspect",
    )
