"""Keeps the standpoint that answers are given from: built beside the present one, then swapped.

An answer holds on to the standpoint that it began with, so no request is dropped or mixed when the
champion, the data or the moment change.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread

from leadscore.errors import LeadscoreError
from leadscore.project.signs import Signs, read_signs
from leadscore.project.standpoint import Standpoint, open_standpoint
from leadscore.results.serve import Standing
from leadscore.settings.settings import Settings
from leadscore.times import SECOND_US

STEP_US = 15 * 60 * SECOND_US  # scores are as of the end of the quarter of an hour
AHEAD_US = 60 * SECOND_US  # the next moment is prepared so long before it is needed
POLL_S = 2.0
logger = logging.getLogger(__name__)


class NotReadyError(LeadscoreError):
    """There is nothing to answer from yet, or no more."""


class Keeper:
    """The present standpoint of a project, renewed in the background.

    Args:
        settings: of the project.
        clock_us: gives now, in UTC microseconds.
        as_of_us: a fixed moment to score at; default: the end of the present quarter of an hour.
        poll_s: seconds between two looks at what may have changed.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock_us: Callable[[], int],
        as_of_us: int | None = None,
        poll_s: float = POLL_S,
    ) -> None:
        self.settings = settings
        self._clock_us = clock_us
        self._as_of_us = as_of_us
        self._poll_s = poll_s
        self._standpoint: Standpoint | None = None
        self._built_from: tuple[Signs, int] | None = None
        self._problem: str | None = "it is starting"
        self._stop = Event()
        self._thread = Thread(target=self._run, name="standpoint", daemon=True)

    def start(self) -> None:
        """Build the first standpoint and keep renewing it, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def standpoint(self) -> Standpoint:
        """What to answer from now.

        Raises:
            NotReadyError: says why there is nothing.
        """
        present = self._standpoint
        if present is None or self._is_past(present):
            raise NotReadyError(f"not ready: {self._problem}")
        return present

    def describe(self) -> Standing:
        """Whether it can answer, from what, and what is wrong."""
        present = self._standpoint
        if present is None:
            return Standing(ready=False, problem=self._problem)
        standing = present.describe()
        is_past = self._is_past(present)
        return standing.model_copy(update={"ready": not is_past, "problem": self._problem})

    def renew(self) -> bool:
        """Build and swap in a new standpoint if one is due; whether it was.

        A failure is noted, and the present one stays.
        """
        try:
            due = (read_signs(self.settings), self._next_moment())
            if due == self._built_from:
                return False
            self._standpoint = open_standpoint(self.settings, as_of_us=due[1])
        except LeadscoreError as e:
            self._note(str(e))
            return False
        except Exception as e:  # a bug must not end the renewing; the answers go on
            logger.exception("the list could not be renewed")
            self._note(f"{type(e).__name__} while renewing the list")
            return False
        self._built_from = due
        self._problem = None
        logger.info(
            "scoring with model %s as of %s", self._standpoint.model_version, self._standpoint.as_of
        )
        return True

    def _run(self) -> None:
        while not self._stop.is_set():
            self.renew()
            self._stop.wait(self._poll_s)

    def _note(self, problem: str) -> None:
        if problem != self._problem:
            logger.warning("%s", problem)
        self._problem = problem

    def _next_moment(self) -> int:
        """The moment to score at; a fixed one does not move."""
        if self._as_of_us is not None:
            return self._as_of_us
        steps = (self._clock_us() + AHEAD_US) // STEP_US
        return (steps + 1) * STEP_US

    def _is_past(self, standpoint: Standpoint) -> bool:
        """Whether time has gone on without it."""
        if self._as_of_us is not None:
            return False
        return standpoint.as_of_us <= self._clock_us()
