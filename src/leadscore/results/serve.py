"""The score of one lead, as the service and agents are given it."""

from __future__ import annotations

from typing import Any

from leadscore.results.base import Result


class LeadScore(Result):
    """One lead scored as on a list of that moment.

    Attributes:
        project: the project.
        lead_id: the lead.
        as_of: the moment of the score.
        model_version: the champion that scored.
        store_version: what else was known, of all other leads.
        stored: whether the lead is in the store, rather than stated with the question.
        score: the lead's row of the list, without lead_id and as_of.
        warnings: what was stated and counts for nothing, and what the lead keeps from being known.
    """

    project: str
    lead_id: str
    as_of: str
    model_version: str
    store_version: str
    stored: bool
    score: dict[str, Any]
    warnings: list[str]


class Standing(Result):
    """What a service answers from.

    Attributes:
        ready: whether it can answer.
        problem: why it cannot, or why it still answers from an earlier list; None if all is well.
        as_of: the moment of its scores.
        model_version: the champion that scores.
        store_version: the data that it knows.
        open_leads: how many stored leads are open.
    """

    ready: bool
    problem: str | None
    as_of: str | None = None
    model_version: str | None = None
    store_version: str | None = None
    open_leads: int | None = None


class Replay(Result):
    """How an answer can be had again.

    Attributes:
        id: the publication, and the lead if it is about one: publication/lead.
        publication_id: the list.
        lead_id: the lead; None where the answer is about no single one, or its id could hold a
            sentence, which an agent must not follow.
        command: that gives the same again, at a terminal.
    """

    id: str
    publication_id: str
    lead_id: str | None
    command: str


class Answer(Result):
    """What an agent is told.

    Attributes:
        replay: how to have it again.
        as_of: the moment that it speaks of.
        data: the answer; text from the CRM stands in objects {"crm_text": ...}.
    """

    replay: Replay
    as_of: str | None
    data: dict[str, Any]
