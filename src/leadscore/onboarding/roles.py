"""Which file holds the leads, which column plays which part, and why we think so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from leadscore.onboarding import words
from leadscore.onboarding.closing_dates import ClosingDates, find_closing_dates
from leadscore.onboarding.events import Events, find_events, find_sources
from leadscore.onboarding.first_rows import find_first_rows
from leadscore.onboarding.flags import Flag, find_flag
from leadscore.onboarding.outcomes import find_outcome
from leadscore.onboarding.profile import Column, Profile, among, best, missing_share
from leadscore.onboarding.repeated_rows import without_repeats
from leadscore.onboarding.shared_ids import OVERLAP, count_named

MOSTLY = 0.95
CURRENCY_SIGN = re.compile("[$£€¥₩₹₽]")


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
    closing: ClosingDates | None = None
    won: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    flag: Flag | None = None

    @property
    def source(self) -> str:
        """What the source is called."""
        return self.profile.file.source

    def parts(self) -> set[str]:
        """The names of columns that play a part."""
        columns = [self.id, self.created, self.outcome, self.amount, self.owner, *self.ends()]
        columns += [self.flag.column] if self.flag else []
        return {column.name for column in columns if column is not None}

    def ends(self) -> list[Column]:
        """The columns that say when leads closed."""
        if self.closing is not None:
            return [self.closing.won, self.closing.lost]
        return [self.closed] if self.closed is not None else []

    def is_won(self) -> np.ndarray:
        """Which leads (n,) the outcome says were won."""
        return self._ended_as(
            self.won, is_flagged=self.flag is not None and not self.flag.is_of_losses
        )

    def is_lost(self) -> np.ndarray:
        """Which leads (n,) the outcome says were lost."""
        return self._ended_as(self.lost, is_flagged=self.flag is not None)

    def _ended_as(self, values: list[str], *, is_flagged: bool) -> np.ndarray:
        if self.outcome is None:
            return np.zeros(self.profile.rows, dtype=bool)
        has_value = among(self.outcome, values)
        return has_value & self.flag.is_set() if self.flag and is_flagged else has_value

    def open_values(self) -> list[str]:
        """The values of the outcome that mean neither won nor lost, the commonest first."""
        if self.outcome is None:
            return []
        closing = {*self.won, *self.lost}
        by_count = [value for value, _ in self.outcome.values.most_common()]
        return [value for value in by_count if value not in closing]

    def ended_values(self) -> list[str]:
        """The values that mean neither won nor lost, but of leads that seem to have ended.

        Nearly all of them have a close date, which other leads that are open have not; or they are
        called so.
        """
        if self.outcome is None:
            return []
        values = self.open_values()
        dated = {value: self._share_closed(self.outcome, value) for value in ["", *values]}
        lacking = [value for value, share in dated.items() if share <= OVERLAP]
        some_lack_it = among(self.outcome, lacking).mean() > 1 - MOSTLY  # more than a row of totals
        return [
            value
            for value in values
            if words.means_ended(value) or (some_lack_it and dated[value] >= MOSTLY)
        ]

    def _share_closed(self, outcome: Column, value: str) -> float:
        """The share of the leads with a value of the outcome that have a close date; 1 without any."""
        rows = among(outcome, [value])
        if not rows.any():
            return 1.0
        shares = [column.share_dated(rows) for column in self.ends()]
        return sum(shares)  # of two columns a lead has one

    def has_outcomes(self) -> bool:
        """Whether something says which leads were won and which lost."""
        return self.outcome is not None or self.closing is not None


@dataclass
class Roles:
    """What all files are, with what is left over."""

    leads: Leads
    events: list[Events]
    unused: list[Profile]


def find_roles(profiles: Sequence[Profile]) -> Roles:
    """What the files of one company are."""
    profiles = [without_repeats(profile) for profile in profiles]
    candidates = []
    for profile in profiles:
        others = [other for other in profiles if other is not profile]
        candidates.append(_find_leads(find_first_rows(profile) or profile, others))
    leads = max(candidates, key=lambda one: _score(one, profiles))
    others = [profile for profile in profiles if profile is not leads.profile]
    is_dated = leads.created is not None
    events, unused = find_sources(others, leads.profile, leads.id, is_dated=is_dated)
    return Roles(leads, events, unused)


def _find_leads(profile: Profile, others: Sequence[Profile]) -> Leads:
    """The parts that columns of a file would play if its rows were the leads."""
    leads = Leads(profile)
    columns = list(profile.columns.values())
    leads.id = _find_id(columns, others)

    outcome = find_outcome([column for column in columns if column is not leads.id])
    if outcome is not None:
        leads.outcome = outcome.column
        leads.won = outcome.won
        leads.lost = outcome.lost
        leads.flag = find_flag(columns, outcome.column, outcome.won, outcome.lost)

    dates = [column for column in profile.dates() if column is not leads.id]
    leads.created = best(dates, lambda column: _created_score(column, dates))
    later = [column for column in dates if column is not leads.created]
    leads.closing = _find_closing(later, leads)
    if leads.closing is None:
        leads.closed = best(later, lambda column: _closed_score(column, leads))

    rest = [column for column in columns if column.name not in leads.parts()]
    leads.amount = best(rest, _amount_score)
    rest = [column for column in rest if column is not leads.amount]
    leads.owner = best(rest, _owner_score)
    return leads


def _find_id(columns: Sequence[Column], others: Sequence[Profile]) -> Column | None:
    """The unique column by which other files name the leads; else the one called most like an id."""
    unique = [column for column in columns if column.is_unique]
    ids = ids_by_name(unique)
    if len(ids) < 2 or not others:
        return best(unique, _id_score)

    def score(column: Column) -> float:
        """Files that name it, before its own name."""
        named = sum(count_named(other, column) for other in others)
        return 100 * named + _id_score(column)

    return best(ids, score)


def ids_by_name(columns: Sequence[Column]) -> list[Column]:
    """The unique columns that are called like an id, and not like that of a company or person."""
    keys = " ".join(words.KEYS.values())
    return [
        column
        for column in columns
        if column.is_unique
        and words.speaks_of(column.name, words.NUMBER)
        and not words.is_called(column.name, keys)
        and _id_score(column) > 0
    ]


def _id_score(column: Column) -> float:
    """A unique column is an id by its name, or if its values are neither dates nor prose."""
    if column.date_order is not None or column.is_prose:
        return 0
    named = words.speaks_of(column.name, words.NUMBER)
    of_record = words.speaks_of(column.name, words.RECORD)
    is_own = words.consists_of(column.name, words.OWN_ID)
    if not named and _amount_score(column):
        return 0
    return 1 + 2 * named + of_record + 2 * is_own - 3 * column.is_personal


def _created_score(column: Column, dates: Sequence[Column]) -> float:
    """Created is the date that every row has, before all others."""
    named_created = words.speaks_of(column.name, words.CREATED)
    named_closed = words.speaks_of(column.name, words.CLOSED)
    named = named_created - named_closed
    if named < 0:
        return 0
    others = [other for other in dates if other is not column]
    is_first = all(is_before(column, other) for other in others)
    return 2 * named + 2 * is_first + 1 - 4 * missing_share(column)


def is_before(column: Column, other: Column) -> bool:
    """Whether one date is hardly ever later than another."""
    has_both = column.has_moment & other.has_moment
    if not has_both.any():
        return True
    is_later = column.moments[has_both] > other.moments[has_both]
    return float((~is_later).mean()) >= MOSTLY


def _closed_score(column: Column, leads: Leads) -> float:
    """Closed is a date that follows creation, and that closed leads have more often."""
    if leads.created is None or not is_before(leads.created, column):
        return 0
    named = words.speaks_of(column.name, words.CLOSED)
    if leads.outcome is None:
        return named

    is_closed = leads.is_won() | leads.is_lost()
    share_of_closed = column.share_dated(is_closed)
    share_of_open = 0.0
    if not is_closed.all():
        share_of_open = column.share_dated(~is_closed)

    follows = share_of_closed - share_of_open
    if not named and says_stage_changed(column):
        return 1
    if not named and follows <= OVERLAP:
        return 0
    is_forecast = min(words.speaks_of(column.name, words.EXPECTED), 1)
    return max(2 * named + 3 * follows - 2 * is_forecast, 0.1)  # a forecast is better than none


def says_stage_changed(column: Column) -> bool:
    """Whether a date says by its name when the stage last changed, which closed leads did by closing."""
    of_stage = words.speaks_of(column.name, words.STAGE)
    return bool(of_stage and words.speaks_of(column.name, words.CHANGED))


def _find_closing(dates: Sequence[Column], leads: Leads) -> ClosingDates | None:
    """A column of dates of wins and one of losses, where an outcome does not contradict them."""
    closing = find_closing_dates(dates)
    if closing is None or leads.outcome is None:
        return closing
    won_are_dated = closing.won.share_dated(leads.is_won()) >= MOSTLY
    lost_are_dated = closing.lost.share_dated(leads.is_lost()) >= MOSTLY
    return closing if won_are_dated and lost_are_dated else None


def _amount_score(column: Column) -> float:
    if not column.is_number or column.date_order is not None:
        return 0
    if words.speaks_of(column.name, words.NO_AMOUNT):
        return 0
    return 2 * names_amount(column) + names_money(column)


def names_amount(column: Column) -> int:
    """How many words of a column's name are called like amounts; 0 if one says that it is none."""
    if words.speaks_of(column.name, words.NO_AMOUNT):
        return 0
    return words.speaks_of(column.name, words.AMOUNT)


def names_money(column: Column) -> bool:
    """Whether the name of a column of numbers, or its values, have a currency."""
    return CURRENCY_SIGN.search(column.name) is not None or not column.is_plain_number


def _owner_score(column: Column) -> float:
    repeats = bool(column.values) and len(column.values) < column.filled / 2
    if not repeats:
        return 0
    return words.speaks_of(column.name, words.OWNER)


def _score(leads: Leads, profiles: Sequence[Profile]) -> float:
    """How much a file looks like that of leads: by its parts, and by files that refer to it."""
    parts = (leads.outcome, leads.created, leads.closed, leads.amount, leads.owner)
    points = float(sum(part is not None for part in parts))
    points += 2 * (leads.id is not None)
    points += 2 * leads.has_outcomes()
    points += words.speaks_of(leads.profile.stem, f"{words.ID} leads deals pipeline")
    for profile in profiles:
        if profile is leads.profile:
            continue
        events = find_events(profile, leads.profile, leads.id)
        points += 2 * (events is not None)
    return points
