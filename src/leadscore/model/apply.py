"""A trained model applied: raw feature columns -> encoded matrix -> raw log-odds -> calibrated probability.

The only place where that is computed, for batches and for a served model alike: MLflow logs this very file beside the
model's texts and runs it, which is why it imports nothing of ours and no pandas.
`columns` is a dict: feature name -> (n,) float64 with NaN for unknown, or object with None.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

Columns = dict[str, np.ndarray]
FORMAT = 1
LINEAR = ("scorecard", "logistic")
KINDS = (*LINEAR, "boosted", "average")
HALF = 0.5  # the share of either scorer in their average


class DamagedError(ValueError):
    """A model's file whose SHA-256 is not the one in the manifest."""

    def __init__(self, path: Path, expected: str, found: str) -> None:
        self.path, self.expected, self.found = path, expected, found
        super().__init__(
            f"{path} was changed or damaged: SHA-256 {found[:12]}, its manifest says {expected[:12]}"
        )


class WinModel:
    """Features, encoder, scorer and calibrator.

    Args:
        document: the model's JSON: `features` (name, category, direction, fingerprint), `encoder` (how each
            feature becomes a number), `levels` (of the categories that the trees see level by level as well),
            `scorer` (its kind, a linear one's terms, and under `linear` the linear half of an "average"; without it
            the kind is "boosted", the only one that the first models knew), `segments` (the models of those that
            have their own), `calibrator`, `times` (the running intercept) and `reference`.
        booster_text: the trees of the kinds "boosted" and "average", as LightGBM writes them; of the others "".
    """

    def __init__(self, document: dict, booster_text: str = "") -> None:  # type: ignore[type-arg]
        self.document = document
        self.booster_text = booster_text
        self.scorer = document.get("scorer", {"kind": "boosted"})
        self.segments = document.get("segments", {})
        self.levels = document.get("levels", [])  # the first models had none
        if self.scorer["kind"] not in KINDS:
            raise ValueError(f"unknown scorer {self.scorer['kind']!r}")
        self.linear = self.scorer if self.scorer["kind"] in LINEAR else self.scorer.get("linear")
        self.booster: Any = (
            None if self.scorer["kind"] in LINEAR else lightgbm.Booster(model_str=booster_text)
        )

    @property
    def shift(self) -> float:
        """What the times added to the calibrated log-odds at the end of the training."""
        return float(self.document.get("times", {}).get("shift", 0.0))

    @classmethod
    def from_folder(cls, folder: Path) -> "WinModel":
        """The model in a folder that is called as the first 16 digits of the SHA-256 of its manifest.json.

        Raises:
            DamagedError: a file is not what the manifest says, or the manifest is not what the folder says.
            ValueError: another version of leadscore wrote it, in a format that this one does not read.
        """
        manifest = json.loads(_read_verified(folder / "manifest.json", folder.name))
        if manifest["format"] != FORMAT:
            raise ValueError(
                f"{folder} has the format {manifest['format']}, this version of leadscore reads {FORMAT}"
            )
        texts = {
            name: _read_verified(folder / name, sha256)
            for name, sha256 in manifest["files"].items()
        }
        return cls(json.loads(texts["model.json"]), texts.get("booster.txt", b"").decode())

    def encode(self, columns: Columns) -> np.ndarray:
        """The scorer's matrix (n, features), float64."""
        return encode(self.document["encoder"], columns)

    def encode_for_trees(self, columns: Columns) -> np.ndarray:
        """The trees' matrix (n, features + categories with levels), float64."""
        return add_codes(self.levels, self.encode(columns), columns)

    def log_odds(self, columns: Columns) -> np.ndarray:
        """Log-odds before calibration (n,)."""
        encoded = self.encode(columns)
        if self.booster is None:
            log_odds = _sum_columns(self._linear_contributions(encoded, columns))
        else:
            of_trees = add_codes(self.levels, encoded, columns)
            log_odds = np.asarray(self.booster.predict(of_trees, raw_score=True), dtype=np.float64)
            if self.linear is not None:
                log_odds = HALF * log_odds + HALF * _sum_columns(
                    self._linear_contributions(encoded, columns)
                )
        if not self.segments:
            return log_odds
        return correct(
            self.segments["models"], columns[self.segments["feature"]], encoded, log_odds
        )

    def contributions(self, columns: Columns, of_trees: np.ndarray | None = None) -> np.ndarray:
        """Shapley values of raw (n, features + 1); the last column is the base, and each row adds up to raw.

        Of a linear scorer they are its terms: what a value adds to what the mean value adds. Those of an average are
        the averages of its two halves'. The base of a segment with a model of its own is its own. `of_trees`, if
        given, are those of the trees, a column for each of `encode_for_trees` and the base.
        """
        encoded = self.encode(columns)
        found = self._contributions_of_all(encoded, columns, of_trees)
        for value, model in self.segments["models"].items() if self.segments else ():
            inside = columns[self.segments["feature"]] == value
            of_all, added = model["of_all"], contribute_all(model["terms"], encoded[inside], {})
            found[inside] = of_all["slope"] * found[inside]
            found[inside, :-1] += added
            found[inside, -1] += model["base"] - of_all["slope"] * of_all["center"]
        return found

    def _contributions_of_all(
        self, encoded: np.ndarray, columns: Columns, of_trees: np.ndarray | None
    ) -> np.ndarray:
        if self.booster is None:
            return self._linear_contributions(encoded, columns)
        if of_trees is None:
            of_trees = self._tree_contributions(add_codes(self.levels, encoded, columns))
        of_trees = self._by_feature(of_trees)
        if self.linear is None:
            return of_trees
        return HALF * of_trees + HALF * self._linear_contributions(encoded, columns)

    def _linear_contributions(self, encoded: np.ndarray, columns: Columns) -> np.ndarray:
        added = contribute_all(self.linear["terms"], encoded, columns)
        return np.column_stack([added, np.full(len(encoded), self.linear["base"])])

    def _by_feature(self, of_trees: np.ndarray) -> np.ndarray:
        """The trees' contributions with those of a category's level added to those of its rate."""
        names = [entry["name"] for entry in self.document["encoder"]]
        by_feature = np.column_stack([of_trees[:, : len(names)], of_trees[:, -1]])
        for at, entry in enumerate(self.levels, start=len(names)):
            by_feature[:, names.index(entry["name"])] += of_trees[:, at]
        return by_feature

    def _tree_contributions(self, encoded: np.ndarray) -> np.ndarray:
        if not len(encoded):  # LightGBM divides by the number of rows
            return np.zeros((0, encoded.shape[1] + 1))
        return np.asarray(self.booster.predict(encoded, pred_contrib=True), dtype=np.float64)

    def probability(self, log_odds: np.ndarray, shift: float = 0.0) -> np.ndarray:
        """Calibrated probability (n,) of raw (n,), with a shift of the times; it never falls as raw grows."""
        return add_shift(calibrate(self.document["calibrator"], log_odds), shift)

    def interval(self, log_odds: np.ndarray, shift: float = 0.0) -> np.ndarray:
        """Where the rate of leads like these may lie, 95 %: low and high (n, 2), around the probability."""
        return add_shift(self._interval(log_odds), shift)

    def _interval(self, log_odds: np.ndarray) -> np.ndarray:
        probability = self.probability(log_odds)
        told = self.document.get("interval")
        if told is None:  # the first models knew none
            low, high = probability, probability
        elif told["kind"] == "spread":
            low, high = (
                self.probability(log_odds - told["spread"]),
                self.probability(log_odds + told["spread"]),
            )
        elif told["kind"] == "offsets":
            center = np.log(probability / (1 - probability))
            below, above = (
                np.interp(log_odds, told["raw"], told[side]) for side in ("below", "above")
            )
            low, high = sigmoid(center - below), sigmoid(center + above)
        else:  # of earlier models: not around the probability
            low, high = (np.interp(log_odds, told["raw"], told[side]) for side in ("low", "high"))
        return np.column_stack([np.minimum(low, probability), np.maximum(high, probability)])


def _read_verified(path: Path, sha256: str) -> bytes:
    """The bytes of `path`, whose SHA-256 must begin with `sha256`."""
    data = path.read_bytes() if path.exists() else b""
    found = hashlib.sha256(data).hexdigest()
    if not found.startswith(sha256):
        raise DamagedError(path, sha256, found)
    return data


def encode(encoder: list, columns: Columns) -> np.ndarray:  # type: ignore[type-arg]
    """Raw columns as numbers (n, len(encoder)), one column an entry of the encoder, in its order."""
    encoded = [_encode_one(entry, columns) for entry in encoder]
    return np.ascontiguousarray(np.column_stack(encoded), dtype=np.float64)


def _encode_one(entry: dict, columns: Columns) -> np.ndarray:  # type: ignore[type-arg]
    kind = entry["kind"]
    if kind == "number":
        return np.asarray(columns[entry["name"]], dtype=np.float64)
    if (
        kind == "rate"
    ):  # a category as the log-odds of its leads; one that history lacks as those of all
        rates = entry["rates"]
        missing, other = entry["missing"], entry["other"]
        values = columns[entry["name"]]
        return np.array(
            [missing if v is None else rates.get(v, other) for v in values], dtype=np.float64
        )
    if kind == "usual":  # a number against what is usual for the category
        usual = np.array(
            [entry["usual"].get(v, np.nan) for v in columns[entry["by"]]], dtype=np.float64
        )
        return np.asarray(columns[entry["of"]] / usual)
    raise ValueError(f"the encoder of {entry['name']!r} has the unknown kind {kind!r}")


def add_codes(levels: list, encoded: np.ndarray, columns: Columns) -> np.ndarray:  # type: ignore[type-arg]
    """Beside `encoded` (n, features) a code for each category with levels: the level's place, NaN where unknown."""
    codes = [_encode_level(entry["levels"], columns[entry["name"]]) for entry in levels]
    return np.ascontiguousarray(np.column_stack([encoded, *codes]), dtype=np.float64)


def _encode_level(levels: list, values: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    place = {level: float(at) for at, level in enumerate(levels)}
    other = float(len(levels))
    return np.array(
        [np.nan if v is None else place.get(v, other) for v in values], dtype=np.float64
    )


def contribute(term: dict, values: np.ndarray, text: np.ndarray | None = None) -> np.ndarray:  # type: ignore[type-arg]
    """What a linear term adds to raw (n,) for the values (n,) of its column, and for its `text` where it has levels."""
    if "levels" in term and text is not None:
        levels, other, missing = term["levels"], term["other"], term["missing"]
        return np.array(
            [missing if v is None else levels.get(v, other) for v in text], dtype=np.float64
        )
    if "knots" in term:
        added = np.interp(values, term["knots"], term["added"])
    else:
        added = term["slope"] * (shape(term, values) - term["center"])
    return np.asarray(np.where(np.isnan(values), term["missing"], added))


def contribute_all(terms: list, encoded: np.ndarray, columns: Columns) -> np.ndarray:  # type: ignore[type-arg]
    """What each of the linear terms adds to raw (n, terms) for its column of `encoded` (n, terms)."""
    both = zip(terms, encoded.T, strict=True)
    return np.column_stack(
        [contribute(term, values, columns.get(term["name"])) for term, values in both]
    )


def correct(
    models: dict[str, Any], segment: np.ndarray, encoded: np.ndarray, log_odds: np.ndarray
) -> np.ndarray:
    """Log-odds (n,), where a row's segment (n,) has a model of its own by that, else as it is."""
    found = log_odds.copy()
    for value, model in models.items():
        inside = segment == value
        added = _sum_columns(contribute_all(model["terms"], encoded[inside], {}))
        found[inside] = model["base"] + contribute(model["of_all"], log_odds[inside]) + added
    return found


def shape(term: dict, values: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """The values (n,) within [low, high] and, with `log`, as sign(x) log(1 + |x|); NaN stays."""
    clipped = np.clip(values, term["low"], term["high"])
    return np.asarray(np.sign(clipped) * np.log1p(np.abs(clipped)) if term["log"] else clipped)


def _sum_columns(matrix: np.ndarray) -> np.ndarray:
    """Sums of rows (n,), column after column: a BLAS product, or numpy's own sum, of one row and of many may differ."""
    total = np.zeros(len(matrix))
    for column in matrix.T:
        total = total + column
    return total


def calibrate(calibrator: dict, log_odds: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Probabilities (n,) of raw log-odds (n,), within [low, high]."""
    kind = calibrator["kind"]
    if kind == "none":
        probability = sigmoid(log_odds)
    elif kind == "sigmoid":
        probability = sigmoid(calibrator["slope"] * log_odds + calibrator["intercept"])
    elif kind == "beta":
        z = (
            calibrator["intercept"]
            - calibrator["a"] * softplus(-log_odds)
            + calibrator["b"] * softplus(log_odds)
        )
        probability = sigmoid(z)
    elif kind == "isotonic":
        probability = np.interp(log_odds, calibrator["raw"], calibrator["probability"])
    elif kind == "venn_abers":  # a step at each knot: its value below it, at it, and above it
        knots = np.array(calibrator["raw"], dtype=np.float64)
        step = np.searchsorted(knots, log_odds, side="left") + np.searchsorted(
            knots, log_odds, side="right"
        )
        probability = np.array(calibrator["probability"], dtype=np.float64)[step]
    else:
        raise ValueError(f"unknown calibrator {kind!r}")
    return np.asarray(np.clip(probability, calibrator["low"], calibrator["high"]))


def add_shift(probability: np.ndarray, shift: float | np.ndarray) -> np.ndarray:
    """Probabilities whose log-odds are moved by a shift, one for all or one for each; 0 and 1 stay."""
    if np.ndim(shift) == 0 and shift == 0:
        return probability
    with np.errstate(divide="ignore"):
        log_odds = np.log(probability) - np.log1p(-probability)
    return sigmoid(log_odds + shift)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), without overflow."""
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1 / (1 + e), e / (1 + e)))


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x)), without overflow."""
    return np.asarray(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))


if __name__.startswith(
    "code_model_"
):  # so does MLflow call this file when it loads the logged model
    import mlflow
    import pandas as pd
    from mlflow.exceptions import MlflowException

    def _missing(value: object) -> bool:
        return value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value))

    class Served(mlflow.pyfunc.PythonModel):  # type: ignore[name-defined,misc]
        """Rows of raw features in, raw log-odds and win_probability out.

        The parameter `shift` is that of the times, as the current publication has it; by default that of the training.
        """

        def load_context(self, context) -> None:  # type: ignore[no-untyped-def]
            """Read and check the model's texts."""
            self.model = WinModel.from_folder(Path(context.artifacts["model"]))

        def predict(self, context, model_input: pd.DataFrame, params=None) -> list[dict]:  # type: ignore[no-untyped-def,type-arg]  # noqa: ARG002
            """One dict a row, in the order of the rows.

            Raises:
                MlflowException: a number is infinite, or what should be text is none; a served model answers 400.
            """
            columns = {}
            for feature in self.model.document["features"]:
                values = model_input[feature["name"]]
                if feature["category"]:
                    columns[feature["name"]] = np.array(
                        [None if _missing(v) else v for v in values], object
                    )
                    if not all(v is None or isinstance(v, str) for v in columns[feature["name"]]):
                        raise MlflowException.invalid_parameter_value(
                            f"{feature['name']} must be text or null"
                        )
                    if "None" in columns[feature["name"]] and not self._is_known(
                        feature["name"], "None"
                    ):
                        raise MlflowException.invalid_parameter_value(
                            f"{feature['name']} is the text 'None', which MLflow makes of null in `instances` and "
                            "`inputs`; send dataframe_records or dataframe_split"
                        )
                    continue
                columns[feature["name"]] = numbers = values.to_numpy(
                    dtype=np.float64, na_value=np.nan
                )
                if np.isinf(numbers).any():
                    raise MlflowException.invalid_parameter_value(
                        f"{feature['name']} must be a finite number or null"
                    )
            log_odds = self.model.log_odds(columns)
            probability = self.model.probability(
                log_odds, (params or {}).get("shift", self.model.shift)
            )
            return [
                {"log_odds": r, "win_probability": p}
                for r, p in zip(log_odds.tolist(), probability.tolist(), strict=True)
            ]

        def _is_known(self, name: str, value: str) -> bool:
            return any(
                e["name"] == name and value in e.get("rates", ())
                for e in self.model.document["encoder"]
            )

    mlflow.models.set_model(Served())
