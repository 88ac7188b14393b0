"""What a model predicts; only a model that predicts what the settings ask for may score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.errors import UserError
from leadscore.proposals import propose
from leadscore.settings.settings import Settings
from leadscore.wording import counted, listed

SETTINGS = {
    "won_stages": "stages.won",
    "lost_stages": "stages.lost",
    "open_stages": "stages.open",
    "outcomes": "the mapping of outcomes",
}


class TargetMismatchError(UserError):
    """A model that predicts something different from what the settings ask for."""

    def __init__(self, version: str, differences: list[str]) -> None:
        super().__init__(
            f"model {version} predicts something different from what the settings ask for: "
            f"{'; '.join(differences)}; run `{propose('train')}` again, or undo this change"
        )


def describe_target(settings: Settings) -> dict[str, Any]:
    """What a model trained by these settings predicts, as JSON.

    That is the horizon, and what counts as won or lost. How often and on which snapshots the model
    learns (cadence, cap, weights) is not part of it.
    """
    horizon_days = settings.target.horizon_days if settings.is_dated else None
    return {
        "horizon_days": horizon_days,
        "won_stages": sorted(settings.stages.won),
        "lost_stages": sorted(settings.stages.lost),
        "open_stages": sorted(settings.stages.open),
        "outcomes": _describe_outcomes(settings),
    }


def _describe_outcomes(settings: Settings) -> list[list[str]]:
    """The source's words with their outcomes, sorted: [word, outcome].

    The word is "" where all rows have the same outcome. Column names are left out, so that a
    renamed column does not make a new target.
    """
    pairs = set()
    for entry in settings.mapping:
        if entry.table != "outcomes":
            continue
        for by_word in entry.values.values():
            for word, columns in by_word.items():
                if "outcome" in columns:
                    pairs.add((word, columns["outcome"]))
        if "outcome" in entry.constants:
            words = _selected_words(entry.where)
            pairs.add((words, entry.constants["outcome"]))
    return [list(pair) for pair in sorted(pairs)]


def _selected_words(where: Mapping[str, Any]) -> str:
    """The words by which an entry selects its rows, as one text."""
    words: list[str] = []
    for values in where.values():
        words += [values] if isinstance(values, str) else values
    return ", ".join(sorted(words))


def check_target(settings: Settings, manifest: Mapping[str, Any], *, version: str) -> None:
    """Refuse a model that predicts something different from what the settings ask for.

    With `horizon_days = "auto"` the horizon is the model's own.

    Raises:
        TargetMismatchError: its manifest has another target.
    """
    asked = describe_target(settings)
    learned = manifest["predicts"]
    differing = [name for name in learned if learned[name] != asked[name]]

    is_automatic = asked["horizon_days"] == 0
    if is_automatic and "horizon_days" in differing:
        differing.remove("horizon_days")
    if differing:
        differences = [_compare(name, learned[name], asked[name]) for name in differing]
        raise TargetMismatchError(version, differences)


def _compare(name: str, learned: Any, asked: Any) -> str:
    if name == "horizon_days":
        return f"a win within {counted(learned, 'day')}, but target.horizon_days is {asked}"
    return f"{SETTINGS[name]} was {_in_words(learned)}, and is now {_in_words(asked)}"


def _in_words(value: list[Any]) -> str:
    """Stages, or pairs of word and outcome, as a list in quotes."""
    words = []
    for item in value:
        parts = [item] if isinstance(item, str) else item
        words.append(" = ".join(filter(None, parts)))
    return listed(words) or "empty"


def with_horizon_of(settings: Settings, manifest: Mapping[str, Any]) -> Settings:
    """The settings with the model's own horizon where they leave it open."""
    days = manifest["target"].get("horizon_days")
    if settings.target.horizon_days or not days:
        return settings
    target = settings.target.model_copy(update={"horizon_days": days})
    return settings.model_copy(update={"target": target})
