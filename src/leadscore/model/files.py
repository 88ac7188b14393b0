"""Models on disk: texts with hashes, each model in its folder models/<project>/<version>/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadscore.atomic import write_folder
from leadscore.errors import CorruptFileError, UserError
from leadscore.files import describe_unreadable, hash_bytes, read_verified
from leadscore.json_files import canonical_json, read_json
from leadscore.model.target import describe_target
from leadscore.settings.settings import Settings
from leadscore.times import name_moment

if TYPE_CHECKING:
    from leadscore.model.apply import WinModel
    from leadscore.model.train import FitResult

VERSION_DIGITS = 16
BINS = "bins.json"
LEARNED = {"base", "terms", "linear"}  # of a scorer; the manifest holds only how it was fitted


def write_model(folder: Path, result: FitResult, *, settings: Settings, store_version: str) -> Path:
    """Write a training's texts to `folder`/<version>; returns that path.

    The version is the hash of the manifest: the same training gives the same version. A training
    without a signal is written too, so that it can be looked at; its manifest has `no_signal`, and
    nothing scores with it.
    """
    files = {
        "model.json": canonical_json(result.model.document),
        "evaluation.json": canonical_json(result.evaluation.to_dict()),
    }
    if result.bins is not None:
        files[BINS] = canonical_json(result.bins)
    if result.model.booster_text:  # a linear scorer is all in model.json
        files["booster.txt"] = result.model.booster_text.encode()

    manifest = _build_manifest(result, settings=settings, store_version=store_version)
    manifest["files"] = {name: hash_bytes(data) for name, data in files.items()}

    data = canonical_json(manifest)
    home = folder / hash_bytes(data)[:VERSION_DIGITS]
    write_folder(home, {**files, "manifest.json": data})
    return home


def _build_manifest(result: FitResult, *, settings: Settings, store_version: str) -> dict[str, Any]:
    """What the model is, what it learned from and what it predicts, without its files."""
    from leadscore.model.apply import FORMAT

    evaluation = result.evaluation
    scorer = result.model.scorer
    target = settings.target.model_dump(mode="json") if settings.is_dated else {}
    fitted = {name: value for name, value in scorer.items() if name not in LEARNED}
    return {
        "format": FORMAT,
        "project": settings.project,
        "time": settings.time,
        "known_until": name_moment(result.known_us, time=settings.time),
        "known_until_us": result.known_us,
        "store_version": store_version,
        "seed": settings.seed,
        "target": target,
        "predicts": describe_target(settings),
        "basis": evaluation.basis,
        "splits": len(evaluation.splits),
        "scorer": fitted,
        "calibrator": evaluation.calibrator.to_dict(),
        "no_signal": result.no_signal,
    }


def read_model(home: Path) -> tuple[WinModel, dict[str, Any]]:
    """The model in a folder that `write_model` returned, and its manifest.

    Raises:
        CorruptFileError: a file does not match its hash, or is gone.
        UserError: a file cannot be read.
    """
    from leadscore.model.apply import DamagedError, WinModel  # which import LightGBM

    try:
        model = WinModel.from_folder(home)
    except DamagedError as e:
        raise CorruptFileError(e.path, expected=e.expected, actual=e.actual) from e
    except OSError as e:
        problem = describe_unreadable(Path(e.filename or home), e.strerror or str(e))
        raise UserError(problem) from e
    return model, read_json(home / "manifest.json")


def read_bins(home: Path) -> dict[str, Any] | None:
    """How the features were distributed that the model in a folder learned from.

    None if it learned from nothing, or was trained by an earlier release.

    Raises:
        CorruptFileError: the file does not match its hash, or is gone.
    """
    sha256 = read_json(home / "manifest.json")["files"].get(BINS)
    if sha256 is None:
        return None
    bins: dict[str, Any] = json.loads(read_verified(home / BINS, sha256=sha256))
    return bins
