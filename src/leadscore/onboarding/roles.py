"""Which file holds the leads, which column plays which part, and why we think so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from leadscore.onboarding import words
from leadscore.onboarding.profile import Column, Profile, missing_share
from leadscore.settings.id_kinds import ID_KINDS, IdKind
from leadscore.times import DAY_US

NOWHERE = np.iinfo(np.int64).min
MOST_OUTCOMES = 40  # distinct values of a column that may hold outcomes or stages
MOST_KINDS = 60  # of events
OVERLAP = 0.5  # the share of an events file's ids that are leads
MOSTLY = 0.95
GOES_ON = 0.2  # the share of closing events after which something may still happen


@dataclass
class Leads:
    """The file of leads, and the columns that play a part in it; None where there is none."""

    profile: Profile
    id: Column | None = None
    created: Column | None = None
    closed: Column | None = None
    outcome: Column | None = None
    amount: Column | None = None
    owner: Column | None = None
    won: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        """What the source is called."""
        return self.profile.file.source

    def parts(self) -> set[str]:
        """The names of columns that play a part."""
        columns = (self.id, self.created, self.closed, self.outcome, self.amount, self.owner)
        return {column.name for column in columns if column is not None}


@dataclass
class Events:
    """A file whose rows happened to leads."""

    profile: Profile
    ref: Column
    when: Column
    kind: Column | None
    value: Column | None = None  # of a history of fields, whose kinds are the fields
    won: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        """What the source is called."""
        return self.profile.file.source

    @property
    def table(self) -> str:
        """The table that the rows belong to."""
        if self.value is not None:
            return "changes"
        if self.kind is not None and not self.other_kinds():
            return "outcomes"
        return "stages" if self.kind is not None and is_stage(self.kind) else "activities"

    def other_kinds(self) -> list[str]:
        """The kinds of event that close no lead, the commonest first."""
        if self.kind is None:
            return []
        closing = {*self.won, *self.lost}
        return [value for value, _ in self.kind.values.most_common() if value not in closing]


@dataclass
class Roles:
    """What all files are, with what is left over."""

    leads: Leads
    events: list[Events]
    unused: list[Profile]


def find_roles(profiles: Sequence[Profile]) -> Roles:
    """What the files of one company are."""
    candidates = [_find_leads(profile) for profile in profiles]
    leads = max(candidates, key=lambda one: _score(one, profiles))
    events, unused = [], []
    for profile in profiles:
        if profile is leads.profile:
            continue
        source = _find_events(profile, leads)
        if source is None:
            unused.append(profile)
        else:
            events.append(source)
    return Roles(leads, events, unused)


def _find_leads(profile: Profile) -> Leads:
    """The parts that columns of a file would play if its rows were the leads."""
    leads = Leads(profile)
    columns = list(profile.columns.values())
    leads.id = _best([column for column in columns if column.is_unique], _id_score)
    leads.outcome, leads.won, leads.lost = _find_outcome(columns, leads)
    dates = [column for column in profile.dates() if column is not leads.id]
    leads.created = _best(dates, lambda column: _created_score(column, dates))
    later = [column for column in dates if column is not leads.created]
    leads.closed = _best(later, lambda column: _closed_score(column, leads))
    rest = [column for column in columns if column.name not in leads.parts()]
    leads.amount = _best(rest, _amount_score)
    rest = [column for column in rest if column is not leads.amount]
    leads.owner = _best(rest, _owner_score)
    return leads


def _best(columns: Iterable[Column], score: Callable[[Column], float]) -> Column | None:
    """The column with the highest score above 0; of equals, the first."""
    scored = [(score(column), column) for column in columns]
    highest = max((points for points, _ in scored), default=0)
    if highest <= 0:
        return None
    return next(column for points, column in scored if points == highest)


def _id_score(column: Column) -> float:
    """A unique column is an id by its name, or if its values are neither dates nor prose."""
    if column.date_order is not None or column.is_prose:
        return 0
    return 1 + 2 * words.speaks_of(column.name, words.ID) - 3 * column.is_personal


def _find_outcome(
    columns: Sequence[Column], leads: Leads
) -> tuple[Column | None, list[str], list[str]]:
    """The column that says won and lost, and the values that say so."""
    found = []
    for column in columns:
        if column is leads.id or not 1 < len(column.values) <= MOST_OUTCOMES:
            continue
        won = [value for value in column.values if words.means_won(value)]
        lost = [value for value in column.values if words.means_lost(value)]
        named = words.speaks_of(column.name, f"{words.OUTCOME} {words.WON}")
        if not (won and lost) and named and len(column.values) == 2:
            won = [value for value in column.values if value.casefold() in words.YES]
            lost = [value for value in column.values if value.casefold() in words.NO]
        if won and lost:
            found.append((2 * named - len(column.values) / MOST_OUTCOMES, column, won, lost))
    if not found:
        return None, [], []
    _, column, won, lost = max(found, key=lambda one: one[0])
    return column, won, lost


def _created_score(column: Column, dates: Sequence[Column]) -> float:
    """Created is the date that every row has, before all others."""
    named = words.speaks_of(column.name, words.CREATED) - words.speaks_of(column.name, words.CLOSED)
    if named < 0:
        return 0
    first = all(_is_before(column, other) for other in dates if other is not column)
    return 2 * named + 2 * first + 1 - 4 * missing_share(column)


def _is_before(column: Column, other: Column) -> bool:
    """Whether one date is hardly ever later than another."""
    both = (column.moments > NOWHERE) & (other.moments > NOWHERE)
    if not both.any():
        return True
    return float((column.moments[both] <= other.moments[both]).mean()) >= MOSTLY


def _closed_score(column: Column, leads: Leads) -> float:
    """Closed is a date that follows creation, and that closed leads have more often."""
    if leads.created is None or not _is_before(leads.created, column):
        return 0
    named = words.speaks_of(column.name, words.CLOSED)
    if leads.outcome is None:
        return named
    is_closed = among(leads.outcome, [*leads.won, *leads.lost])
    has_date = column.moments > NOWHERE
    follows = float(has_date[is_closed].mean()) - (
        float(has_date[~is_closed].mean()) if (~is_closed).any() else 0.0
    )
    return 2 * named + 2 * follows if named or follows > OVERLAP else 0


def among(column: Column, values: Iterable[str]) -> np.ndarray:
    """Which rows (n,) have one of the values."""
    return np.isin(column.text.to_numpy(zero_copy_only=False), list(values))


def _amount_score(column: Column) -> float:
    if not column.is_number or column.date_order is not None:
        return 0
    if words.speaks_of(column.name, words.NO_AMOUNT):
        return 0
    return words.speaks_of(column.name, words.AMOUNT)


def _owner_score(column: Column) -> float:
    repeats = bool(column.values) and len(column.values) < column.filled / 2
    return words.speaks_of(column.name, words.OWNER) if repeats else 0


def _score(leads: Leads, profiles: Sequence[Profile]) -> float:
    """How much a file looks like that of leads: by its parts, and by files that refer to it."""
    parts = (leads.outcome, leads.created, leads.closed, leads.amount, leads.owner)
    points = 2.0 * (leads.id is not None) + sum(part is not None for part in parts)
    points += 2 * (leads.outcome is not None)
    points += words.speaks_of(leads.profile.stem, words.ID + " leads deals pipeline")
    others = [profile for profile in profiles if profile is not leads.profile]
    return points + 2 * sum(_find_events(profile, leads) is not None for profile in others)


def _find_events(profile: Profile, leads: Leads) -> Events | None:
    """What a file says of leads, if its rows name them and have a date."""
    holds_more_leads = profile.columns.keys() == leads.profile.columns.keys()
    if leads.id is None or holds_more_leads:
        return None
    ref = _best(profile.columns.values(), lambda column: overlap(column, leads.id) - OVERLAP)
    if ref is None:
        return None
    dates = [column for column in profile.dates() if column is not ref]
    when = _best(dates, lambda column: 1 + words.speaks_of(column.name, words.WHEN))
    if when is None:
        return None
    kind = _best(
        (column for column in profile.columns.values() if column not in (ref, when)), _kind_score
    )
    events = Events(profile, ref, when, kind, value=_find_value(profile, kind))
    if kind is not None and events.value is None:
        ending = list(kind.values) if is_stage(kind) else _ending_values(events, kind)
        events.won = [value for value in ending if words.means_won(value)]
        events.lost = [value for value in ending if words.means_lost(value)]
    return events


def _find_value(profile: Profile, kind: Column | None) -> Column | None:
    """The new value in a history of fields, or None if it is none."""
    if kind is None or not words.speaks_of(kind.name, words.FIELD):
        return None
    return _best(
        profile.columns.values(), lambda column: words.speaks_of(column.name, words.NEW_VALUE)
    )


def is_stage(kind: Column) -> bool:
    """Whether a column holds stages rather than kinds of activity."""
    return words.speaks_of(kind.name, words.STAGE) > 0


def _ending_values(events: Events, kind: Column) -> list[str]:
    """The kinds of event after which hardly any lead has events on a later day."""
    refs = events.ref.text.dictionary_encode().indices.to_numpy()
    days = events.when.moments // DAY_US
    last_day = np.full(int(refs.max()) + 1, NOWHERE)
    np.maximum.at(last_day, refs, days)
    goes_on = days < last_day[refs] - 1
    return [value for value in kind.values if goes_on[among(kind, [value])].mean() < GOES_ON]


def overlap(column: Column, ids: Column | None) -> float:
    """The share of a column's values that are ids of leads, in whichever spelling."""
    if ids is None or not column.values:
        return 0
    exact = len(column.values.keys() & ids.values.keys()) / len(column.values)
    if exact > OVERLAP:
        return exact
    return max(exact, *(_overlap_by(kind, column, ids) for kind in ID_KINDS))


def _overlap_by(kind: IdKind, column: Column, ids: Column) -> float:
    ours, theirs = column.spellings.get(kind), ids.spellings.get(kind)
    if not ours or not theirs:
        return 0
    return len(ours & theirs) / len(ours)


def kind_of_ids(leads: Leads, events: Sequence[Events]) -> IdKind | None:
    """The kind of id by which files of events name leads, where they spell the ids otherwise."""
    if leads.id is None:
        return None
    for one in events:
        exact = len(one.ref.values.keys() & leads.id.values.keys()) / len(one.ref.values)
        best = max(ID_KINDS, key=lambda kind: _overlap_by(kind, one.ref, leads.id or one.ref))
        if exact <= OVERLAP < _overlap_by(best, one.ref, leads.id):
            return best
    return None


def _kind_score(column: Column) -> float:
    is_kind = 0 < len(column.values) <= MOST_KINDS and not column.is_number
    if not is_kind or column.date_order is not None:
        return 0
    named = words.speaks_of(column.name, words.KIND) + words.speaks_of(column.name, words.STAGE)
    outcomes = any(words.means_won(value) for value in column.values)
    return 1 + 2 * named + outcomes - 0.01 * len(column.values)
