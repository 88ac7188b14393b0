"""Trainings that become versions in MLflow, and score if that was decided."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from leadscore.addresses import hide_secrets
from leadscore.files import is_there, read_if_there
from leadscore.json_files import read_result
from leadscore.locks import WRITING, sweep
from leadscore.project.models import record_move
from leadscore.project.training import card_folder
from leadscore.proposals import propose
from leadscore.registry.registry import CHAMPION, Decision, ModelVersion, Registry, Who
from leadscore.results import Promotion, Registered
from leadscore.results.trail import Event
from leadscore.settings.settings import Settings

SHOWN = ("*.html", "*.json", "figures/*.svg")  # what a run shows of the files beside a model


def register(settings: Settings, folder: Path, *, who: Who, promote: bool = False) -> Registered:
    """Log the training in `folder` with MLflow; it becomes champion or challenger, as `train` decided.

    With `promote` it becomes champion whatever was decided. Repeating it changes nothing.
    """
    registry = Registry(settings)
    was = registry.champion()
    decision = _read_decision(folder)
    version = registry.register(
        folder,
        files=_read_shown(folder),
        who=replace(who, why=decision.why),
        decision=Decision(decision.promoted, decision.against, decision.evidence),
    )
    if version and promote and CHAMPION not in version.aliases:
        version = registry.promote(str(version.number), who)
    champion = registry.champion()
    why = who.why if promote else decision.why
    _record_registered(settings, version, was=was, who=replace(who, why=why))
    return Registered.from_dict(
        {
            "registered": asdict(version) if version else None,
            "champion": asdict(champion) if champion else None,
            "registered_model": registry.name,
            "tracking_uri": hide_secrets(settings.tracking_uri()),
        }
    )


def _record_registered(
    settings: Settings,
    version: ModelVersion | None,
    *,
    was: ModelVersion | None,
    who: Who,
) -> None:
    """That a version scores now, or that it does not; nothing of one that scored before."""
    if version is None or (was is not None and was.number == version.number):
        return
    what: Event = "promoted" if CHAMPION in version.aliases else "refused"
    record_move(settings, what, version, who=who)


def _read_shown(folder: Path) -> dict[str, str]:
    """The files that a run shows, by name; what was left half-written is removed first."""
    cards = card_folder(folder)
    sweep(cards.parent)
    sweep(cards)
    texts = {}
    for pattern in SHOWN:
        for path in cards.glob(pattern):
            if not path.name.startswith(WRITING):
                data = read_if_there(path) or b""
                name = path.relative_to(cards).as_posix()
                texts[name] = data.decode(errors="replace")
    return dict(sorted(texts.items()))


def _read_decision(folder: Path) -> Promotion:
    """What `train` decided about the model in `folder`."""
    path = card_folder(folder) / "promotion.json"
    if not is_there(path):  # a model from before there were such decisions
        why = "the first champion; it predicts better than the base rate"
        return Promotion(promoted=True, why=why)
    return read_result(
        path, Promotion, cure=f"run `{propose('train')}` again, which writes it anew"
    )
