"""What a history that began at a moment has seen, and from when it is enough, worked by hand."""

import pandas as pd
import pytest

from leadscore.audit.enough import Outcomes, judge_history
from leadscore.times import DAY_US, FOREVER_US

HORIZON = 30


def spells(*rows):
    """Spells of leads 0, 1, ...: day of the start, day of the close or None, whether won."""
    columns = ["lead_id", "spell", "start_us", "close_us", "won"]
    listed = [
        (f"{i}", 1, start * DAY_US, FOREVER_US if close is None else close * DAY_US, won)
        for i, (start, close, won) in enumerate(rows)
    ]
    return pd.DataFrame(listed, columns=columns)


def judge(rows, *, since, known, least):
    return judge_history(
        spells(*rows),
        since_us=since * DAY_US,
        known_us=known * DAY_US,
        horizon_us=HORIZON * DAY_US,
        least=least,
    )


ROWS = [
    (0, 20, True),  # closed before
    (0, 50, False),  # closed before
    (40, 110, True),  # open when it began, won 10 days later
    (90, 120, False),  # open when it began, lost
    (150, 155, True),
    (100, None, False),  # open for longer than the horizon
    (195, None, False),  # nothing to learn from yet
]


def test_history_when_leads_closed_before_it_then_they_are_lost_and_the_others_are_counted():
    seen = judge(ROWS, since=100, known=200, least=1)
    assert seen.closed_before == Outcomes(won=1, not_won=1)
    assert seen.created_before == 2
    assert seen.listed == 5
    assert seen.labelled == Outcomes(won=2, not_won=2)
    assert (seen.is_enough, seen.enough_us) == (True, 200 * DAY_US)


@pytest.mark.parametrize(
    ("since", "least", "day"),
    [
        pytest.param(100, 2, 200, id="enough"),
        # 3 wins in 200 days: one more in 66.7 days; not won in time were 4: one more in 50 days
        pytest.param(100, 3, 200 + 200 / 3, id="one more of both"),
        pytest.param(190, 0, 220, id="no whole horizon yet"),
        # nothing was won since day 190: two more wins take 133.3 days, and 20 of the horizon are left
        pytest.param(190, 2, 200 + 400 / 3 + 20, id="begun just now"),
    ],
)
def test_history_when_too_little_closed_then_the_date_follows_from_the_present_rate(
    since, least, day
):
    seen = judge(ROWS, since=since, known=200, least=least)
    assert seen.enough_us == pytest.approx(day * DAY_US, abs=2)
    assert seen.is_enough == (day == 200)


def test_history_when_nothing_was_won_in_the_last_year_then_no_date_can_be_given():
    seen = judge([(0, 10, True), (0, 20, False), (400, None, False)], since=390, known=500, least=5)
    assert (seen.enough_us, seen.is_enough) == (None, False)


def test_history_when_there_is_no_lead_then_nothing_is_counted():
    seen = judge([], since=0, known=10, least=1)
    assert (seen.listed, seen.labelled, seen.enough_us) == (0, Outcomes(0, 0), None)
