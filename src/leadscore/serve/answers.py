"""Answers to an agent's questions, read from the published list; nothing is changed.

What people wrote in the CRM comes out as {"crm_text": ...}: an agent must take it as data, whatever
it says.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping
from typing import Any

from leadscore.errors import UserError
from leadscore.project.explaining import read_list
from leadscore.project.project import Project
from leadscore.proposals import propose
from leadscore.publish.publication import Publication
from leadscore.results.serve import Answer, Replay

MOST_LEADS = 100
MOST_FACTS = 50  # of a lead, the latest
CRM_TEXT = "crm_text"
# Written by leadscore from a fixed set of words, or an identifier of its own.
OWN_WORDS = {
    "as_of", "by", "currency", "end", "happened", "known", "model_version", "name", "period",
    "project", "publication_id", "qualification", "start", "store_version", "table", "tier",
    "trend",
}  # fmt: skip
PLAIN_ID = re.compile(r"[\w.:|][\w.:|-]{0,63}", re.ASCII)  # no sentence, and no option


def list_top_leads(project: Project, *, n: int, tier: str | None) -> Answer:
    """The first leads of the published list, with their reasons.

    Raises:
        UserError: nothing is published, or `n` is out of range.
    """
    if not 1 <= n <= MOST_LEADS:
        raise UserError(f"n must be from 1 to {MOST_LEADS}, got {n}")
    publication, scores = read_list(project.settings, None)
    rows = scores.drop_columns(["as_of"]).to_pylist()
    of_tier = [row for row in rows if tier is None or row["tier"] == tier]
    leads = [_summarise(row) for row in of_tier[:n]]
    return _answer(publication, {"leads": leads, "open_leads": len(rows)}, command="status")


def explain_lead(project: Project, lead_id: str) -> Answer:
    """Why a lead has its score: what each group of features adds, its facts and earlier scores."""
    publication, row = _find_row(project, lead_id)
    explained = project.explain(lead_id, publication_id=publication.id).to_dict()
    groups = [
        {"group": group["group"], "points": group["points"], "summary": group["summary"]}
        for group in explained["groups"]
    ]
    data = {
        **_summarise(row),
        "base_probability": explained["start_probability"],
        "groups": groups,
        "facts": explained["facts"][-MOST_FACTS:],
        "past": explained["past"],
    }
    return _answer(publication, data, lead_id=lead_id)


def describe_change(project: Project, lead_id: str) -> Answer:
    """How the probability of a lead changed since the previous list, and why."""
    publication, row = _find_row(project, lead_id)
    names = ("win_probability", "change", "change_points", "trend")
    data = {name: row[name] for name in names}
    data["previous_publication_id"] = publication.manifest["previous"]
    return _answer(publication, data, lead_id=lead_id)


def choose_question(project: Project, lead_id: str) -> Answer:
    """What to ask a lead next, and how likely the answer changes what is done with it."""
    publication, row = _find_row(project, lead_id)
    names = ("next_question", "next_question_gain", "bant", "qualification", "qualification_rule")
    data = {name: row[name] for name in names}
    return _answer(publication, data, lead_id=lead_id)


def forecast(project: Project, *, by: Any, periods: int) -> Answer:
    """Wins and revenue of this period and the next ones, as of the published list."""
    publication, _ = read_list(project.settings, None)
    as_of = publication.manifest["as_of"]
    outlook = project.forecast(as_of, by=by, periods=periods).to_dict()
    command = f"forecast --as-of {as_of} --by {by} --periods {periods}"
    return _answer(publication, outlook, command=command)


def _find_row(project: Project, lead_id: str) -> tuple[Publication, dict[str, Any]]:
    """The published list and the lead's row of it.

    Raises:
        UserError: the lead is not on it.
    """
    publication, scores = read_list(project.settings, None)
    for row in scores.drop_columns(["as_of"]).to_pylist():
        if row["lead_id"] == lead_id:
            return publication, row
    raise UserError(
        "this lead is not on the published list: it was not open then, or does not exist"
    )


def _summarise(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a list shows of a lead at a glance."""
    names = ("lead_id", "win_probability", "score", "tier", "expected_value", "qualification")
    summary = {name: row[name] for name in names}
    return {
        **summary,
        "reasons": {side: _list_reasons(row, side) for side in ("up", "down")},
        "suggested_action": row["suggested_action"],
    }


def _list_reasons(row: Mapping[str, Any], side: str) -> list[str]:
    reasons = [row[f"reason_{side}_{place}"] for place in (1, 2, 3)]
    return [reason for reason in reasons if reason]


def _answer(
    publication: Publication,
    data: Mapping[str, Any],
    *,
    lead_id: str | None = None,
    command: str | None = None,
) -> Answer:
    is_plain = lead_id is not None and PLAIN_ID.fullmatch(lead_id)
    identity = f"{publication.id}/{lead_id}" if is_plain else publication.id
    named = lead_id if is_plain else None
    if command is None:
        command = shlex.join(["replay", publication.id, named or "LEAD_ID"])
    return Answer(
        replay=Replay(
            id=identity,
            publication_id=publication.id,
            lead_id=named,
            command=propose(command),
        ),
        as_of=publication.manifest["as_of"],
        data=mark(data, own=OWN_WORDS),
    )


def mark(value: Any, *, own: Collection[str], name: str = "") -> Any:
    """The same with every text that people may have written as {"crm_text": text}.

    Args:
        value: JSON.
        own: names of entries whose text is leadscore's own.
        name: of the entry that the value stands in.
    """
    if isinstance(value, Mapping):
        return {key: mark(part, own=own, name=key) for key, part in value.items()}
    if isinstance(value, list):
        return [mark(part, own=own, name=name) for part in value]
    if not isinstance(value, str) or name in own:
        return value
    is_plain = name.endswith("_id") and PLAIN_ID.fullmatch(value)
    return value if is_plain or not value else {CRM_TEXT: value}
