"""The challenger's lists in shadow beside the published ones, as part of `Monitored`."""

from __future__ import annotations

from leadscore.results.base import Interval, Result


class ShadowComparison(Result):
    """What came of the lists that a challenger wrote in shadow, on the leads that both lists had.

    Attributes:
        model_version: of the challenger that wrote the latest of them.
        lists, leads: settled, of that version.
        won: the win rate of these leads.
        predicted, predicted_in_shadow: the mean probability of either.
        gain: by how much the challenger's log loss is lower, in nats; None unless some leads were
            won, and some were not.
    """

    model_version: str
    lists: int
    leads: int
    won: float | None
    predicted: float | None
    predicted_in_shadow: float | None
    gain: Interval | None
