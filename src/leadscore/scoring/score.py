"""Scores every lead that was open at a moment, by what was known then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from leadscore.errors import UserError
from leadscore.features.feature import Feature
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.intercept.running import shift_at
from leadscore.scoring.at_once import split_evenly
from leadscore.scoring.change import Current, Previous, describe_change
from leadscore.scoring.contributions import Contributions, elapsed_at
from leadscore.scoring.decisions import Request, decide, list_unknown
from leadscore.scoring.features import build_model_features, check_features
from leadscore.scoring.listed import Listed, read_listed
from leadscore.scoring.overrides import Override
from leadscore.scoring.reasons import REASONS, explain
from leadscore.settings.list_order import ListOrder
from leadscore.settings.tiers import Tiers
from leadscore.times import format_us

REASON_COLUMNS = [
    f"reason_{side}_{place}" for side in ("up", "down") for place in range(1, REASONS + 1)
]
TEXT = pa.string()
NUMBER = pa.float64()
SCORES = pa.schema(
    [
        pa.field("lead_id", TEXT, nullable=False),
        pa.field("as_of", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("win_probability", NUMBER, nullable=False),
        pa.field("probability_low", NUMBER, nullable=False),
        pa.field("probability_high", NUMBER, nullable=False),
        pa.field("score", NUMBER, nullable=False),
        pa.field("tier", TEXT, nullable=False),
        pa.field("amount", NUMBER),
        pa.field("amount_estimated", pa.bool_(), nullable=False),
        pa.field("expected_value", NUMBER),
        pa.field("qualification", TEXT, nullable=False),
        pa.field("qualification_rule", TEXT, nullable=False),
        pa.field("override", TEXT, nullable=False),
        pa.field("bant", TEXT, nullable=False),
        pa.field("next_question", TEXT, nullable=False),
        pa.field("next_question_gain", NUMBER, nullable=False),
        pa.field("suggested_action", TEXT, nullable=False),
        *(pa.field(name, TEXT, nullable=False) for name in REASON_COLUMNS),
        pa.field("change", TEXT, nullable=False),
        pa.field("change_points", NUMBER),
        pa.field("trend", TEXT, nullable=False),
        pa.field("log_odds", NUMBER, nullable=False),
    ]
)


@dataclass(frozen=True)
class Scored:
    """The list in the shape of `SCORES`, and the facts of `Decisions` and `times` as JSON."""

    scores: pa.Table
    facts: dict[str, Any]


@dataclass(frozen=True)
class OpenLeads:
    """A list before it is scored: who is on it, and all that its rows rest on.

    Attributes:
        history: where the leads are.
        model: what to score with.
        features: that it learned from.
        listed: the leads.
        request: how the list is to be decided.
        times: the running intercept as JSON, None if the model has none.
    """

    history: History
    model: WinModel
    features: Sequence[Feature]
    listed: Listed
    request: Request
    times: dict[str, Any] | None


def read_open_leads(
    history: History,
    model: WinModel,
    *,
    model_version: str,
    known_us: int,
    as_of_us: int,
    previous: Previous | None = None,
    overrides: Sequence[Override] = (),
    tiers: Tiers | None = None,
) -> OpenLeads:
    """The leads open at `as_of_us`, to be scored.

    Args:
        history: where the leads are.
        model: what to score with.
        model_version: its name, for messages.
        known_us: up to when the model has seen facts.
        as_of_us: the moment to score at.
        previous: the previous list, for changes and for tiers that are near their border.
        overrides: what people decided by hand, as `ingest.overrides` reads it.
        tiers: how tiers are decided; by default as the settings say.

    Raises:
        UserError: the model has seen facts from after `as_of_us`.
        UserError: the settings declare other features than the model learned from.
    """
    check_as_of(history, model_version, known_us=known_us, as_of_us=as_of_us)
    features = build_model_features(history.settings, model)
    check_features(model, features, model_version=model_version)

    times = shift_at(history, model, known_us=known_us, as_of_us=as_of_us)
    shift = times["shift"] if times else 0.0
    own_tiers = tiers or history.settings.tiers
    request = Request(as_of_us, shift, own_tiers, overrides, previous)
    listed = read_listed(history, model, features, as_of_us=as_of_us)
    return OpenLeads(history, model, features, listed, request, times)


def score_open_leads(history: History, model: WinModel, **how: Any) -> Scored:
    """One row for each lead open at a moment, the most promising first.

    Where the list has no date, its as_of is 1970-01-01T00:00:00Z. Arguments and errors as of
    `read_open_leads`.
    """
    leads = read_open_leads(history, model, **how)
    scored = score_rows(leads)
    unknown = list_unknown(history, leads.request.overrides)
    warnings = [*scored.facts["warnings"], *unknown]
    return Scored(scored.scores, scored.facts | {"warnings": warnings, "times": leads.times})


def score_rows(leads: OpenLeads, *, at: np.ndarray | None = None) -> Scored:
    """The rows of a list, with the facts of `Decisions`.

    Args:
        leads: of the list.
        at: (m,) positions of the leads that are asked about; by default all.
    """
    history = leads.history
    listed = leads.listed
    asked = np.arange(len(listed.log_odds)) if at is None else at
    decisions = decide(leads.model, listed, leads.request, history.settings, at=asked)
    published_us = history.published_us(leads.request.as_of_us) or 0
    columns = {
        "lead_id": listed.lead_id[asked],
        "as_of": np.full(len(asked), published_us),
        **decisions.columns,
    }
    explained = [_explain_rows(leads, chunk) for chunk in split_evenly(asked)]
    for name in explained[0]:
        columns[name] = np.concatenate([of_chunk[name] for of_chunk in explained])
    return Scored(_build_table(columns, history.settings.list), decisions.facts)


def _explain_rows(leads: OpenLeads, at: np.ndarray) -> dict[str, np.ndarray]:
    """The reasons of the leads at positions (m,), and what changed of them; all columns (m,)."""
    history = leads.history
    request = leads.request
    matrix = leads.listed.matrix.rows(at)
    elapsed = elapsed_at(history, request.as_of_us)
    contributions = Contributions.of(leads.model, matrix, leads.features, elapsed=elapsed)
    log_odds = leads.listed.log_odds[at]
    current = Current(matrix, contributions, log_odds, request.as_of_us, request.shift)
    return {
        **explain(contributions, shift=request.shift),
        **describe_change(history, leads.model, current, previous=request.previous),
    }


def check_as_of(
    history: History,
    model_version: str,
    *,
    known_us: int,
    as_of_us: int,
) -> None:
    """Stop if a model has seen facts from after the moment to score at.

    Raises:
        UserError: says what to train instead.
    """
    if known_us <= as_of_us:
        return
    is_dated = history.settings.is_dated
    cure = f"train with --as-of {format_us(as_of_us)}" if is_dated else "train again"
    raise UserError(
        f"model {model_version} has learned from facts up to {history.name(known_us)}, after the "
        f"as_of {history.name(as_of_us)}, so its scores would use later facts; {cure} first"
    )


def _build_table(columns: dict[str, Any], list_order: ListOrder) -> pa.Table:
    """The columns in the shape of `SCORES`, in the order that the settings ask for.

    Leads of equal expected value come by probability, then log-odds, then lead_id.
    """
    lead_id = columns["lead_id"]
    log_odds = columns["log_odds"]
    probability = columns["win_probability"]
    keys = [lead_id, -log_odds, -probability]
    if list_order.by == "expected value":
        keys.append(-np.nan_to_num(columns["expected_value"], nan=-np.inf))
    in_order = np.lexsort(keys)
    order = pa.array(in_order)
    arrays = []
    for field in SCORES:
        values = pa.array(columns[field.name], from_pandas=True)
        arrays.append(values.cast(field.type).take(order))
    return pa.table(arrays, schema=SCORES)
