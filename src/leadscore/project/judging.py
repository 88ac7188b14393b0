"""Somebody else's score judged beside our published lists, or beside a back-test where there are none."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leadscore.errors import DamagedFileError, UserError
from leadscore.files import list_folder, read_if_there
from leadscore.history.split import History
from leadscore.json_files import read_json
from leadscore.locks import WRITING
from leadscore.monitor.judge import Asked, judge
from leadscore.monitor.settle import SETTLED, ScoredList, settle
from leadscore.project.monitoring import check_dated, read_lists
from leadscore.project.opened import checked_as_of, open_store
from leadscore.proposals import propose
from leadscore.results.judged import Judged
from leadscore.settings.settings import Settings
from leadscore.settings.tiers import Tiers
from leadscore.wording import listed

RECEIPTS = "our published scores"
BACKTEST = "our back-test, since no published list is settled"


def judge_score(settings: Settings, name: str, *, as_of_us: int | None = None) -> Judged:
    """A score of the table `scores` compared with leadscore's, by what was known at a moment (default: known_until).

    Raises:
        UserError: nothing is dated, there is no such score, nothing of ours is settled, or too few
            leads have both scores.
    """
    check_dated(settings)
    with open_store(settings) as history:
        known_us = history.known_us(checked_as_of(history, as_of_us))
        _check_name(history, name, known_us=known_us)
        lists, warnings = read_lists(settings)
        basis = RECEIPTS
        rows = settle(history, lists, known_us=known_us)
        if not _has_settled(rows):
            lists = read_backtest(settings)
            basis = BACKTEST
            rows = settle(history, lists, known_us=known_us)
        if not _has_settled(rows):
            raise UserError(
                "none of our lists is settled yet, and there is no back-test to judge beside; run "
                f"`{propose('backtest')}` first"
            )
        horizon_days = max(scored.horizon_days for scored in lists)
        asked = Asked(settings.project, name, basis, known_us)
        judged = judge(history, rows, asked, horizon_days=horizon_days)
    return judged.model_copy(update={"warnings": warnings})


def _has_settled(rows: pd.DataFrame) -> bool:
    is_settled = rows["state"] == SETTLED
    return bool(is_settled.any())


def _check_name(history: History, name: str, *, known_us: int) -> None:
    names = history.facts.others.names(known_us)
    if not names:
        raise UserError(
            "there is no score to judge: map its history to the table scores, with lead_id, "
            "event_at, name and value; see docs/monitor.md"
        )
    if name not in names:
        raise UserError(f"there is no score {name!r}; there are {listed(names)}")


def read_backtest(settings: Settings) -> list[ScoredList]:
    """The lists of the latest back-test; none without one."""
    written = list_folder(settings.project_folder() / "backtests")
    folders = [folder for folder in written if not folder.name.startswith(WRITING)]
    if not folders:
        return []
    reports = {folder: _read_report(folder) for folder in folders}
    latest = max(folders, key=lambda folder: (reports[folder]["known_until"], str(folder)))
    report = reports[latest]
    if not report["dates"] or not report["horizon_days"]:
        return []
    return _as_lists(latest, horizon_days=report["horizon_days"], tiers=settings.tiers)


def _read_report(folder: Path) -> dict[str, Any]:
    shape = {"known_until": str, "dates": [{}], "horizon_days": (int, type(None))}
    return read_json(folder / "backtest.json", shape, cure=_cure())


def _cure() -> str:
    return f"remove its folder, and run `{propose('backtest')}` again"


def _read_predictions(path: Path) -> pd.DataFrame:
    """What a back-test predicted: lead_id, as_of_us and leadscore."""
    columns = {"lead_id": "str", "as_of_us": "int64", "leadscore": "float64"}
    data = read_if_there(path)
    if data is None:
        raise DamagedFileError(path, "it is gone", cure=_cure())
    try:
        predictions = pd.read_csv(BytesIO(data), dtype=columns, keep_default_na=False)
        return predictions[list(columns)]
    except (ValueError, KeyError) as e:
        raise DamagedFileError(path, "it does not hold predictions", cure=_cure()) from e


def _as_lists(folder: Path, *, horizon_days: int, tiers: Tiers) -> list[ScoredList]:
    predictions = _read_predictions(folder / "predictions.csv")
    predictions = predictions.rename(columns={"leadscore": "probability"})
    lists = []
    for moment, rows in predictions.groupby("as_of_us", sort=True):
        as_of_us = int(str(moment))
        tier = _tiers_of(rows["probability"], tiers)
        scored = rows[["lead_id", "probability"]].assign(tier=tier)
        name = f"back-test {as_of_us}"
        lists.append(ScoredList(name, as_of_us, horizon_days, scored))
    return lists


def _tiers_of(probability: pd.Series[float], tiers: Tiers) -> Sequence[str]:
    """Tiers (n,) by the place on the list: the first tenth is A where tiers.a is 90."""
    bounds = (tiers.a, tiers.b, tiers.c) if tiers.by == "score" else (90, 70, 40)
    percent = 100 * probability.rank(pct=True, method="first")
    conditions = [percent > bound for bound in bounds]
    chosen: list[str] = np.select(conditions, ["A", "B", "C"], default="D").tolist()
    return chosen
