"""The features of some settings, plain and with all that settings can say."""

from __future__ import annotations

from typing import Any

from builders import make_settings
from leadscore.features.feature import Feature
from leadscore.features.matrix import build_features
from leadscore.settings.settings import Settings

FIELDS = {
    "industry": {"known_from": "creation"},
    "price": {"type": "number", "known_from": "creation"},
    "contract_end": {"type": "date", "known_from": "creation"},
    "title": {"known_from": "creation", "label": "position"},
    "start": {"type": "date", "known_from": "creation"},
    "mood": {},
}
BANT = {
    "budget": {"field": "amount", "full_amount": 100},
    "authority": {"field": "title", "titles": [["*chief*", 1.0], ["*head*", 0.5]]},
    "need": {"field": "mood", "levels": ["a", "b", "c"]},
    "timeline": {"field": "start", "within_days": [30, 90]},
}
STAGES = {"open": ["new", "qualified", "proposal"], "won": ["signed"], "lost": ["rejected"]}


def declared_settings(**changes: Any) -> Settings:
    return make_settings(**{"fields": FIELDS, "bant": BANT, "stages": STAGES} | changes)


def declared_features(settings: Settings, *, changed: tuple[str, ...] = ()) -> list[Feature]:
    """All features by settings in which the `changed` fields are not known from creation."""
    fields = {name: field.model_copy(update={"known_from": None}) if name in changed else field
              for name, field in settings.fields.items()}  # fmt: skip
    return build_features(settings.model_copy(update={"fields": fields}))
