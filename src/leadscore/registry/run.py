"""What MLflow keeps of a training: parameters, metrics, the store version as data set, and the model as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version as installed_version
from pathlib import Path
from types import ModuleType
from typing import Any

from leadscore.model import apply
from leadscore.printable import as_markdown

PACKAGES = ("lightgbm", "mlflow", "numpy", "pandas")  # what a served model needs


def build_params(manifest: Mapping[str, Any], evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """What the training was told and chose, by name."""
    splits = {
        f"split_{i}": f"{s['moment']}: {s['snapshots']} snapshots, {s['leads']} leads, {s['won']} won"
        for i, s in enumerate(evaluation["splits"], 1)
    }
    told: dict[str, Any] = {
        key: manifest[key] for key in ("known_until", "store_version", "seed", "basis", "splits")
    }
    calibrator = {"calibrator": manifest["calibrator"]["kind"]}
    scorer: dict[str, Any] = {"kind": "boosted"} | manifest.get(
        "scorer", {}
    )  # the first models named none
    kind = scorer.pop("kind")
    return {**told, **manifest["target"], **splits, **calibrator, **scorer, "scorer": kind}


def build_metrics(
    evaluation: Mapping[str, Any], evidence: Mapping[str, Any] | None
) -> dict[str, float]:
    """Every estimate as value, `_low` and `_high`; those of young and older leads after the name of the part.

    What the evidence for a promotion says comes after "promotion".
    """
    found: dict[str, float] = {}

    def add(name: str, estimate: Mapping[str, float | None]) -> None:
        for part, suffix in (("value", ""), ("low", "_low"), ("high", "_high")):
            if (value := estimate[part]) is not None:
                found[name + suffix] = value

    for part, metrics in evaluation["metrics"].items():
        for name, told in metrics.items():
            if isinstance(told, dict):
                add(name if part == "all" else f"{part}.{name}", told)
            elif part == "all":
                found[f"judged.{name}"] = told
    for name, told in evaluation["gain"].items():
        add(name, told)
    if evidence:
        add("promotion.log_loss_gain", evidence["gain"])
        add("promotion.calibration_difference", evidence["calibration"]["difference"])
    known = {
        name: evaluation["history"][name]
        for name in ("snapshots", "leads", "won", "censored", "base_rate")
    }
    return found | {f"history.{name}": value for name, value in known.items() if value is not None}


def build_note(version: str, manifest: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str:
    """What MLflow's page says of the run first, in Markdown."""
    text = (
        f"Model `{version}`, known until {manifest['known_until']}, judged {evaluation['basis']}."
    )
    if manifest["no_signal"]:
        text += f"\n\n**Not registered**: {as_markdown(manifest['no_signal'])}."
    for name, estimate in evaluation["metrics"].get("all", {}).items():
        if isinstance(estimate, dict) and estimate["low"] is not None:
            text += f"\n- {name}: {estimate['value']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"
    return text


def build_dataset(
    mlflow: ModuleType, manifest: Mapping[str, Any], evaluation: Mapping[str, Any]
) -> Any:
    """The store version as MLflow's dataset: its digest is the fingerprint of all facts."""
    entities = mlflow.entities
    source = json.dumps(
        {"project": manifest["project"], "store_version": manifest["store_version"]}
    )
    profile = json.dumps(
        {key: evaluation["history"][key] for key in ("snapshots", "leads", "won", "censored")}
    )
    dataset = entities.Dataset(
        manifest["project"], manifest["store_version"], "leadscore store", source, profile=profile
    )
    return entities.DatasetInput(dataset, [entities.InputTag("mlflow.data.context", "training")])


def log_model(
    mlflow: ModuleType,
    home: Path,
    run_id: str,
    features: list[dict[str, Any]],
    *,
    shift: float = 0.0,
) -> None:
    """The model's texts, with `apply.py` as the code that MLflow runs to serve it.

    Whoever asks may give the `shift` of the times as a parameter; by default it is that of the training.
    """
    types = mlflow.types
    columns = [types.ColSpec("string" if f["category"] else "double", f["name"]) for f in features]
    answer = [types.ColSpec("double", name) for name in ("log_odds", "win_probability")]
    with mlflow.start_run(run_id=run_id):
        mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(apply.__file__)),
            artifacts={"model": str(home)},
            signature=mlflow.models.ModelSignature(
                types.Schema(columns),
                types.Schema(answer),
                types.ParamSchema([types.ParamSpec("shift", "double", shift)]),
            ),
            pip_requirements=[f"{name}=={installed_version(name)}" for name in PACKAGES],
        )
