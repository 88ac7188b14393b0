"""Account memory: what came of other leads of the same account, or of the same contact.

All of it is as it was known at the snapshot; the lead itself does not count. Without a key nothing
is known, which is not the same as no earlier leads.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from leadscore.features.feature import Feature
from leadscore.features.finish import Amount, DaysSince, Finish
from leadscore.features.phrases import Phrase, both
from leadscore.settings.memory import lead_keys, learned_keys
from leadscore.settings.settings import Settings

COUNTS = {  # measure -> (what is counted, one of it, where)
    "leads": ("other leads", "1 other lead", "of the same {key} so far"),
    "won": ("leads won", "1 lead won", "from the same {key} so far"),
    "lost": ("leads lost", "1 lead lost", "with the same {key} so far"),
    "open": ("other open leads", "1 other open lead", "of the same {key}"),
}
PEOPLE = ("other contacts with a lead", "1 other contact with a lead", "at the same {key}")


def build_account(
    settings: Settings,
    *,
    leave_out: AbstractSet[str] = frozenset(),
) -> list[Feature]:
    """The features of each key that is mapped, and of which something says when it was known.

    A key in `leave_out` has none.
    """
    keys = [name for name in learned_keys(settings) if name not in leave_out]
    features = []
    for name in keys:
        for measure, words in COUNTS.items():
            features.append(_count(name, measure, words))
        won_us = f"{name}_won_us"
        features.append(
            _feature(
                name,
                "days_since_win",
                {won_us: "MAX(won_us)"},
                DaysSince(won_us),
                unit="days",
                phrase=both(
                    f"days since the last win with the same {name}",
                    f"Last win with the same {name} {{ago}}",
                    never=f"No win with the same {name} so far",
                ),
            )
        )
        if name == "account" and "contact" in keys:
            features.append(_count(name, "people", PEOPLE))
    return features


def unlearned_keys(settings: Settings, changed: AbstractSet[str]) -> list[str]:
    """The mapped keys of which nothing says when they were known.

    `changed` are the fields and keys with a history by now.
    """
    if not settings.is_dated:
        return []
    keys = lead_keys(settings)
    return [name for name in keys if keys[name].known_from is None and name not in changed]


def _count(key: str, measure: str, words: tuple[str, str, str]) -> Feature:
    column = f"{key}_{measure}"
    many, one, where = (part.replace("{key}", key) for part in words)
    phrase = both(
        f"{many} {where}",
        f"{{value}} {many} {where}",
        one=f"{one} {where}",
        counted=True,
        none=f"No {many} {where}",
    )
    columns = {column: f"MAX({measure})"}
    return _feature(key, measure, columns, Amount(column), unit="count", phrase=phrase)


def _feature(
    key: str,
    measure: str,
    columns: dict[str, str],
    finish: Finish,
    *,
    unit: str,
    phrase: Phrase,
) -> Feature:
    return Feature(
        name=f"{key}_{measure}",
        columns={key: columns},
        finish=finish,
        unit=unit,
        phrase=phrase,
        group=f"{key}_history",
    )
