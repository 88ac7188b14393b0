"""The win rates of similar leads: for every feature, how many had about the same value and won."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel, encode_one
from leadscore.wording import counted

BINS = 8
LEAST = 30  # leads; a rate of fewer is not shown
LEAST_POINTS = 0.01  # by which a rate must differ from the usual one to be a reason,
LEAST_DIFFERENCE = 0.15  # and as a share of it
MOST_SHARE = 0.8  # of the snapshots; a value that more of them have tells no lead from another
EVIDENCE = "similar leads were won"
USUAL = "usual"  # what all leads have beside the features


@dataclass(frozen=True)
class Similar:
    """What became of leads with about the same value.

    Attributes:
        leads: how many there were.
        rate: share of them that was won.
        share: how much of all snapshots they are; None where the model does not say.
        usual: share of all leads that was won; None where the model does not say.
        within_days: in which they were won; None where nothing is dated, or the model does not say.
    """

    leads: int
    rate: float
    share: float | None
    usual: float | None
    within_days: int | None = None

    def supports(self, sign: int) -> bool:
        """Whether they were clearly won more often (sign 1), or less often (-1), than usual."""
        if self.usual is None:
            return True
        least = max(LEAST_POINTS, LEAST_DIFFERENCE * self.usual)
        return sign * (self.rate - self.usual) >= least

    @property
    def is_common(self) -> bool:
        """Whether nearly every lead is like them."""
        return self.share is not None and self.share > MOST_SHARE

    def __str__(self) -> str:
        usual = "" if self.usual is None else f"; usual {_percent(self.usual)}"
        within = "" if self.within_days is None else f" within {counted(self.within_days, 'day')}"
        return f"{_percent(self.rate)} of {self.leads:,} {EVIDENCE}{within}{usual}"


def build_evidence(
    model: WinModel,
    matrix: Matrix,
    rows: pd.DataFrame,
    features: Sequence[Feature],
    *,
    within_days: int | None,
) -> dict[str, Any]:
    """Leads and weighted win rate by value, for every feature, as JSON.

    A category has `values`. A number has `edges` and `bins`, up to eight bins of equally many rows.
    A bin of fewer than `LEAST` leads is null, such a category is left out, and so are unknown
    values and features that name our own people. `USUAL` is the rate of all leads.

    Args:
        model: its encoder turns features into numbers.
        matrix: has the features of all rows.
        rows: snapshots with label and weight; censored ones are left out.
        features: what the matrix holds.
        within_days: the horizon of the labels; None where nothing is dated.
    """
    rows = rows[rows["label"].notna()]
    lead_number, _ = pd.factorize(rows["lead_id"])  # counted for every feature, faster than text
    rows = rows.assign(lead=lead_number)
    columns = matrix.take(rows).columns

    everybody = _measure_rates(np.zeros(len(rows)), rows)
    usual = everybody.get(0.0)
    evidence: dict[str, Any] = {USUAL: usual and usual | {"within_days": within_days}}
    for feature, entry in zip(features, model.document["encoder"], strict=True):
        if feature.names_people:
            continue
        if feature.is_category:
            rates = _measure_rates(columns[feature.name], rows)
            by_text = {str(value): rate for value, rate in rates.items()}
            evidence[feature.name] = {"values": by_text}
        else:
            evidence[feature.name] = _measure_bins(encode_one(entry, columns), rows)
    return evidence


def _measure_bins(values: np.ndarray, rows: pd.DataFrame) -> dict[str, Any]:
    """The bins of a number (n,), NaN where unknown, with their rates or null."""
    known = np.isfinite(values)
    edges = np.empty(0)
    if known.any():
        levels = np.arange(1, BINS) / BINS
        edges = np.unique(np.quantile(values[known], levels))

    bin_of_row = np.searchsorted(edges, values, side="right")
    rates = _measure_rates(np.where(known, bin_of_row, -1), rows)
    bins = [rates.get(i) for i in range(len(edges) + 1)]
    return {"edges": edges.tolist(), "bins": bins}


def _measure_rates(group: np.ndarray, rows: pd.DataFrame) -> dict[Any, dict[str, float | int]]:
    """Leads, weighted win rate and share by group (n,), of groups with at least `LEAST` leads.

    `rows` has the number of each row's lead as `lead`.
    """
    weight = rows["weight"].to_numpy()
    frame = pd.DataFrame(
        {
            "group": group,
            "lead": rows["lead"].to_numpy(),
            "n": weight,
            "won": weight * rows["label"].to_numpy(),
        }
    )
    by_group = frame.groupby("group", sort=True)
    sums = by_group.agg({"lead": "nunique", "n": "sum", "won": "sum"})
    total = sums["n"].sum()
    is_enough = (sums["lead"] >= LEAST) & (sums["n"] > 0)
    sums = sums[is_enough]

    rates: dict[Any, dict[str, float | int]] = {}
    for value, row in sums.iterrows():
        rate = float(row["won"] / row["n"])
        share = float(row["n"] / total)
        rates[value] = {
            "leads": int(row["lead"]),
            "rate": round(rate, 4),
            "share": round(share, 4),
        }
    return rates


def find_similar(evidence: Mapping[str, Any], feature: Feature, value: Any) -> Similar | None:
    """What became of leads with about this value; None where there are too few."""
    values = np.array([value], dtype=object if feature.is_category else float)
    _, similar = next(divide_by_similar(evidence, feature, values))
    return similar


def divide_by_similar(
    evidence: Mapping[str, Any],
    feature: Feature,
    values: np.ndarray,
) -> Iterator[tuple[np.ndarray, Similar | None]]:
    """Positions of the values (k,) that are about the same, and what became of such leads.

    None where there are too few of them. Every value is in one part.

    Args:
        evidence: of the model, as `build_evidence` gives it.
        feature: what the values are of.
        values: (k,) of a category, text or None; of a number, as encoded.
    """
    of_feature = evidence.get(feature.name)
    if of_feature is None:
        yield np.arange(len(values)), None
        return
    if feature.is_category:
        codes, names = pd.factorize(values, use_na_sentinel=False)
        entries = [of_feature["values"].get(name) for name in names]
    else:
        codes = np.searchsorted(of_feature["edges"], values, side="right")
        entries = of_feature["bins"]
    for code in np.unique(codes):
        similar = entries[code]
        read = _read_similar(similar, evidence.get(USUAL)) if similar else None
        yield np.flatnonzero(codes == code), read


def _read_similar(similar: Mapping[str, Any], usual: Mapping[str, Any] | None) -> Similar:
    return Similar(
        leads=similar["leads"],
        rate=similar["rate"],
        share=similar.get("share"),
        usual=usual["rate"] if usual else None,
        within_days=usual.get("within_days") if usual else None,
    )


def _percent(share: float) -> str:
    return f"{share * 100:.0f}%"
