"""How much time a search may take, counted from when the training began."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TimeLimit:
    """A number of seconds from when it was made; None for no limit.

    It measures a duration and never a date, so it reads no calendar.
    """

    seconds: float | None = None
    began: float = field(default_factory=time.monotonic)

    def left_s(self) -> float | None:
        """The seconds left, at least 0; None without a limit."""
        if self.seconds is None:
            return None
        elapsed = time.monotonic() - self.began
        return max(self.seconds - elapsed, 0.0)

    def is_over(self) -> bool:
        """Whether no time is left."""
        return self.left_s() == 0.0
