"""Why the forecast of a period changed since an earlier moment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from leadscore.errors import UserError
from leadscore.funnel.change import KEY, Steps, split_change, to_cents
from leadscore.funnel.forecast import expect_new_wins, usual_revenue
from leadscore.funnel.outlook import Outlook, add_age, with_pace
from leadscore.funnel.periods import Period
from leadscore.funnel.wins import fill_revenue
from leadscore.history.split import History
from leadscore.model.target import TargetMismatchError, check_target
from leadscore.project.outlooks import KnownModel, Looked, look_ahead
from leadscore.registry.registry import Registry
from leadscore.results.forecast import ForecastChange
from leadscore.scoring.features import build_model_features
from leadscore.scoring.probabilities import compute_shift, predict_prospects
from leadscore.scoring.replay import replay_lists
from leadscore.times import format_us, parse_moment


def explain_change(
    history: History, known: KnownModel, looked: Looked, *, since_us: int, period: Period
) -> ForecastChange:
    """The change of a period's expected revenue in cents, by what caused it.

    The earlier forecast is repeated by what was known then, with the latest model registered by then.

    Args:
        history: where the leads are.
        known: the model of now.
        looked: the outlook of now.
        since_us: the earlier moment.
        period: the one whose forecast changed.

    Raises:
        UserError: no amounts are known, `since_us` is not earlier, or there is no model from then.
    """
    now = looked.outlook
    _check_earlier(since_us, as_of_us=now.as_of_us)
    old_known = find_model(history, known, as_of_us=since_us)
    then = _look_back(history, old_known, looked, since_us=since_us)
    before = _list_counted(then, period)
    after = _list_after(history, now, before, period=period, since_us=since_us)
    steps = _build_steps(history, old_known, then, now, period=period)
    yet_to_come = (_expect_new(then, period), _expect_new(now, period))
    parts, leads = split_change(before, after, steps, yet_to_come=yet_to_come)
    return ForecastChange(
        since=format_us(since_us),
        period=period.name,
        before=int(before["cents"].sum()) + yet_to_come[0],
        after=int(after["cents"].sum()) + yet_to_come[1],
        parts=parts,
        leads=leads,
        model_then=_find_number(history, old_known),
        model_now=_find_number(history, known),
    )


def _look_back(
    history: History, old_known: KnownModel, looked: Looked, *, since_us: int
) -> Outlook:
    """The outlook of then, if revenue can be told then and now."""
    looked_then = look_ahead(history, old_known, as_of_us=since_us)
    for one in (looked_then, looked):
        if not one.outlook.has_amounts:
            raise UserError(f"{one.why_no_amounts}, so there is no change of revenue to explain")
    return looked_then.outlook


def _check_earlier(since_us: int, *, as_of_us: int) -> None:
    if since_us >= as_of_us:
        raise UserError(
            f"since {format_us(since_us)} is not before the moment of the forecast, "
            f"{format_us(as_of_us)}"
        )


def find_model(history: History, known: KnownModel, *, as_of_us: int) -> KnownModel:
    """The latest registered model that has seen no facts from a moment on.

    Raises:
        UserError: there is none that predicts what the settings ask for.
    """
    if known.known_us <= as_of_us:
        return known
    registry = Registry(history.settings)
    for number in _list_earlier(registry, as_of_us):
        model, manifest, version = registry.load(str(number))
        try:
            check_target(history.settings, manifest, version=version)
        except TargetMismatchError:
            continue
        return KnownModel(model, version, manifest["known_until_us"])
    raise UserError(
        f"no registered model was trained on facts from before {format_us(as_of_us)} alone, so the "
        "forecast made then cannot be made again; give a later --since"
    )


def _find_number(history: History, known: KnownModel) -> int | None:
    """The number of a model's version; None if it is not registered."""
    versions = Registry(history.settings).versions()
    numbers = {version.version: version.number for version in versions}
    return numbers.get(known.version)


def _list_earlier(registry: Registry, as_of_us: int) -> list[int]:
    """The numbers of models that have seen no facts from a moment on, the latest first."""
    earlier = []
    for version in registry.versions():
        known_us = parse_moment(version.known_until, zone="UTC")
        if known_us <= as_of_us:
            earlier.append((known_us, version.number))
    in_order = sorted(earlier, reverse=True)
    return [number for _, number in in_order]


def chance_in(outlook: Outlook, period: Period) -> np.ndarray:
    """The probability (n,) that each open lead is won within a period."""
    by_end = outlook.win_by(period.end_us)
    before = outlook.win_by(period.start_us)
    return np.asarray(by_end - before)


def _expect_new(outlook: Outlook, period: Period) -> int:
    """The cents that are expected in a period of leads yet to come."""
    expected = 0.0
    for part in outlook.parts().values():
        usual = usual_revenue(part)
        wins = expect_new_wins(part, [period])[0]
        expected += wins * usual.mean() if len(usual) else 0.0
    return int(to_cents(expected))


def _list_counted(outlook: Outlook, period: Period) -> pd.DataFrame:
    """The leads that count in a forecast, open or won in the period, with their cents."""
    expected = outlook.revenue * chance_in(outlook, period)
    opened = outlook.leads[KEY]
    opened = opened.assign(state="open", cents=to_cents(expected))

    wins = outlook.wins
    close_us = wins["close_us"]
    inside = close_us.between(period.start_us, period.end_us, inclusive="left")
    revenue = fill_revenue(wins)[inside]
    won = wins.loc[inside, KEY]
    won = won.assign(state="won", cents=to_cents(revenue.to_numpy()))
    return pd.concat([opened, won], ignore_index=True)


def _list_after(
    history: History,
    now: Outlook,
    before: pd.DataFrame,
    *,
    period: Period,
    since_us: int,
) -> pd.DataFrame:
    """The leads that count now, and those that no longer do: with `won` and `is_new`."""
    spells = history.spells(history.known_us(now.as_of_us))
    counted = _list_counted(now, period)
    keys = pd.concat([before[KEY], counted[KEY]])
    listed = keys.drop_duplicates()
    after = listed.merge(counted, on=KEY, how="left")
    after = after.merge(spells, on=KEY, how="left")
    cents = after["cents"].fillna(0)
    return after.assign(
        state=after["state"].fillna("closed"),
        cents=cents.astype("int64"),
        is_new=after["start_us"] >= since_us,
    )


def _build_steps(
    history: History,
    old: KnownModel,
    then: Outlook,
    now: Outlook,
    *,
    period: Period,
) -> Steps:
    """The leads open at both moments, step by step from the old forecast to the new one."""
    was, current = _keep_common(then, now)
    later, known = _replay(history, old, was, now_us=now.as_of_us)
    outlooks = [was, later, known, current]
    return Steps(
        leads=was.leads[KEY],
        revenue=(was.revenue, current.revenue),
        chances=[chance_in(outlook, period) for outlook in outlooks],
        inside=(_closes_inside(was, period), _closes_inside(current, period)),
    )


def _closes_inside(outlook: Outlook, period: Period) -> np.ndarray:
    """Whether each open lead (n,) is expected to close before the end of a period."""
    expected_us = outlook.close_us(0.5)
    return np.asarray(expected_us < period.end_us)


def _keep_common(then: Outlook, now: Outlook) -> tuple[Outlook, Outlook]:
    """Both outlooks with the leads of both alone, in the same order."""
    places_then = then.leads[KEY].reset_index(names="then")
    places_now = now.leads[KEY].reset_index(names="now")
    both = places_then.merge(places_now, on=KEY)
    outlooks = []
    for outlook, places in ((then, both["then"]), (now, both["now"])):
        leads = outlook.leads.iloc[places.to_numpy()]
        common = leads.reset_index(drop=True)
        outlooks.append(replace(outlook, leads=common))
    return outlooks[0], outlooks[1]


def _replay(
    history: History,
    old: KnownModel,
    was: Outlook,
    *,
    now_us: int,
) -> tuple[Outlook, Outlook]:
    """The old outlook at the moment of now: by what was known then, and by what is known now."""
    if was.leads.empty:
        return was, was
    then_us = was.as_of_us
    features = build_model_features(history.settings, old.model)
    lead_id = was.leads["lead_id"].to_numpy(dtype=object)
    replayed = replay_lists(
        history,
        features,
        lead_id,
        then_us=then_us,
        now_us=now_us,
    )
    shift = compute_shift(history, old.model, known_us=old.known_us, as_of_us=then_us)
    spells = history.spells(history.known_us(now_us))
    aged = add_age(was.leads, spells, as_of_us=now_us)
    outlooks = []
    for matrix in (replayed.later, replayed.now):
        prospects = predict_prospects(
            old.model,
            matrix.columns,
            shift=shift,
            horizon_days=was.horizon_days,
        )
        leads = aged.assign(probability=prospects.probability)
        leads = with_pace(leads, prospects.pace)
        outlooks.append(replace(was, as_of_us=now_us, leads=leads))
    return outlooks[0], outlooks[1]
