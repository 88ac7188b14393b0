"""The order of stages, from the histories of leads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np


def order_stages(
    refs: Sequence[str],
    moments: np.ndarray,
    stages: Sequence[str],
    known: Iterable[str] = (),
) -> list[str]:
    """Stages by the mean place at which leads first enter them; of equals, the commonest first.

    Args:
        refs: the lead of each row.
        moments: when it entered the stage, in UTC microseconds (n,).
        stages: which stage.
        known: stages whose order is known, and kept; unknown ones follow in theirs.

    >>> import numpy as np
    >>> order_stages(["1", "1", "2", "2"], np.array([1, 5, 2, 3]), ["New", "Offer", "New", "Demo"])
    ['New', 'Demo', 'Offer']
    """
    places: dict[str, list[int]] = {}
    seen: dict[str, list[str]] = {}
    for row in np.argsort(moments, kind="stable"):
        path = seen.setdefault(refs[row], [])
        stage = stages[row]
        if stage and stage not in path:
            path.append(stage)
            places.setdefault(stage, []).append(len(path))
    present = [stage for stage in known if stage in places]
    others = [stage for stage in places if stage not in present]

    def by_place(stage: str) -> tuple[float, int, str]:
        """The earlier on average first, then the more frequent."""
        return float(np.mean(places[stage])), -len(places[stage]), stage

    return present + sorted(others, key=by_place)
