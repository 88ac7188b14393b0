"""How far the rate of leads like this one may lie from its probability: a bootstrap over leads, kept as a few knots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from leadscore.model.apply import calibrate
from leadscore.model.calibrate import fit_calibrator
from leadscore.model.evaluate import resample_leads
from leadscore.model.unseen import Unseen

DRAWS, KNOTS = 100, 41
PRIOR_SPREAD = 1.2  # standard deviation of raw where no closed lead has been seen (see logistic.RAW_SPREAD)


def fit_interval(unseen: Unseen, calibrator: Mapping[str, Any], *, seed: int) -> dict[str, Any]:
    """Log-odds `raw` (KNOTS,), and at each the 2.5th and 97.5th percentile of the calibrated rate, as JSON.

    The calibrator is fitted again on resamples of the leads; one of kind "none" as a sigmoid, since what it takes on
    trust is just what the interval shall tell.
    """
    rows = unseen.rows()
    raw, label, weight = (rows[name].to_numpy() for name in ("raw", "label", "weight"))
    kind = "sigmoid" if calibrator["kind"] == "none" else calibrator["kind"]
    knots = np.unique(np.quantile(raw, np.linspace(0, 1, KNOTS)))
    leads, rates = rows["group"].nunique(), []
    for count in resample_leads(rows["group"].to_numpy(), seed=seed, draws=DRAWS):
        chosen = count > 0
        drawn = fit_calibrator(kind, raw[chosen], label[chosen], (weight * count)[chosen], leads=leads)
        rates.append(calibrate(drawn, knots))
    low, high = np.percentile(np.stack(rates), [2.5, 97.5], axis=0)
    return {"kind": "knots", "raw": knots.tolist(), "low": low.tolist(), "high": high.tolist()}


def prior_interval() -> dict[str, Any]:
    """The interval of a scorecard that no closed lead has confirmed: as wide as its own doubt."""
    return {"kind": "spread", "spread": 1.96 * PRIOR_SPREAD}
