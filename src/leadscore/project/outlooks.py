"""What a forecast at a moment rests on: the open leads scored, with their amounts and the past."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from leadscore.errors import UserError
from leadscore.funnel.outlook import Outlook, build_outlook
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.target import check_target, with_horizon_of
from leadscore.project.opened import open_store
from leadscore.registry.registry import Registry
from leadscore.scoring.probabilities import compute_prospects, compute_shift
from leadscore.scoring.score import check_as_of
from leadscore.scoring.value import read_amounts
from leadscore.settings.settings import Settings


@dataclass(frozen=True)
class KnownModel:
    """A model, its version, and up to when it has seen facts."""

    model: WinModel
    version: str
    known_us: int


@dataclass(frozen=True)
class Looked:
    """An outlook with the currency of its amounts, and why there are none, if there are none."""

    outlook: Outlook
    currency: str | None
    warnings: list[str]

    @property
    def why_no_amounts(self) -> str:
        """Why revenue cannot be told, if it cannot."""
        return "amounts are in several currencies" if self.warnings else "no amounts are known"


@contextmanager
def open_for_forecast(settings: Settings) -> Iterator[tuple[History, KnownModel]]:
    """The current store version with the horizon of the champion, and the champion.

    Raises:
        UserError: nothing is dated, or no model scores.
    """
    check_dated(settings)
    with open_store(settings) as opened:
        model, manifest, version = Registry(settings).load_champion()
        check_target(settings, manifest, version=version)
        history = replace(opened, settings=with_horizon_of(settings, manifest))
        yield history, KnownModel(model, version, manifest["known_until_us"])


def check_dated(settings: Settings) -> None:
    """Stop where nothing is dated.

    Raises:
        UserError: says why there is nothing to forecast.
    """
    if not settings.is_dated:
        raise UserError(f"time = {settings.time}: without dates there is nothing to forecast")


def look_ahead(history: History, known: KnownModel, *, as_of_us: int) -> Looked:
    """The outlook at a moment by a model that has seen no later facts.

    Raises:
        UserError: the model has; or it learned from other features; or too few wins are known.
    """
    check_as_of(history, known.version, known_us=known.known_us, as_of_us=as_of_us)
    shift = compute_shift(
        history,
        known.model,
        known_us=known.known_us,
        as_of_us=as_of_us,
    )
    rows = history.open_list(as_of_us)
    prospects = compute_prospects(
        history,
        known.model,
        rows,
        model_version=known.version,
        shift=shift,
    )
    lead_id = rows["lead_id"].to_numpy(dtype=object)
    amounts = read_amounts(history, lead_id, as_of_us=as_of_us)
    leads = rows[["lead_id", "spell"]]
    leads = leads.assign(probability=prospects.probability, amount=amounts.amount)
    return Looked(
        outlook=build_outlook(history, leads, prospects.pace, as_of_us=as_of_us),
        currency=amounts.currency,
        warnings=[amounts.warning] if amounts.warning else [],
    )
