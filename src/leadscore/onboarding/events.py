"""Files whose rows happened to leads: which column names the lead, says when, and what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from leadscore.onboarding import words
from leadscore.onboarding.durations import Duration, find_duration
from leadscore.onboarding.links import (
    Link,
    find_link,
    is_of_other_record,
)
from leadscore.onboarding.people import lists_people, says_nobody
from leadscore.onboarding.profile import NOWHERE, Column, Profile, among, best, missing_share
from leadscore.onboarding.shared_ids import OVERLAP, find_ref, overlap
from leadscore.onboarding.split_cells import split_leads, split_people
from leadscore.onboarding.words import numbered
from leadscore.times import DAY_US

MOST_KINDS = 60  # of events
MOST_STRANGERS = 0.02  # the share of rows that may name no lead, and be rejects
MANY, MANY_SHARE = 10, 0.1  # people of a file that one mailing reaches at least, and their share
GOES_ON = 0.2  # the share of closing events after which something may still happen


@dataclass
class Events:
    """A file whose rows happened to leads."""

    profile: Profile
    ref: Column
    when: Column
    kind: Column | None
    value: Column | None = None  # of a history of fields, whose kinds are the fields
    id: Column | None = None
    duration: Duration | None = None
    strangers: float = 0.0  # the share of rows that name no lead
    link: Link | None = None  # of rows that name a contact or company in place of a lead
    words_for_none: list[str] = field(default_factory=list)  # in place of a lead

    @property
    def names_leads(self) -> bool:
        """Whether rows name leads, even if some name a contact or company instead."""
        return self.link is None or self.ref is not self.link.first.ref

    won: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        """What the source is called, or the view of those of its rows that reach leads."""
        name = self.profile.file.source
        has_view = self.has_strangers or self.link is not None
        return f"{name}_of_leads" if has_view else name

    @property
    def profiles(self) -> list[Profile]:
        """The file, and those by which its rows reach leads."""
        if self.link is None:
            return [self.profile]
        bridges = [] if self.link.bridge is None else [self.link.bridge.profile]
        return [self.link.leads, self.profile, *bridges]

    @property
    def lead_column(self) -> str:
        """The column that names leads, in the source or its view."""
        if self.link is None:
            return self.ref.name
        taken = {name.casefold() for name in self.profile.columns}
        return numbered("lead_id", taken)

    @property
    def has_strangers(self) -> bool:
        """Whether many rows are of other records than leads."""
        return self.strangers > MOST_STRANGERS

    @property
    def table(self) -> str:
        """The table that the rows belong to."""
        if self.link is not None:
            return "activities"
        if self.value is not None:
            return "changes"
        if self.kind is not None and not self.other_kinds():
            return "outcomes"
        if self.kind is not None and is_stage(self.kind):
            return "stages"
        return "activities"

    @property
    def seems_mailed(self) -> bool:
        """Whether most rows came to many at once, as newsletters do."""
        refs = self.ref.text.dictionary_encode()
        pairs = np.unique(np.stack([self.when.moments, refs.indices.to_numpy()]), axis=1)
        moments, counts = np.unique(pairs[0], return_counts=True)
        many = max(MANY, MANY_SHARE * len(refs.dictionary))
        crowded = moments[(counts >= many) & (moments > NOWHERE)]
        return bool(np.isin(self.when.moments, crowded).mean() > 0.5)

    def other_kinds(self) -> list[str]:
        """The kinds of event that close no lead, the commonest first."""
        if self.kind is None:
            return []
        closing = {*self.won, *self.lost}
        by_count = [value for value, _ in self.kind.values.most_common()]
        return [value for value in by_count if value not in closing]

    def ended_kinds(self) -> list[str]:
        """The stages that say that a lead has closed or was none, but not how it ended."""
        if self.table != "stages":
            return []
        return [value for value in self.other_kinds() if words.means_ended(value)]


def find_events(profile: Profile, leads: Profile, lead_id: Column | None) -> Events | None:
    """What a file says of leads, if its rows name them and have a date."""
    holds_more_leads = profile.columns.keys() == leads.columns.keys()
    if lead_id is None or holds_more_leads:
        return None
    ref = find_ref(profile, lead_id)
    events = None if ref is None else _read_events(profile, ref)
    if events is None:
        return None

    events.strangers = _share_of_strangers(events.ref, lead_id)
    kind = events.kind
    if kind is not None and events.value is None:
        ending = list(kind.values) if is_stage(kind) else _ending_values(events, kind)
        events.won = [value for value in ending if words.means_won(value)]
        events.lost = [value for value in ending if words.means_lost(value)]
    return events


def find_sources(
    profiles: Sequence[Profile], leads: Profile, lead_id: Column | None, *, is_dated: bool
) -> tuple[list[Events], list[Profile]]:
    """What files say of leads, and the files that are not used.

    A file that names no lead may name people. Only leads that are dated can be reached by them: of
    these a person has several.
    """
    sources: list[Events] = []
    for file in profiles:
        others = [other for other in profiles if other is not file]
        profile = file
        if is_dated and lead_id is not None:
            profile = split_leads(file, lead_id) or split_people(file, [leads, *others]) or file
        events = find_events(profile, leads, lead_id)
        is_sure = events is not None and not is_of_other_record(events.ref, leads, lead_id)
        if not is_dated or lead_id is None:
            pass
        elif events is not None and is_sure:
            _link_rest(events, leads, lead_id, others)
        else:
            of_numbers = None if lists_people(profile) else events
            events = _find_linked_events(profile, leads, lead_id, others) or of_numbers
        sources += [events] if events is not None else []
    read = [profile.original for events in sources for profile in events.profiles]
    unused = [profile for profile in profiles if not any(profile is used for used in read)]
    return sources, unused


def _find_linked_events(
    profile: Profile, leads: Profile, lead_id: Column, others: Sequence[Profile]
) -> Events | None:
    """The activities of a file whose rows name a contact or company of leads, and have a date."""
    link = find_link(profile, leads, lead_id, others)
    holds_more_leads = profile.columns.keys() == leads.columns.keys()
    if link is None or holds_more_leads:
        return None
    stages = [column for column in profile.columns.values() if is_stage(column)]
    events = _read_events(profile, link.first.ref, no_kinds=stages)
    if events is None or events.value is not None:
        return None  # a history of what a contact is, which is none of its leads
    events.link = link
    return events


def _link_rest(events: Events, leads: Profile, lead_id: Column, others: Sequence[Profile]) -> None:
    """Note how activities without the id of a lead reach leads, where many have none."""
    is_of_activities = events.table == "activities" and not events.won and not events.lost
    words_for_none = filter(says_nobody, events.ref.values.keys() - lead_id.values.keys())
    events.words_for_none = sorted(words_for_none)
    lacking = float(among(events.ref, ["", *events.words_for_none]).mean())
    if not is_of_activities or not events.has_strangers or lacking <= MOST_STRANGERS:
        return
    events.link = find_link(events.profile, leads, lead_id, others)
    if events.link is not None:
        events.strangers -= lacking


def _read_events(
    profile: Profile, ref: Column, *, no_kinds: Sequence[Column] = ()
) -> Events | None:
    """What a file says of that which a column names; None if no column says when."""
    dates = [column for column in profile.dates() if column is not ref]
    when = best(dates, when_score)
    if when is None:
        return None
    columns = profile.columns.values()
    others = [column for column in columns if column not in (ref, when)]
    kind = best([column for column in others if column not in no_kinds], kind_score)
    whole = profile.original.columns
    unique = [column for column in others if whole[column.name].is_unique and column is not kind]
    return Events(
        profile,
        ref,
        when,
        kind,
        value=_find_value(profile, kind),
        id=best(unique, lambda column: words.speaks_of(column.name, words.ID)),
        duration=find_duration(others),
    )


def _share_of_strangers(ref: Column, ids: Column) -> float:
    """The share of rows that name no lead; 0 where ids are written in another spelling."""
    if overlap(ref, ids, as_written=True) <= OVERLAP:
        return 0
    of_leads = among(ref, ids.values)
    return float((~of_leads).mean())


def when_score(column: Column) -> float:
    """When something was done says more than when it began or was entered; due is not done."""
    named = words.speaks_of(column.name, words.WHEN)
    done = words.speaks_of(column.name, words.DONE)
    due = words.speaks_of(column.name, words.DUE)
    return max(3 + named + 3 * done - 3 * due - 4 * missing_share(column), 0.1)


def _find_value(profile: Profile, kind: Column | None) -> Column | None:
    """The column of new values if the file is a history of fields, else None."""
    if kind is None or not words.speaks_of(kind.name, words.FIELD):
        return None
    columns = profile.columns.values()
    return best(columns, lambda column: words.speaks_of(column.name, words.NEW_VALUE))


def is_stage(kind: Column) -> bool:
    """Whether a column holds stages rather than kinds of activity."""
    return words.speaks_of(kind.name, words.STAGE) > 0


def _ending_values(events: Events, kind: Column) -> list[str]:
    """The kinds of event after which hardly any lead has events on a later day."""
    encoded = events.ref.text.dictionary_encode()
    refs = encoded.indices.to_numpy()
    days = events.when.moments // DAY_US
    last_day = np.full(len(encoded.dictionary), NOWHERE)
    np.maximum.at(last_day, refs, days)
    goes_on = days < last_day[refs] - 1

    ending = []
    for value in kind.values:
        is_value = among(kind, [value])
        if goes_on[is_value].mean() < GOES_ON:
            ending.append(value)
    return ending


def kind_score(column: Column) -> float:
    """How much a column looks like kinds of events, or stages; 0 if it is none."""
    kinds = len(column.values)
    is_few = 0 < kinds <= MOST_KINDS
    if not is_few or column.is_number or column.date_order is not None:
        return 0
    named_kind = words.speaks_of(column.name, words.KIND)
    if words.speaks_of(column.name, words.STAFF) and not named_kind:
        return 0  # who did it
    named_stage = words.speaks_of(column.name, words.STAGE)
    if kinds == 1 and not named_kind and not named_stage:
        return 0  # the same in every row: what the file is called after says more
    if all(words.speaks_of(value, words.OF_ACTIVITIES) for value in column.values):
        named_stage = 0  # whether it is done
    names_wins = any(map(words.means_won, column.values))
    named = named_kind + named_stage
    says_little = kinds == 1  # a subject that is always the same
    return 1 + 2 * named + names_wins - says_little - 0.01 * kinds
