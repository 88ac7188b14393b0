"""Laws of memory: what is not known at K changes nothing, whatever order it comes in, and training is scoring replayed."""

from __future__ import annotations

import pytest

from builders import Facts
from laws.known_worlds import (
    MAY_CHANGE,
    SAMPLED,
    Told,
    View,
    is_known,
    law_row_order_changes_nothing,
    law_training_is_scoring_replayed,
    law_what_is_not_known_changes_nothing,
    learn,
    list_asked,
    open_facts,
    pairs,
    run,
    score,
    told_of,
    told_of_side,
)
from leadscore.audit.verdict import audit_learned
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.split import History


def view_scoring(history: History, known_us: int) -> Told:
    rows = list_asked(history, known_us)
    features = build_features(history.settings)
    return told_of(rows, build_matrix(history.snapshot(rows), features))


def view_side(history: History, known_us: int) -> Told:
    side = history.earlier_side(known_us)
    return told_of_side(history, side, build_features(history.settings), known_us)


def view_audit(history: History, known_us: int) -> Told:
    return {each.field: each for each in audit_learned(history, known_us=known_us)}


VIEWS = {
    "the list and the matrix of a scoring": view_scoring,
    "the earlier side of a split": view_side,
    "the audit of what is learned from": view_audit,
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_view_when_facts_known_at_or_after_k_are_others_then_is_byte_equal(view: View) -> None:
    law_what_is_not_known_changes_nothing(view)


@pytest.mark.cases(1)
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_view_when_rows_come_in_another_order_then_is_byte_equal(view: View) -> None:
    law_row_order_changes_nothing(view)


@pytest.mark.cases(1)
@pytest.mark.parametrize("late", [False, True], ids=["leads known first", "leads learned late"])
def test_training_list_when_restricted_to_one_as_of_then_is_what_was_scored_from_the_store_of_then(
    late: bool,
) -> None:
    law_training_is_scoring_replayed(learn, score, late=late)


def test_random_histories_when_drawn_then_hold_what_the_laws_are_about() -> None:
    seen = {
        "rows": 0,
        "won": 0,
        "lost": 0,
        "censored": 0,
        "spells": 0,
        "capped": 0,
        "other": 0,
        "changed": set(),
    }

    def check(pair: tuple[Facts, Facts, int]) -> None:
        facts, other, known_us = pair
        history = open_facts(facts)
        rows = history.earlier_side(known_us).rows
        seen["rows"] += len(rows)
        seen["won"] += (rows["label"] == 1).sum()
        seen["lost"] += (rows["label"] == 0).sum()
        seen["censored"] += rows["label"].isna().sum()
        seen["spells"] += (rows["spell"] > 1).sum()
        seen["capped"] += (rows["grid_weight"] > 1).sum()
        seen["changed"] |= history.facts.changed_fields(known_us)
        later = [row for rows in other.rows.values() for row in rows if not is_known(row, known_us)]
        seen["other"] += len(later)

    run(check, pairs(SAMPLED), examples=20)
    assert seen.pop("changed") == set(MAY_CHANGE)
    assert min(seen.values()) >= 15, seen
