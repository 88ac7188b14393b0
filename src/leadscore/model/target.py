"""What a model predicts: a list may only be scored by a model that predicts what the settings ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.errors import UserError
from leadscore.proposals import propose
from leadscore.settings.settings import Settings
from leadscore.wording import counted, listed

MEANINGS = {
    "won_stages": "stages.won",
    "lost_stages": "stages.lost",
    "open_stages": "stages.open",
    "outcomes": "the mapping of outcomes",
}


class TargetMismatchError(UserError):
    """A model that predicts something different from what the settings ask for."""

    def __init__(self, version: str, differing: list[str]) -> None:
        super().__init__(
            f"model {version} predicts something different from what the settings ask for: {'; '.join(differing)}; "
            f"run `{propose('train')}` again, or undo this change"
        )


def describe_target(settings: Settings) -> dict[str, Any]:
    """What a model trained by these settings predicts, as JSON: within which horizon, and what counts as won or lost.

    How often and on which snapshots it learns is not part of it: the cadence, the cap and the weights.
    """
    dated = settings.is_dated
    return {
        "horizon_days": settings.target.horizon_days if dated else None,
        "won_stages": sorted(settings.stages.won),
        "lost_stages": sorted(settings.stages.lost),
        "open_stages": sorted(settings.stages.open),
        "outcomes": _describe_outcomes(settings),
    }


def _describe_outcomes(settings: Settings) -> list[list[str]]:
    """What the mapping makes of the source's words: (word, outcome), and ("", outcome) where it is the same for all.

    The names of source columns are left out, so that a renamed column is no other target.
    """
    pairs = set()
    for entry in settings.mapping:
        if entry.table != "outcomes":
            continue
        for by_value in entry.values.values():
            pairs |= {(word, to["outcome"]) for word, to in by_value.items() if "outcome" in to}
        if "outcome" in entry.constants:
            pairs.add((_selected_words(entry.where), entry.constants["outcome"]))
    return [list(pair) for pair in sorted(pairs)]


def _selected_words(where: Mapping[str, Any]) -> str:
    """The words that select the rows of an entry, as one text."""
    words = [[values] if isinstance(values, str) else list(values) for values in where.values()]
    return ", ".join(sorted(word for some in words for word in some))


def check_target(settings: Settings, manifest: Mapping[str, Any], *, version: str) -> None:
    """Refuse a model whose manifest says that it predicts something different from what the settings ask for.

    With `horizon_days = "auto"` the horizon is the model's own. Models of before say no more than their horizon.

    Raises:
        TargetMismatchError: it does.
    """
    asked = describe_target(settings)
    learned = manifest.get("predicts") or {"horizon_days": manifest["target"].get("horizon_days")}
    names = [name for name in learned if learned[name] != asked[name]]
    if asked["horizon_days"] == 0:
        names = [name for name in names if name != "horizon_days"]
    if names:
        raise TargetMismatchError(
            version, [_say(name, learned[name], asked[name]) for name in names]
        )


def _say(name: str, learned: Any, asked: Any) -> str:
    if name == "horizon_days":
        return f"a win within {counted(learned, 'day')}, and target.horizon_days is {asked}"
    return f"{MEANINGS[name]} was {_in_words(learned)}, and is {_in_words(asked)}"


def _in_words(value: list[Any]) -> str:
    words = [each if isinstance(each, str) else " = ".join(filter(None, each)) for each in value]
    return listed(words) or "empty"


def with_horizon_of(settings: Settings, manifest: Mapping[str, Any]) -> Settings:
    """The settings, with the model's own horizon where they leave it open."""
    days = manifest["target"].get("horizon_days")
    if settings.target.horizon_days or not days:
        return settings
    return settings.model_copy(
        update={"target": settings.target.model_copy(update={"horizon_days": days})}
    )
