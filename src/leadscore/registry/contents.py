"""What MLflow stores of a training: parameters, metrics, the data set, and the model as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version as installed_version
from pathlib import Path
from types import ModuleType
from typing import Any

from leadscore.model import apply
from leadscore.model.apply import WinModel
from leadscore.printable import as_markdown

Estimate = Mapping[str, float | None]  # value, low and high

PACKAGES = ("lightgbm", "mlflow", "numpy", "pandas")  # what a served model needs
COUNTS = ("snapshots", "leads", "won", "censored")


def build_params(manifest: Mapping[str, Any], evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """What a training was given and what it chose, by name."""
    names = ("known_until", "store_version", "seed", "basis", "splits")
    given = {name: manifest[name] for name in names}
    splits = {
        f"split_{number}": _describe_split(split)
        for number, split in enumerate(evaluation["splits"], 1)
    }
    scorer = dict(manifest["scorer"])
    kind = scorer.pop("kind")
    chosen = {"calibrator": manifest["calibrator"]["kind"], **scorer, "scorer": kind}
    return {**given, **manifest["target"], **splits, **chosen}


def _describe_split(split: Mapping[str, Any]) -> str:
    counts = f"{split['snapshots']} snapshots, {split['leads']} leads, {split['won']} won"
    return f"{split['moment']}: {counts}"


def build_metrics(
    evaluation: Mapping[str, Any], evidence: Mapping[str, Any] | None
) -> dict[str, float]:
    """Every estimate as value, `_low` and `_high`.

    Estimates of young and of older leads are named after the part, those of the evidence for a
    promotion after "promotion".
    """
    metrics: dict[str, float] = {}
    for part, estimates in evaluation["metrics"].items():
        metrics.update(_part_metrics(part, estimates))
    for name, estimate in evaluation["gain"].items():
        metrics.update(_flatten(name, estimate))
    if evidence:
        difference = evidence["calibration"]["difference"]
        metrics.update(_flatten("promotion.log_loss_gain", evidence["gain"]))
        metrics.update(_flatten("promotion.calibration_difference", difference))

    for name in (*COUNTS, "base_rate"):
        value = evaluation["history"][name]
        if value is not None:
            metrics[f"history.{name}"] = value
    return metrics


def _part_metrics(part: str, estimates: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Name and number of everything that is known of a part of the leads, or of all."""
    for name, value in estimates.items():
        if isinstance(value, dict):
            yield from _flatten(name if part == "all" else f"{part}.{name}", value)
        elif part == "all":
            yield f"judged.{name}", value


def _flatten(name: str, estimate: Estimate) -> Iterator[tuple[str, float]]:
    """The known numbers of an estimate."""
    for key, suffix in (("value", ""), ("low", "_low"), ("high", "_high")):
        number = estimate[key]
        if number is not None:
            yield name + suffix, number


def build_note(version: str, manifest: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str:
    """What MLflow's page of the run shows first, in Markdown."""
    known_until = manifest["known_until"]
    text = f"Model `{version}`, known until {known_until}, evaluated {evaluation['basis']}."
    if manifest["no_signal"]:
        text += f"\n\n**Not registered**: {as_markdown(manifest['no_signal'])}."
    for name, estimate in evaluation["metrics"].get("all", {}).items():
        if isinstance(estimate, dict) and estimate["low"] is not None:
            interval = f"{estimate['low']:.3f} to {estimate['high']:.3f}"
            text += f"\n- {name}: {estimate['value']:.3f} ({interval})"
    return text


def build_dataset(
    mlflow: ModuleType, manifest: Mapping[str, Any], evaluation: Mapping[str, Any]
) -> Any:
    """The store version as MLflow's dataset: its digest is the fingerprint of all facts."""
    project = manifest["project"]
    store_version = manifest["store_version"]
    counts = {name: evaluation["history"][name] for name in COUNTS}
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
    types = mlflow.types
    columns = [
        types.ColSpec("string" if feature["category"] else "double", feature["name"])
        for feature in model.document["features"]
    ]
    answer = [types.ColSpec("double", name) for name in ("log_odds", "win_probability")]
    shift = types.ParamSpec("shift", "double", model.shift)
    signature = mlflow.models.ModelSignature(
        types.Schema(columns), types.Schema(answer), types.ParamSchema([shift])
    )
    with mlflow.start_run(run_id=run_id):
        mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(apply.__file__)),
            artifacts={"model": str(home)},
            signature=signature,
            pip_requirements=[f"{name}=={installed_version(name)}" for name in PACKAGES],
        )
