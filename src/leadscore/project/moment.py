"""The ways in which a caller of the Python API may say a moment."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np

from leadscore.errors import TimeFormatError
from leadscore.times import parse_moment

# A date or time, UTC microseconds (also as numpy and pandas have them), or None for known_until.
Moment = str | date | datetime | int | np.integer | None


def moment_us(moment: Moment, *, zone: str) -> int | None:
    """A moment in UTC microseconds; text without a zone is in `zone`.

    Raises:
        TimeFormatError: it is no moment.
    """
    if moment is None:
        return None
    if isinstance(moment, bool):  # which Python takes for an integer
        raise TimeFormatError(moment)
    if isinstance(moment, int | np.integer):
        return int(moment)
    return parse_moment(moment, zone=zone)
