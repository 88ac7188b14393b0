import numpy as np
import pytest

from leadscore.ingest.mapping.local_time import local_to_utc


@pytest.mark.parametrize(
    ("shown", "zone", "first", "utc"),
    [
        ("2024-05-31T14:00", "Europe/Berlin", False, "2024-05-31T12:00"),
        # shown twice
        ("2024-10-27T02:30", "Europe/Berlin", True, "2024-10-27T00:30"),
        ("2024-10-27T02:30", "Europe/Berlin", False, "2024-10-27T01:30"),
        ("2018-11-04T00:00", "America/Havana", True, "2018-11-04T04:00"),
        # skipped: the moment of the change, where pandas 3.1 is up to an hour off
        ("1998-04-27T00:00", "Pacific/Pitcairn", True, "1998-04-27T08:30"),
        ("1991-10-20T00:00", "America/Argentina/Catamarca", True, "1991-10-20T04:00"),
        ("2024-09-29T02:45", "Pacific/Chatham", False, "2024-09-28T14:00"),
        # a day that was left out at the date line
        ("2011-12-30T12:00", "Pacific/Apia", False, "2011-12-30T10:00"),
    ],
)
def test_local_time_when_clocks_show_it_once_twice_or_never_then_one_moment_is_chosen(
    shown, zone, first, utc
):
    us = np.array([shown], dtype="datetime64[us]").astype(np.int64)
    read = local_to_utc(us, zone, first=first)
    assert str(read.astype("datetime64[us]")[0])[:16] == utc
