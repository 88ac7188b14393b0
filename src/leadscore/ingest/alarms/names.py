"""The alarms that a person may accept, by name."""

from __future__ import annotations

from collections.abc import Iterable

from leadscore.errors import UserError
from leadscore.settings.rules import ALARMS
from leadscore.wording import listed, nearest


def check_names(names: Iterable[str]) -> None:
    """Refuse the name of an alarm that does not exist.

    Raises:
        UserError: there is none; the nearest is proposed.
    """
    for name in names:
        if name not in ALARMS:
            near = nearest(name, [*ALARMS])
            hint = f"did you mean {near!r}?" if near else f"known are {listed([*ALARMS])}"
            raise UserError(f"there is no alarm {name!r}; {hint}")
