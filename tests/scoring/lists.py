"""Lists of the trained world of `histories`."""

import histories
from leadscore.scoring.score import score_open_leads


def score(history, *, as_of_us, previous=None):
    """The list of a moment, by the world's model."""
    return score_open_leads(
        history,
        histories.trained().model,
        model_version="the model",
        known_us=0,
        as_of_us=as_of_us,
        previous=previous,
    )
