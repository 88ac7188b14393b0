"""A trained model applied: feature columns -> encoded matrix -> log-odds -> calibrated probability.

This is the only place where that is computed, for batches and for a served model alike. MLflow logs
this very file beside the model's texts and runs it, so it stays one file that imports nothing of
ours and no pandas.

`Columns` are the features as they come: name -> (n,), float64 with NaN for unknown numbers, or
object with None for unknown text.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

Columns = Mapping[str, np.ndarray]
Json = Mapping[str, Any]

FORMAT = 1
LINEAR = ("scorecard", "logistic")
KINDS = (*LINEAR, "boosted", "average")
GONE = "none"  # the hash of a file that is not there
HALF = 0.5  # the share of either scorer in their average


class DamagedError(ValueError):
    """A model file whose SHA-256 is not the one in the manifest."""

    def __init__(self, path: Path, expected: str, actual: str) -> None:
        self.path = path
        self.expected = expected
        self.actual = actual
        problem = "is gone"
        if actual != GONE:
            hashes = f"SHA-256 {actual[:12]}, its manifest says {expected[:12]}"
            problem = f"was changed or damaged: {hashes}"
        super().__init__(f"{path} {problem}")


class WinModel:
    """A model that gives log-odds, probabilities and contributions.

    Args:
        document: the model's JSON. `features` (name, category, direction, fingerprint); `encoder`
            (how each feature becomes a number); `levels` (of categories that the trees also see
            level by level); `scorer` (its kind, the terms of a linear one, and under `linear` the
            linear half of an "average"); `segments` (corrections for some of them); `calibrator`;
            `interval`; `times` (the running intercept); `reference`.
        booster_text: the trees of the kinds "boosted" and "average" as LightGBM writes them, else
            "".

    Raises:
        ValueError: the scorer is of an unknown kind.
    """

    def __init__(self, document: dict[str, Any], booster_text: str = "") -> None:
        self.document = document
        self.booster_text = booster_text
        self.scorer = document["scorer"]
        self.segments = document.get("segments", {})
        self.levels = document.get("levels", [])

        kind = self.scorer["kind"]
        if kind not in KINDS:
            raise ValueError(f"unknown scorer {kind!r}")

        self.booster: Any = None
        linear = self.scorer
        if kind not in LINEAR:
            self.booster = lightgbm.Booster(model_str=booster_text)
            linear = self.scorer.get("linear")
        self.linear: Any = None if linear is None else LinearScorer(linear)

    @property
    def shift(self) -> float:
        """The running intercept at the end of the training, in log-odds; 0 without one."""
        times = self.document.get("times", {})
        shift = times.get("shift", 0.0)
        return float(shift)

    @classmethod
    def from_folder(cls, folder: Path) -> "WinModel":
        """The model in a folder named after the first 16 digits of its manifest's SHA-256.

        Raises:
            DamagedError: a file does not match the manifest, or the manifest the folder's name.
            ValueError: another version of leadscore wrote it, in a format that this one cannot read.
        """
        manifest = json.loads(_read_verified(folder / "manifest.json", folder.name))
        if manifest["format"] != FORMAT:
            raise ValueError(
                f"{folder} has the format {manifest['format']}, "
                f"this version of leadscore reads {FORMAT}"
            )

        texts = {}
        for name, sha256 in manifest["files"].items():
            texts[name] = _read_verified(folder / name, sha256)

        booster_text = texts.get("booster.txt", b"").decode()
        return cls(json.loads(texts["model.json"]), booster_text)

    def encode(self, columns: Columns) -> np.ndarray:
        """The matrix (n, features) of the linear scorers, float64."""
        return encode(self.document["encoder"], columns)

    def encode_for_trees(self, columns: Columns) -> np.ndarray:
        """The matrix (n, features + categories with levels) of the trees, float64.

        Its first columns are those of `encode`.
        """
        return encode(self._entries(), columns)

    def encode_again(self, for_trees: np.ndarray, columns: Columns, names: Sequence[str]) -> None:
        """Encode the features in `names` once more, in the matrix of `encode_for_trees`."""
        texts = _Texts(columns)
        entries = self._entries()
        for at in self.find_read(names):
            for_trees[:, at] = _encode_entry(entries[at], texts)

    def find_read(self, names: Sequence[str]) -> list[int]:
        """The columns of `encode_for_trees` that are made of the features in `names`."""
        read_by = [{entry["name"], entry.get("of"), entry.get("by")} for entry in self._entries()]
        return [at for at, read in enumerate(read_by) if not read.isdisjoint(names)]

    def _entries(self) -> list[Json]:
        """How each column of `encode_for_trees` is made."""
        return [*self.document["encoder"], *map(_as_entry, self.levels)]

    def log_odds(self, columns: Columns, for_trees: np.ndarray | None = None) -> np.ndarray:
        """Log-odds (n,) before calibration; `for_trees` are the columns encoded, if they are already."""
        if for_trees is None:
            for_trees = self.encode_for_trees(columns)
        log_odds = self._log_odds_of_all(for_trees, columns)
        if not self.segments:
            return log_odds

        segment = columns[self.segments["feature"]]
        return correct(self.segments["models"], segment, self.of_features(for_trees), log_odds)

    def of_features(self, for_trees: np.ndarray) -> np.ndarray:
        """The columns (n, features) that `encode` gives."""
        return for_trees[:, : len(self.document["encoder"])]

    def _log_odds_of_all(self, for_trees: np.ndarray, columns: Columns) -> np.ndarray:
        """Log-odds (n,) of the scorer for all leads, before any correction for segments."""
        encoded = self.of_features(for_trees)
        if self.booster is None:
            return np.asarray(self.linear.log_odds(encoded, columns))

        predicted = self.booster.predict(for_trees, raw_score=True)
        of_trees = np.asarray(predicted, dtype=np.float64)
        if self.linear is None:
            return of_trees

        of_terms = self.linear.log_odds(encoded, columns)
        return np.asarray(HALF * of_trees + HALF * of_terms)

    def contributions(
        self,
        columns: Columns,
        for_trees: np.ndarray | None = None,
        of_trees: np.ndarray | None = None,
    ) -> np.ndarray:
        """Shapley values (n, features + 1) of the log-odds; each row adds up to its log-odds.

        The last column is the intercept, which a corrected segment has of its own. Of a linear
        scorer they are its terms: what a value adds beyond the mean value. Of an average they are
        the mean of both halves.

        Args:
            columns: the features.
            for_trees: the columns as `encode_for_trees` gives them, if they are encoded already.
            of_trees: the trees' contributions, if they are known already: a column for each of
                `encode_for_trees` and the intercept.
        """
        if for_trees is None:
            for_trees = self.encode_for_trees(columns)
        contributions = self._contributions_of_all(for_trees, columns, of_trees)
        if not self.segments:
            return contributions

        encoded = self.of_features(for_trees)
        segment = columns[self.segments["feature"]]
        for value, correction in self.segments["models"].items():
            inside = segment == value
            of_all = correction["of_all"]
            added = contribute_all(correction["terms"], encoded[inside], {})
            intercept = correction["base"] - of_all["slope"] * of_all["center"]
            contributions[inside] = of_all["slope"] * contributions[inside]
            contributions[inside, :-1] += added
            contributions[inside, -1] += intercept
        return contributions

    def _contributions_of_all(
        self,
        for_trees: np.ndarray,
        columns: Columns,
        of_trees: np.ndarray | None,
    ) -> np.ndarray:
        encoded = self.of_features(for_trees)
        if self.booster is None:
            return np.asarray(self.linear.contributions(encoded, columns))

        if of_trees is None:
            of_trees = self._tree_contributions(for_trees)
        of_features = self._add_levels_to_features(of_trees)
        if self.linear is None:
            return of_features
        of_terms = self.linear.contributions(encoded, columns)
        return np.asarray(HALF * of_features + HALF * of_terms)

    def _tree_contributions(self, for_trees: np.ndarray) -> np.ndarray:
        if not len(for_trees):  # LightGBM divides by the number of rows
            return np.zeros((0, for_trees.shape[1] + 1))
        contributions = self.booster.predict(for_trees, pred_contrib=True)
        return np.asarray(contributions, dtype=np.float64)

    def _add_levels_to_features(self, of_trees: np.ndarray) -> np.ndarray:
        """Contributions (n, features + 1): what a category's levels and its rate do together."""
        names = [entry["name"] for entry in self.document["encoder"]]
        n = len(names)
        own = of_trees[:, :n]
        intercept = of_trees[:, -1]
        of_features = np.column_stack([own, intercept])
        for position, entry in enumerate(self.levels, start=n):
            at = names.index(entry["name"])
            of_features[:, at] += of_trees[:, position]
        return of_features

    def probability(self, log_odds: np.ndarray, shift: float = 0.0) -> np.ndarray:
        """Calibrated probability (n,), moved by the running intercept; it rises with log-odds."""
        return add_shift(calibrate(self.document["calibrator"], log_odds), shift)

    def interval(self, log_odds: np.ndarray, shift: float = 0.0) -> np.ndarray:
        """95% bounds (n, 2), low and high, of the win rate of similar leads.

        They enclose the probability. A model that was not calibrated has none: both are equal to
        the probability.
        """
        probability = self.probability(log_odds)
        low, high = self._bounds(log_odds, probability)
        lowest = np.minimum(low, probability)
        highest = np.maximum(high, probability)
        bounds = [lowest, highest]
        return add_shift(np.column_stack(bounds), shift)

    def _bounds(
        self,
        log_odds: np.ndarray,
        probability: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        interval = self.document.get("interval")
        if interval is None:
            return probability, probability

        if interval["kind"] == "spread":
            spread = interval["spread"]
            return self.probability(log_odds - spread), self.probability(log_odds + spread)

        if interval["kind"] == "offsets":
            center = logit(probability)
            below = np.interp(log_odds, interval["raw"], interval["below"])
            above = np.interp(log_odds, interval["raw"], interval["above"])
            return sigmoid(center - below), sigmoid(center + above)

        raise ValueError(f"unknown interval {interval['kind']!r}")


class LinearScorer:
    """The terms of a linear scorer, or of the linear half of an average, and its intercept."""

    def __init__(self, document: Json) -> None:
        self.document = document

    @property
    def terms(self) -> Sequence[Json]:
        """One for each feature."""
        terms: Sequence[Json] = self.document["terms"]
        return terms

    def log_odds(self, encoded: np.ndarray, columns: Columns) -> np.ndarray:
        """Log-odds (n,) of leads, `encoded` (n, features)."""
        return np.asarray(sum_terms(self.terms, encoded, columns) + self.document["base"])

    def contributions(self, encoded: np.ndarray, columns: Columns) -> np.ndarray:
        """What each term adds to them, and the intercept (n, features + 1)."""
        added = contribute_all(self.terms, encoded, columns)
        intercept = np.full(len(encoded), self.document["base"])
        return np.column_stack([added, intercept])


def _read_verified(path: Path, sha256: str) -> bytes:
    """The bytes of `path`, whose SHA-256 must begin with `sha256`."""
    if not path.exists():
        raise DamagedError(path, sha256, GONE)
    data = path.read_bytes()
    actual = hashlib.sha256(data).hexdigest()
    if not actual.startswith(sha256):
        raise DamagedError(path, sha256, actual)
    return data


class _Texts:
    """Columns whose texts are looked up: however often that is, the rows of each are read once."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self._numbered: dict[str, tuple[list[Any], np.ndarray]] = {}

    def look_up(
        self,
        name: str,
        table: Mapping[str, float],
        *,
        missing: float,
        other: float,
    ) -> np.ndarray:
        """The entry (n,) of each text: `missing` for None, `other` for one not in the table."""
        if name not in self._numbered:
            self._numbered[name] = _number_texts(self.columns[name])
        distinct, number = self._numbered[name]
        with_missing: dict[Any, float] = {**table, None: missing}
        entries = [with_missing.get(text, other) for text in distinct]
        return np.asarray(np.array(entries, dtype=np.float64)[number])


def _number_texts(values: np.ndarray) -> tuple[list[Any], np.ndarray]:
    """The distinct texts as they first come, and which of them each row (n,) has."""
    number_of: dict[Any, int] = {}
    numbers = [number_of.setdefault(text, len(number_of)) for text in values]
    return list(number_of), np.array(numbers, dtype=np.int64)


def encode(encoder: Sequence[Json], columns: Columns) -> np.ndarray:
    """The columns as numbers (n, len(encoder)), float64, in the order of the encoder's entries."""
    rows = len(next(iter(columns.values())))
    encoded = np.empty((rows, len(encoder)))
    texts = _Texts(columns)
    for at, entry in enumerate(encoder):
        encoded[:, at] = _encode_entry(entry, texts)
    return encoded


def encode_one(entry: Json, columns: Columns) -> np.ndarray:
    """One column (n,) of `encode`."""
    return _encode_entry(entry, _Texts(columns))


def _encode_entry(entry: Json, texts: _Texts) -> np.ndarray:
    kind = entry["kind"]
    columns = texts.columns
    if kind == "number":
        values = columns[entry["name"]]
        return np.asarray(values, dtype=np.float64)

    if kind == "rate":  # a category as the log-odds of its leads
        return texts.look_up(
            entry["name"],
            entry["rates"],
            missing=entry["missing"],
            other=entry["other"],
        )

    if kind == "level":  # a category as the position of its level, one past the last for any other
        code = {level: float(position) for position, level in enumerate(entry["levels"])}
        return texts.look_up(entry["name"], code, missing=np.nan, other=float(len(code)))

    if kind == "usual":  # a number as a multiple of what is usual for its category
        usual = texts.look_up(entry["by"], entry["usual"], missing=np.nan, other=np.nan)
        return np.asarray(columns[entry["of"]] / usual)

    raise ValueError(f"the encoder of {entry['name']!r} has the unknown kind {kind!r}")


def _as_entry(level: Json) -> Json:
    """A category with levels as an entry of an encoder."""
    return {"kind": "level", **level}


def add_codes(levels: Sequence[Json], encoded: np.ndarray, columns: Columns) -> np.ndarray:
    """`encoded` (n, features) and a column of codes for each category with levels.

    The code is the level's position; one past the last for any other level, NaN where unknown.
    """
    codes = encode(list(map(_as_entry, levels)), columns)
    return np.hstack([encoded, codes])


def encode_level(entry: Json, columns: Columns) -> np.ndarray:
    """The codes (n,) of one category (see `add_codes`)."""
    return encode_one(_as_entry(entry), columns)


def contribute(term: Json, values: np.ndarray, text: np.ndarray | None = None) -> np.ndarray:
    """What a linear term adds to the log-odds (n,).

    Args:
        term: see `scorers.linear.Term`.
        values: (n,) its encoded column, NaN where unknown.
        text: (n,) the category's values, read by a term that has levels.
    """
    if "levels" in term and text is not None:
        texts = _Texts({term["name"]: text})
        return texts.look_up(
            term["name"],
            term["levels"],
            missing=term["missing"],
            other=term["other"],
        )

    if "knots" in term:
        added = np.interp(values, term["knots"], term["added"])
    else:
        from_center = shape(term, values) - term["center"]
        added = term["slope"] * from_center
    is_missing = np.isnan(values)
    return np.asarray(np.where(is_missing, term["missing"], added))


def contribute_all(terms: Sequence[Json], encoded: np.ndarray, columns: Columns) -> np.ndarray:
    """What every linear term adds to the log-odds (n, terms), given `encoded` (n, terms)."""
    return np.column_stack(list(_contribute_each(terms, encoded, columns)))


def sum_terms(terms: Sequence[Json], encoded: np.ndarray, columns: Columns) -> np.ndarray:
    """What all linear terms together add to the log-odds (n,), one after another.

    A BLAS product, or numpy's own sum, may differ between one row and many in the last bits.
    """
    total = np.zeros(len(encoded))
    for added in _contribute_each(terms, encoded, columns):
        total = total + added
    return total


def _contribute_each(
    terms: Sequence[Json],
    encoded: np.ndarray,
    columns: Columns,
) -> Iterator[np.ndarray]:
    for term, values in zip(terms, encoded.T, strict=True):
        text = columns.get(term["name"]) if "levels" in term else None
        yield contribute(term, values, text)


def correct(
    corrections: Mapping[str, Json],
    segment: np.ndarray,
    encoded: np.ndarray,
    log_odds: np.ndarray,
) -> np.ndarray:
    """Log-odds (n,), corrected where the row's segment (n,) has a correction of its own."""
    corrected = log_odds.copy()
    for value, correction in corrections.items():
        inside = segment == value
        of_all = contribute(correction["of_all"], log_odds[inside])
        added = sum_terms(correction["terms"], encoded[inside], {})
        corrected[inside] = correction["base"] + of_all + added
    return corrected


def shape(term: Json, values: np.ndarray) -> np.ndarray:
    """The values (n,) clipped to [low, high] and, with `log`, as sign(x) log(1 + |x|); NaN stays."""
    clipped = np.clip(values, term["low"], term["high"])
    if term["log"]:
        sign = np.sign(clipped)
        clipped = sign * np.log1p(np.abs(clipped))
    return np.asarray(clipped)


def calibrate(calibrator: Json, log_odds: np.ndarray) -> np.ndarray:
    """Probabilities (n,) of log-odds (n,), within the calibrator's [low, high]."""
    probability = _calibrate_unbounded(calibrator, log_odds)
    bounded = np.clip(probability, calibrator["low"], calibrator["high"])
    return np.asarray(bounded)


def _calibrate_unbounded(calibrator: Json, log_odds: np.ndarray) -> np.ndarray:
    kind = calibrator["kind"]
    if kind == "none":
        return sigmoid(log_odds)

    if kind == "sigmoid":
        return sigmoid(calibrator["slope"] * log_odds + calibrator["intercept"])

    if kind == "beta":
        against = calibrator["a"] * softplus(-log_odds)
        in_favour = calibrator["b"] * softplus(log_odds)
        return sigmoid(calibrator["intercept"] - against + in_favour)

    if kind == "isotonic":
        probability = np.interp(log_odds, calibrator["raw"], calibrator["probability"])
        return np.asarray(probability)

    if kind == "venn_abers":  # a value below each knot, at it, and above it
        knots = np.array(calibrator["raw"], dtype=np.float64)
        below = np.searchsorted(knots, log_odds, side="left")
        at_or_below = np.searchsorted(knots, log_odds, side="right")
        steps = np.array(calibrator["probability"], dtype=np.float64)
        return np.asarray(steps[below + at_or_below])

    raise ValueError(f"unknown calibrator {kind!r}")


def add_shift(probability: np.ndarray, shift: float | np.ndarray) -> np.ndarray:
    """Probabilities with their log-odds moved by a shift, one for all or (n,); 0 and 1 stay."""
    if np.ndim(shift) == 0 and shift == 0:
        return probability
    with np.errstate(divide="ignore"):
        log_odds = np.log(probability) - np.log1p(-probability)
    return sigmoid(log_odds + shift)


def logit(probability: np.ndarray | float) -> np.ndarray:
    """Log-odds: log(p / (1 - p)), of probabilities above 0 and below 1."""
    return np.asarray(np.log(probability / (1 - probability)))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), without overflow."""
    e = np.exp(-np.abs(x))
    if_positive = 1 / (1 + e)
    if_negative = e / (1 + e)
    return np.asarray(np.where(x >= 0, if_positive, if_negative))


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x)), without overflow."""
    below_one = np.log1p(np.exp(-np.abs(x)))
    return np.asarray(np.maximum(x, 0) + below_one)


if __name__.startswith("code_model_"):  # the name under which MLflow runs this file to serve it
    import mlflow
    import pandas as pd
    from mlflow.exceptions import MlflowException

    class Served(mlflow.pyfunc.PythonModel):  # type: ignore[name-defined,misc]
        """Rows of features in, log_odds and win_probability out.

        The parameter `shift` is the running intercept of the current publication; by default it is
        that of the training.
        """

        def load_context(self, context) -> None:  # type: ignore[no-untyped-def]
            """Read and check the model's texts."""
            self.model = WinModel.from_folder(Path(context.artifacts["model"]))

        def predict(self, context, model_input: pd.DataFrame, params=None) -> list[dict]:  # type: ignore[no-untyped-def,type-arg]  # noqa: ARG002
            """One dict a row, in the order of the rows.

            Raises:
                MlflowException: a number is infinite, or what should be text is not; the server
                    answers 400.
            """
            columns = {}
            for feature in self.model.document["features"]:
                name = feature["name"]
                read = self._read_text if feature["category"] else self._read_numbers
                columns[name] = read(name, model_input[name])

            given = params or {}
            shift = given.get("shift", self.model.shift)
            log_odds = self.model.log_odds(columns)
            probability = self.model.probability(log_odds, shift)
            return [
                {"log_odds": x, "win_probability": p}
                for x, p in zip(log_odds.tolist(), probability.tolist(), strict=True)
            ]

        def _read_text(self, name: str, column: pd.Series) -> np.ndarray:
            values = [None if _is_missing(value) else value for value in column]
            is_text = [value is None or isinstance(value, str) for value in values]
            if not all(is_text):
                raise MlflowException.invalid_parameter_value(f"{name} must be text or null")
            if "None" in values and not self._is_known(name, "None"):
                raise MlflowException.invalid_parameter_value(
                    f"{name} is the text 'None', which MLflow makes of null in `instances` and "
                    "`inputs`; send dataframe_records or dataframe_split"
                )
            return np.array(values, object)

        def _read_numbers(self, name: str, column: pd.Series) -> np.ndarray:
            values = column.to_numpy(dtype=np.float64, na_value=np.nan)
            if np.isinf(values).any():
                raise MlflowException.invalid_parameter_value(
                    f"{name} must be a finite number or null"
                )
            return values

        def _is_known(self, name: str, value: str) -> bool:
            for entry in self.model.document["encoder"]:
                is_of_feature = entry["name"] == name
                if is_of_feature and value in entry.get("rates", ()):
                    return True
            return False

    def _is_missing(value: object) -> bool:
        if value is None or value is pd.NA:
            return True
        return isinstance(value, float) and np.isnan(value)

    mlflow.models.set_model(Served())
