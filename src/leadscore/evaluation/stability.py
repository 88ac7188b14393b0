"""Whether a distribution, or a share, is the same as before."""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2, norm

LEAST_SHARE = 1e-4  # of a bin, so that an empty one does not make the index infinite
LEAST_COUNT = 5.0  # leads expected in a bin: with fewer the test below is not to be trusted


def compute_psi(
    expected: np.ndarray,
    actual: np.ndarray,
    *,
    before: float,
    now: float,
) -> tuple[float, float]:
    """The population stability index, and how likely the shares differ as much by chance.

    The index is the sum over bins of (actual - expected) * ln(actual / expected). It grows with
    fewer leads, so Pearson's chi-squared test of homogeneity says how sure the difference is; bins
    in which fewer than `LEAST_COUNT` leads are expected are one there.

    Args:
        expected: (bins,) shares before.
        actual: (bins,) shares now.
        before: how many leads the expected shares are of.
        now: how many leads the actual shares are of.
    """
    old = np.maximum(expected, LEAST_SHARE)
    new = np.maximum(actual, LEAST_SHARE)
    of_bins = (new - old) * np.log(new / old)
    p_value = _test_homogeneity(expected, actual, before=before, now=now)
    return float(of_bins.sum()), p_value


def _test_homogeneity(
    expected: np.ndarray,
    actual: np.ndarray,
    *,
    before: float,
    now: float,
) -> float:
    """The p-value of Pearson's test that two samples of so many come from one distribution."""
    both = before + now
    pooled = (expected * before + actual * now) / both
    is_rare = pooled * min(before, now) < LEAST_COUNT
    pooled = _merge(pooled, is_rare)
    difference = _merge(actual - expected, is_rare)

    is_used = pooled > 0
    freedom = int(is_used.sum()) - 1
    if freedom < 1:
        return 1.0
    distances = difference[is_used] ** 2 / pooled[is_used]
    statistic = distances.sum() * before * now / both
    return float(chi2.sf(statistic, freedom))


def _merge(shares: np.ndarray, is_rare: np.ndarray) -> np.ndarray:
    """The shares of the bins, those of rare ones together."""
    of_rare = shares[is_rare].sum()
    return np.append(shares[~is_rare], of_rare)


def compare_shares(before: float, now: float, *, n_before: float, n_now: float) -> float:
    """How likely two shares differ as much by chance: the two-sided test of two proportions.

    It is the z-test with the share of both together. Where that is 0 or 1 the shares are equal, and
    1 is returned.
    """
    pooled = (before * n_before + now * n_now) / (n_before + n_now)
    variance = pooled * (1 - pooled) * (1 / n_before + 1 / n_now)
    if variance <= 0:
        return 1.0
    z = abs(now - before) / np.sqrt(variance)
    return float(2 * norm.sf(z))
