"""A trained model applied: raw feature columns -> encoded matrix -> raw log-odds -> calibrated probability.

The only place where that is computed, for batches and for a served model alike, which is why it imports nothing of
ours and no pandas. `columns` is a dict: feature name -> (n,) float64 with NaN for unknown, or object with None.
"""

import json

import lightgbm
import numpy as np

Columns = dict[str, np.ndarray]


class WinModel:
    """Features, encoder, scorer and calibrator.

    Args:
        document: the model's JSON: `features` (name, category, direction, fingerprint), `encoder` (how each
            feature becomes a number), `calibrator` and `reference`.
        booster_text: the scorer, as LightGBM writes it.
    """

    def __init__(self, document: dict, booster_text: str) -> None:  # type: ignore[type-arg]
        self.document = document
        self.booster_text = booster_text
        self.booster = lightgbm.Booster(model_str=booster_text)

    @classmethod
    def from_text(cls, document: str, booster_text: str) -> "WinModel":
        """A model from its two texts."""
        return cls(json.loads(document), booster_text)

    def encode(self, columns: Columns) -> np.ndarray:
        """The scorer's matrix (n, features), float64."""
        return encode(self.document["encoder"], columns)

    def raw(self, columns: Columns) -> np.ndarray:
        """Log-odds before calibration (n,)."""
        return np.asarray(self.booster.predict(self.encode(columns), raw_score=True), dtype=np.float64)

    def contributions(self, columns: Columns) -> np.ndarray:
        """Shapley values of raw (n, features + 1); the last column is the base, and each row adds up to raw."""
        encoded = self.encode(columns)
        if not len(encoded):  # LightGBM divides by the number of rows
            return np.zeros((0, encoded.shape[1] + 1))
        return np.asarray(self.booster.predict(encoded, pred_contrib=True), dtype=np.float64)

    def probability(self, raw: np.ndarray) -> np.ndarray:
        """Calibrated probability (n,) of raw (n,); it never falls as raw grows."""
        return calibrate(self.document["calibrator"], raw)


def encode(encoder: list, columns: Columns) -> np.ndarray:  # type: ignore[type-arg]
    """Raw columns as numbers (n, len(encoder)), one column an entry of the encoder, in its order."""
    encoded = [_encode_one(entry, columns) for entry in encoder]
    return np.ascontiguousarray(np.column_stack(encoded), dtype=np.float64)


def _encode_one(entry: dict, columns: Columns) -> np.ndarray:  # type: ignore[type-arg]
    kind = entry["kind"]
    if kind == "number":
        return np.asarray(columns[entry["name"]], dtype=np.float64)
    if kind == "rate":  # a category as the log-odds of its leads; one that history lacks as those of all
        rates = entry["rates"]
        missing, other = entry["missing"], entry["other"]
        values = columns[entry["name"]]
        return np.array([missing if v is None else rates.get(v, other) for v in values], dtype=np.float64)
    if kind == "usual":  # a number against what is usual for the category
        usual = np.array([entry["usual"].get(v, np.nan) for v in columns[entry["by"]]], dtype=np.float64)
        return np.asarray(columns[entry["of"]] / usual)
    raise ValueError(f"the encoder of {entry['name']!r} has the unknown kind {kind!r}")


def calibrate(calibrator: dict, raw: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Probabilities (n,) of raw log-odds (n,), within [low, high]."""
    kind = calibrator["kind"]
    if kind == "none":
        probability = sigmoid(raw)
    elif kind == "sigmoid":
        probability = sigmoid(calibrator["slope"] * raw + calibrator["intercept"])
    elif kind == "isotonic":
        probability = np.interp(raw, calibrator["raw"], calibrator["probability"])
    else:
        raise ValueError(f"unknown calibrator {kind!r}")
    return np.asarray(np.clip(probability, calibrator["low"], calibrator["high"]))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), without overflow."""
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1 / (1 + e), e / (1 + e)))
