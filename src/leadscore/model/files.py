"""Models on disk: text with hashes under models/<project>/<version>/, and current.json that names the one in use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from leadscore.config import Settings
from leadscore.errors import NoModelError
from leadscore.files import (
    canonical_json,
    hash_bytes,
    read_json,
    read_verified,
    write_bytes,
    write_folder,
    write_pointer,
)
from leadscore.model.apply import WinModel
from leadscore.model.train import FitResult
from leadscore.times import format_us


def write_model(folder: Path, result: FitResult, *, settings: Settings, store_version: str) -> str:
    """Keep a trained model as text and make it the current one; returns its version, the hash of its manifest.

    The same training gives the same version, so that training twice keeps one.
    """
    files = {
        "model.json": canonical_json(result.model.document),
        "booster.txt": result.model.booster_text.encode(),
        "evaluation.json": canonical_json(result.evaluation),
    }
    manifest = {
        "format": 1,
        "project": settings.project,
        "known_until": format_us(result.known_us),
        "known_until_us": result.known_us,
        "store_version": store_version,
        "seed": settings.seed,
        "target": settings.target.model_dump(mode="json"),
        "basis": result.evaluation["basis"],
        "splits": len(result.evaluation["splits"]),
        "calibrator": result.evaluation["calibrator"],
        "files": {name: hash_bytes(data) for name, data in files.items()},
    }
    data = canonical_json(manifest)
    version = hash_bytes(data)[:16]
    write_folder(folder / version, {**files, "manifest.json": data})
    write_pointer(folder / "current.json", canonical_json({"version": version, "sha256": hash_bytes(data)}))
    (folder / "no_signal.json").unlink(missing_ok=True)
    return version


def write_no_signal(folder: Path, result: FitResult) -> None:
    """Note that a training ended without a model, and why; a model that was there before stays in use."""
    write_bytes(folder / "no_signal.json", canonical_json({"why": result.no_signal, "evaluation": result.evaluation}))


def read_current_model(folder: Path, *, project: str) -> tuple[WinModel, dict[str, Any], str]:
    """The model in use, its manifest and its version; every file is checked against its hash.

    Raises:
        NoModelError: none was trained, or training ended with no signal.
        CorruptFileError: a file was changed.
    """
    if not (folder / "current.json").exists():
        noted = folder / "no_signal.json"
        raise NoModelError(project, read_json(noted)["why"] if noted.exists() else None)
    current = read_json(folder / "current.json")
    home = folder / current["version"]
    read_verified(home / "manifest.json", sha256=current["sha256"])
    manifest = read_json(home / "manifest.json")
    texts = {name: read_verified(home / name, sha256=sha256).decode() for name, sha256 in manifest["files"].items()}
    return WinModel.from_text(texts["model.json"], texts["booster.txt"]), manifest, current["version"]
