"""Scores every lead that was open at a moment, by what was known then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.errors import UserError
from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.intercept.running import shift_at
from leadscore.scoring.change import Current, Previous, describe_change
from leadscore.scoring.contributions import Contributions, elapsed_at
from leadscore.scoring.decisions import Decisions, Request, advise, decide, list_unknown
from leadscore.scoring.encoded import Encoded
from leadscore.scoring.features import build_model_features, check_features
from leadscore.scoring.listed import Listed, read_listed
from leadscore.scoring.overrides import Override
from leadscore.scoring.parts import Parts
from leadscore.scoring.ranked import Ranked
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
        listed: the leads, as they are compared.
        parts: their features.
        request: how the list is to be decided.
        times: the running intercept as JSON, None if the model has none.
    """

    history: History
    model: WinModel
    features: Sequence[Feature]
    listed: Listed
    parts: Parts
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
    listed, parts = read_listed(history, model, features, as_of_us=as_of_us)
    return OpenLeads(history, model, features, listed, parts, request, times)


def score_open_leads(history: History, model: WinModel, **how: Any) -> Scored:
    """One row for each lead open at a moment, the most promising first.

    Where the list has no date, its as_of is 1970-01-01T00:00:00Z. Arguments and errors as of
    `read_open_leads`.
    """
    leads = read_open_leads(history, model, **how)
    scored = score_rows(leads)
    return Scored(scored.scores, scored.facts | list_facts(leads, scored.facts))


def score_rows(leads: OpenLeads) -> Scored:
    """All rows of a list, with the facts of `Decisions`."""
    decisions = decide_list(leads)
    return Scored(rank_rows(leads, decisions).read(), decisions.facts)


def score_lead(leads: OpenLeads, lead_id: str) -> Scored:
    """The row of one lead of a list, with the facts of `Decisions`."""
    decisions = decide_list(leads)
    at = np.flatnonzero(pc.equal(leads.listed.lead_id, lead_id))
    matrix = leads.parts.of_lead(lead_id)
    return Scored(_build_rows(leads, decisions, matrix, at=at), decisions.facts)


def decide_list(leads: OpenLeads) -> Decisions:
    """What is decided of the leads of a list by comparing them all."""
    return decide(leads.model, leads.listed, leads.request, leads.history.settings)


def list_facts(leads: OpenLeads, facts: dict[str, Any]) -> dict[str, Any]:
    """The facts of a list beside those of `Decisions`: `times`, and all `warnings`."""
    unknown = list_unknown(leads.history, leads.request.overrides)
    return {"warnings": [*facts["warnings"], *unknown], "times": leads.times}


def decided_rows(leads: OpenLeads, decisions: Decisions, names: Sequence[str]) -> pa.Table:
    """Some columns of `Decisions` of the leads (n,), as `SCORES` and in the order of the list, after lead_id."""
    order = order_list(decisions.columns, leads.history.settings.list)
    columns = {name: decisions.columns[name][order] for name in names}
    decided = _build_table(columns, pa.schema([SCORES.field(name) for name in names]))
    return decided.add_column(0, SCORES.field("lead_id"), leads.listed.lead_id.take(order))


def rank_rows(leads: OpenLeads, decisions: Decisions, *, beside: pa.Table | None = None) -> Ranked:
    """The rows of a list as `SCORES`, in the order that the settings ask for.

    Args:
        leads: of the list (n,).
        decisions: about them.
        beside: (n,) further columns in the order of the list, which come before the last one.
    """
    rank = _rank(order_list(decisions.columns, leads.history.settings.list))
    ranked = Ranked()
    for at, matrix in leads.parts:
        rows = _build_rows(leads, decisions, matrix, at=at)
        if beside is not None:
            rows = _add_columns(rows, beside.take(rank[at]))
        ranked.add(rows, rank=rank[at])
    return ranked


def _rank(order: np.ndarray) -> np.ndarray:
    """The places (n,) in a list of leads whose positions in its order are these (n,)."""
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank


def order_list(columns: Mapping[str, np.ndarray], list_order: ListOrder) -> np.ndarray:
    """The positions of the leads (n,) in the order that the settings ask for.

    Leads of equal expected value come by probability, then log-odds, then lead_id, by which they
    are listed.
    """
    keys = [-columns["log_odds"], -columns["win_probability"]]
    if list_order.by == "expected value":
        keys.append(-np.nan_to_num(columns["expected_value"], nan=-np.inf))
    return np.lexsort(keys)


def _build_rows(
    leads: OpenLeads,
    decisions: Decisions,
    matrix: Matrix,
    *,
    at: np.ndarray,
) -> pa.Table:
    """The rows of the leads at positions (m,), whose features are `matrix`, in their order."""
    history = leads.history
    published_us = history.published_us(leads.request.as_of_us) or 0
    encoded = Encoded.of(leads.model, matrix, log_odds=leads.listed.log_odds[at])
    columns = {
        "lead_id": matrix.keys["lead_id"],
        "as_of": np.full(len(at), published_us),
        **{name: values[at] for name, values in decisions.columns.items()},
        **decisions.standing.outlook.interval(leads.model, at),
        **advise(encoded, leads.listed, decisions.standing, history.settings, at=at),
        **_explain_rows(leads, encoded),
    }
    return _build_table(columns, SCORES)


def _build_table(columns: Mapping[str, np.ndarray], schema: pa.Schema) -> pa.Table:
    """Columns in the shape of a schema; NaN is null."""
    arrays = []
    for field in schema:
        values = pa.array(columns[field.name], from_pandas=True)
        arrays.append(values.cast(field.type))
    return pa.table(arrays, schema=schema)


def _add_columns(rows: pa.Table, others: pa.Table) -> pa.Table:
    """Further columns before the last one; texts that are coded as plain ones."""
    for field in others.schema:
        is_coded = pa.types.is_dictionary(field.type)
        published = field.with_type(TEXT) if is_coded else field
        values = others[field.name].cast(published.type)
        rows = rows.add_column(rows.num_columns - 1, published, values)
    return rows


def _explain_rows(leads: OpenLeads, encoded: Encoded) -> dict[str, np.ndarray]:
    """The reasons of leads (m,), and what changed of them; all columns (m,)."""
    history = leads.history
    request = leads.request
    elapsed = elapsed_at(history, request.as_of_us)
    contributions = Contributions.of(encoded, leads.features, elapsed=elapsed)
    current = Current(
        encoded.matrix, contributions, encoded.log_odds, request.as_of_us, request.shift
    )
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
