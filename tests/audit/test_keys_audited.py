"""Keys of leads: whether a lead has an account may give its outcome away, as a made-up world shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders import Facts, make_settings
from leadscore.audit.verdict import FieldVerdict, audit_fields, audit_learned, left_out
from leadscore.features.matrix import build_features
from leadscore.history.split import History
from leadscore.settings.settings import Settings

N, UNTIL = 400, 200.0
KEPT = {"audit": {"keep": ["account"]}}
UNKNOWN = {"memory": {}}


def settings_of(*, history: bool = False, **more: Any) -> Settings:
    """Settings that declare the account to be known from creation, or map its history."""
    columns = {"lead_id": "id", "event_at": "created", "account": "account"}
    mapping: list[dict[str, Any]] = [{"source": "leads", "table": "leads", "columns": columns}]
    if history:
        log = {"lead_id": "id", "event_at": "at", "field": "field", "value": "value"}
        mapping.append({"source": "leads", "table": "changes", "columns": log})
    memory = {} if history else {"account": "creation"}
    return make_settings(**({"mapping": mapping, "memory": memory} | more))


def open_world(folder: Path, filled: str, settings: Settings) -> History:
    """Leads of which a third is won, a third lost and the rest open; some of them have an account."""
    rng = np.random.default_rng(1)
    facts = Facts(settings)
    in_history = "changes" in {entry.table for entry in settings.mapping}
    for place in range(N):
        created = float(rng.uniform(0, 150))
        outcome = ("won", "lost", "open")[place % 3]
        is_filled = {
            "at conversion": outcome == "won",
            "at the close": outcome != "open",
            "always": True,
            "never": False,
            "now and then": bool(rng.random() < 0.6),
        }[filled]
        account = f"hash:{place // 4}" if is_filled else None
        facts.lead(str(place), created, account=None if in_history else account)
        closed = created + 1 + float(rng.exponential(20))
        if outcome != "open":
            facts.outcome(str(place), min(closed, UNTIL - 1), outcome)
        if in_history and account:
            facts.change(str(place), min(closed, UNTIL - 1), "account", account)
    return facts.history(folder, known_until=UNTIL)


def verdicts_of(history: History) -> dict[str, FieldVerdict]:
    try:
        verdicts = audit_learned(history, known_us=history.version.known_until_us)
        everything = audit_fields(history, known_us=history.version.known_until_us)
    finally:
        history.engine.close()
    assert {verdict.field for verdict in verdicts} <= {verdict.field for verdict in everything}
    return {verdict.field: verdict for verdict in verdicts}


@pytest.mark.parametrize(
    ("filled", "verdict", "check"),
    [
        ("at conversion", "leak", "filled_by_outcome"),
        ("at the close", "leak", "filled_when_closed"),
        ("always", "ok", None),
        ("never", "ok", None),
        ("now and then", "ok", None),
    ],
)
def test_account_when_declared_known_from_creation_then_its_presence_is_judged(
    tmp_path, filled, verdict, check
):
    settings = settings_of()
    judged = verdicts_of(open_world(tmp_path, filled, settings))["account"]
    assert judged.verdict == verdict
    assert check is None or check in {finding.check for finding in judged.checks}
    names = {
        feature.name for feature in build_features(settings, leave_out=left_out([judged], settings))
    }
    assert ("account_won" in names) == (verdict == "ok")


def test_account_when_a_leak_is_kept_by_name_then_still_makes_features(tmp_path):
    settings = settings_of(**KEPT)
    judged = verdicts_of(open_world(tmp_path, "at conversion", settings))["account"]
    assert judged.verdict == "leak"
    assert left_out([judged], settings) == frozenset()


@pytest.mark.parametrize(
    "settings", [settings_of(history=True), settings_of(**UNKNOWN)], ids=["history", "no line"]
)
def test_account_when_its_moments_are_known_or_it_is_not_learned_then_it_is_not_judged(
    tmp_path, settings
):
    assert "account" not in verdicts_of(open_world(tmp_path, "at conversion", settings))
