"""What MLflow stores of a training: parameters, metrics, the data set, and the model as text."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version as installed_version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from leadscore.printable import as_markdown
from leadscore.registry.versions import Decision
from leadscore.results import (
    EvaluatedRows,
    Evaluation,
    Interval,
    Metrics,
    PromotionEvidence,
    SplitSummary,
)

if TYPE_CHECKING:
    import pandas as pd

    from leadscore.model.apply import WinModel

PACKAGES = ("lightgbm", "mlflow", "numpy", "pandas")  # what a served model needs
HEADLINE = {  # what MLflow shows first -> the metric that it is
    "auc": "auc",
    "log_loss_gain": "log_loss_gain",
    "calibration_error": "calibration_error",
    "lift_10": "lift_10",
    "win_rate": "judged.win_rate",
}
COUNTS = ("snapshots", "leads", "won", "censored")


def build_params(manifest: Mapping[str, Any], evaluation: Evaluation) -> dict[str, Any]:
    """What a training was given and what it chose, by name."""
    names = ("known_until", "store_version", "seed", "basis", "splits")
    given = {name: manifest[name] for name in names}
    splits = {
        f"split_{number}": _describe_split(split)
        for number, split in enumerate(evaluation.splits, 1)
    }
    scorer = dict(manifest["scorer"])
    kind = scorer.pop("kind")
    calibrator = manifest["calibrator"]["kind"]
    chosen = {"calibrator": calibrator, **scorer, "scorer": kind}
    return {**given, **manifest["target"], **splits, **chosen}


def _describe_split(split: SplitSummary) -> str:
    counts = f"{split.snapshots} snapshots, {split.leads} leads, {split.won} won"
    return f"{split.moment}: {counts}"


def build_metrics(evaluation: Evaluation, evidence: PromotionEvidence | None) -> dict[str, float]:
    """Every estimate as value, `_low` and `_high`.

    Estimates of young and of older leads are named after the part, those of the evidence for a
    promotion after "promotion"; the five of `HEADLINE` stand under "headline", too.
    """
    metrics: dict[str, float] = {}
    for part, of_part in evaluation.metrics.items():
        prefix = "" if part == "all" else f"{part}."
        for name, interval in of_part.intervals().items():
            metrics.update(_flatten(prefix + name, interval))
    if evaluation.overall:
        metrics.update(_count_rows(evaluation.overall))
    for name, interval in evaluation.gain.intervals().items():
        metrics.update(_flatten(name, interval))
    if evidence:
        difference = evidence.calibration.difference
        metrics.update(_flatten("promotion.log_loss_gain", evidence.gain))
        metrics.update(_flatten("promotion.calibration_difference", difference))
    metrics.update(_describe_history(evaluation))
    headline = {
        f"headline/{name}": metrics[metric]
        for name, metric in HEADLINE.items()
        if metric in metrics
    }
    return headline | metrics


def _count_rows(overall: Metrics) -> Iterator[tuple[str, float]]:
    """Name and number of what the metrics rest on."""
    for name in EvaluatedRows.model_fields:
        number = getattr(overall, name)
        if number is not None:
            yield f"judged.{name}", number


def _describe_history(evaluation: Evaluation) -> Iterator[tuple[str, float]]:
    """Name and number of what the model learned from."""
    for name in (*COUNTS, "base_rate"):
        number = getattr(evaluation.history, name)
        if number is not None:
            yield f"history.{name}", number


def _flatten(name: str, interval: Interval) -> Iterator[tuple[str, float]]:
    """The known numbers of an interval."""
    numbers = {"": interval.value, "_low": interval.low, "_high": interval.high}
    for suffix, number in numbers.items():
        if number is not None:
            yield name + suffix, number


def build_note(version: str, manifest: Mapping[str, Any], evaluation: Evaluation) -> str:
    """What MLflow's page of the run shows first, in Markdown."""
    known_until = manifest["known_until"]
    text = f"Model `{version}`, known until {known_until}, evaluated {evaluation.basis}."
    if manifest["no_signal"]:
        text += f"\n\n**Not registered**: {as_markdown(manifest['no_signal'])}."
    intervals = evaluation.overall.intervals() if evaluation.overall else {}
    for name, interval in sorted(intervals.items()):
        if interval.low is not None:
            bounds = f"{interval.low:.3f} to {interval.high:.3f}"
            text += f"\n- {name}: {interval.value:.3f} ({bounds})"
    return text


def build_decision(training_version: str, decision: Decision, why: str) -> str:
    """Whether a training scores, why, and by what evidence, as Markdown."""
    verdict = "scores from now on" if decision.promoted else "does not score"
    lines = [f"# Model `{training_version}` {verdict}", "", f"{as_markdown(why)}."]
    if decision.against:
        lines += [
            "",
            f"It was compared with `{decision.against}`, both as of the same past moment.",
        ]
    if decision.evidence:
        gain = decision.evidence.gain
        calibration = decision.evidence.calibration.difference
        lines += [
            "",
            "| on the leads open after that moment | value | 95% interval |",
            "|---|---|---|",
            _describe_row("log loss of the champion minus the challenger's", gain),
            _describe_row("calibration error of the challenger minus the champion's", calibration),
        ]
    return "\n".join(lines) + "\n"


def _describe_row(words: str, interval: Interval) -> str:
    return f"| {words} | {interval.value:.4f} | {interval.low:.4f} to {interval.high:.4f} |"


def build_dataset(mlflow: ModuleType, manifest: Mapping[str, Any], evaluation: Evaluation) -> Any:
    """The store version as MLflow's dataset: its digest is the fingerprint of all facts."""
    project = manifest["project"]
    store_version = manifest["store_version"]
    counts = {name: getattr(evaluation.history, name) for name in COUNTS}
    dataset = mlflow.entities.Dataset(
        name=project,
        digest=store_version,
        source_type="leadscore store",
        source=json.dumps({"project": project, "store_version": store_version}),
        profile=json.dumps(counts),
    )
    context = mlflow.entities.InputTag("mlflow.data.context", "training")
    return mlflow.entities.DatasetInput(dataset, [context])


def log_model(mlflow: ModuleType, home: Path, run_id: str, model: WinModel) -> None:
    """Log the model's texts, with `apply.py` as the code that MLflow runs to serve it.

    A request may give the `shift` of the running intercept as a parameter; by default it is the
    training's.
    """
    from leadscore.model import apply

    types = mlflow.types
    columns = [
        types.ColSpec("string" if feature["category"] else "double", feature["name"])
        for feature in model.document["features"]
    ]
    columns_out = ("log_odds", "win_probability")
    answer = [types.ColSpec("double", name) for name in columns_out]
    shift = types.ParamSpec("shift", "double", model.shift)
    inputs = types.Schema(columns)
    outputs = types.Schema(answer)
    params = types.ParamSchema([shift])
    signature = mlflow.models.ModelSignature(inputs, outputs, params)
    with mlflow.start_run(run_id=run_id), _without_bytecode():
        mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(apply.__file__)),
            artifacts={"model": str(home)},
            signature=signature,
            input_example=_build_example(model.document),
            pip_requirements=[f"{name}=={installed_version(name)}" for name in PACKAGES],
        )


@contextmanager
def _without_bytecode() -> Iterator[None]:
    """MLflow tries a model where it is about to be kept: nothing compiled may stay beside its text."""
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def _build_example(document: Mapping[str, Any]) -> pd.DataFrame:
    """A row that the model can be asked with: numbers in the middle, categories unknown.

    It is nobody's: the bins of the evidence say what is usual.
    """
    import pandas as pd

    row: dict[str, Any] = {}
    evidence = document.get("evidence", {})
    for feature in document["features"]:
        name = feature["name"]
        edges = evidence.get(name, {}).get("edges", [])
        middle = edges[len(edges) // 2] if edges else 0.0
        row[name] = None if feature["category"] else float(middle)
    return pd.DataFrame([row])
