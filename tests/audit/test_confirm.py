"""What is asked before a model scores, and the lines that answer it."""

from __future__ import annotations

import tomllib

import pytest

from leadscore.audit.checks.outcome import OwnAuc
from leadscore.audit.confirm import STRONGEST, build_confirmation
from leadscore.audit.finding import Finding
from leadscore.audit.verdict import FieldVerdict
from leadscore.settings.audit import AuditSettings
from leadscore.settings.settings import Settings

FIELDS = {
    "size": {"type": "number", "decimals": 0, "minimum": 1.5, "label": 'how "large"\\\u007fü'},
    "color": {"learn": True},
    "last_score": {"type": "number"},
    "region": {},
    "shape": {},
    "kind": {"label": "Ünal's kind"},
}
SOURCES = {"leads": {"path": "leads.csv"}}
AUCS = {"size": 0.7, "color": 0.66, "last_score": 0.52, "region": 0.65, "shape": 0.6, "kind": 0.5}


def settings_of(time: str, *, fields=FIELDS, keep: tuple[str, ...] = ()) -> Settings:
    columns = {name: name for name in ("lead_id", *fields)} | (
        {"event_at": "at"} if time == "dated" else {}
    )
    mapping = [
        {"source": "leads", "table": "leads", "columns": columns},
        {"source": "leads", "table": "outcomes", "columns": {"lead_id": "lead_id", "outcome": "end"}
            | ({"event_at": "closed"} if time == "dated" else {})},
    ]  # fmt: skip
    return Settings(
        project="asked",
        time=time,
        sources=SOURCES,
        mapping=mapping,
        fields=fields,
        audit={"keep": keep},
    )


def verdicts_of(aucs=AUCS, suspects=("last_score",)) -> list[FieldVerdict]:
    found = []
    for name, auc in aucs.items():
        checks = (Finding("late_name", "suspect", "its name"),) if name in suspects else ()
        own = OwnAuc(auc, auc - 0.02, auc + 0.02, leads=900)
        found.append(
            FieldVerdict(
                name, "suspect" if checks else "ok", "its name" if checks else "", checks, own
            )
        )
    return found


def asked(confirmation):
    return [question.field for question in confirmation.questions] if confirmation else []


def ask(settings, *, auc=0.8, left_out=(), verdicts=None, **more):
    return build_confirmation(
        verdicts or verdicts_of(), settings, left_out=left_out, auc=auc, **more
    )


@pytest.mark.parametrize("time", ["ordered", "none"])
def test_confirmation_when_nothing_is_dated_then_asks_of_the_suspect_and_the_strongest(time):
    assert asked(ask(settings_of(time))) == ["last_score", "size", "color", "region"]
    assert STRONGEST == 3


@pytest.mark.parametrize(
    ("time", "auc", "expected"),
    [
        ("dated", 0.8, []),
        ("dated", 0.95, []),
        ("dated", None, []),
        ("dated", 0.951, ["last_score", "size", "color", "region"]),
        ("none", 0.951, ["last_score", "size", "color", "region"]),
    ],
)
def test_confirmation_when_dated_then_asks_only_above_the_limit(time, auc, expected):
    assert asked(ask(settings_of(time), auc=auc)) == expected


def test_confirmation_when_fields_are_left_out_then_asks_of_the_next():
    assert asked(ask(settings_of("none"), left_out={"last_score", "size"})) == [
        "color",
        "region",
        "shape",
    ]


def test_confirmation_when_no_field_tells_anything_then_asks_nothing():
    assert (
        ask(settings_of("none"), verdicts=verdicts_of(dict.fromkeys(AUCS, 0.51), suspects=()))
        is None
    )


def test_confirmation_when_nothing_accounts_for_too_good_a_model_then_asks_to_look_elsewhere():
    found = ask(
        settings_of("dated"), auc=0.97, verdicts=verdicts_of(dict.fromkeys(AUCS, 0.51), suspects=())
    )
    assert (found.questions, found.lines) == ([], "")
    assert "0.970 is above 0.95, and no field accounts for it" in found.why


@pytest.mark.parametrize(
    ("share", "is_elsewhere"), [(0.0, True), (0.49, True), (0.5, False), (1.0, False)]
)
def test_confirmation_when_fields_carry_little_of_too_good_a_model_then_no_answer_about_fields_lets_it_score(
    share, is_elsewhere
):
    kept = settings_of("dated", keep=tuple(AUCS))
    found = ask(kept, auc=0.97, share_of_fields=share)
    assert (found is not None and "look for activities and stages" in found.why) == is_elsewhere
    assert ask(kept, auc=0.9, share_of_fields=share) is None


def test_question_when_a_field_has_a_label_then_says_both():
    found = ask(
        settings_of("none", fields=FIELDS | {"last_score": {"label": "score of the last call"}})
    )
    labels = {each.field: each.label for each in found.questions}
    assert labels["last_score"] == "score of the last call"


def test_lines_when_dated_then_hold_all_that_the_settings_say_of_the_audit():
    stated = settings_of("dated").model_copy(
        update={"audit": AuditSettings(keep=("shape",), leak_auc=0.9)}
    )
    pasted = tomllib.loads(ask(stated, auc=0.97).lines)["audit"]
    assert pasted == {"keep": ["shape", "last_score", "size", "color", "region"], "leak_auc": 0.9}


def test_lines_when_pasted_in_place_of_the_fields_then_nothing_else_changes_and_nothing_is_asked():
    settings = settings_of("none")
    found = ask(settings)
    pasted = tomllib.loads(found.lines)["fields"]
    assert set(pasted) == set(asked(found))
    for name, section in pasted.items():
        assert section == FIELDS[name] | {"known_from": "creation"}
    assert ask(settings_of("none", fields=FIELDS | pasted)) is None
    assert ask(settings_of("none", fields=FIELDS | pasted), auc=0.99) is None


def test_lines_when_dated_then_keep_what_was_kept_and_the_fields_asked_about():
    settings = settings_of("dated", keep=("shape",))
    found = ask(settings, auc=0.97)
    kept = tuple(tomllib.loads(found.lines)["audit"]["keep"])
    assert kept == ("shape", "last_score", "size", "color", "region")
    assert ask(settings_of("dated", keep=kept), auc=0.97) is None
