"""How much the top of the list changes from one model to another."""

from __future__ import annotations

import numpy as np

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix, build_features, build_matrix
from leadscore.history.split import History
from leadscore.model.apply import WinModel

TOP_SHARE = 0.1


def compare_lists(
    history: History,
    champion: WinModel,
    challenger: WinModel,
    *,
    as_of_us: int,
) -> dict[str, int] | None:
    """How many leads of the champion's first tenth of the list `stay` in the challenger's, `of` n.

    None if nobody is open, or the settings no longer declare the features of one of the models.
    """
    rows = history.open_list(as_of_us)
    n = int(np.ceil(TOP_SHARE * len(rows)))
    our_features = _declared_features(history, challenger)
    their_features = _declared_features(history, champion)
    if not n or our_features is None or their_features is None:
        return None

    theirs = build_matrix(history.snapshot(rows), their_features)
    ours = theirs
    if _fingerprints(our_features) != _fingerprints(their_features):
        ours = build_matrix(history.snapshot(rows), our_features)
    their_top = _find_top(champion, theirs, n)
    our_top = _find_top(challenger, ours, n)
    return {"stay": len(their_top & our_top), "of": n}


def _declared_features(history: History, model: WinModel) -> list[Feature] | None:
    """The features of a model as the settings declare them; None if they differ by now."""
    left_out = frozenset(model.document.get("left_out", ()))
    features = build_features(history.settings, leave_out=left_out)
    entries = model.document["features"]
    learned = [(entry["name"], entry["fingerprint"]) for entry in entries]
    return features if learned == _fingerprints(features) else None


def _fingerprints(features: list[Feature]) -> list[tuple[str, str]]:
    return [(feature.name, feature.fingerprint()) for feature in features]


def _find_top(model: WinModel, matrix: Matrix, n: int) -> set[str]:
    """The first n leads by probability, then log-odds, then id."""
    log_odds = model.log_odds(matrix.columns)
    probability = model.probability(log_odds)
    lead_id = matrix.keys["lead_id"].to_numpy(dtype=object)
    order = np.lexsort((lead_id, -log_odds, -probability))
    return set(lead_id[order[:n]])
