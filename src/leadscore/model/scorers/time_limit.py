"""How much time a search may take, counted from when the training began."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TimeLimit:
    """So many seconds from when it was made; None for no limit.

    It measures how long something takes, never when it happened, so it reads no calendar.
    """

    seconds: float | None = None
    began: float = field(default_factory=time.monotonic)

    def left_s(self) -> float | None:
        """How many seconds are left, at least 0; None without a limit."""
        if self.seconds is None:
            return None
        return max(self.seconds - (time.monotonic() - self.began), 0.0)

    def is_over(self) -> bool:
        """Whether no time is left."""
        return self.left_s() == 0.0
