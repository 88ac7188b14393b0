"""What tells that a list made now would rest on other data, another model, or another list before it."""

from __future__ import annotations

from dataclasses import dataclass

from leadscore.files import hash_bytes
from leadscore.json_files import canonical_json
from leadscore.project.scoring import read_inputs
from leadscore.publish.listed import read_current_id
from leadscore.registry.registry import Registry
from leadscore.settings.settings import Settings
from leadscore.store.version import read_pointer


@dataclass(frozen=True)
class Signs:
    """What a list rests on; None for what is not there.

    Attributes:
        champion: the model's version.
        store: hash of the current store version.
        publication: the current list.
        inputs: hash of what scoring reads besides the store.
    """

    champion: str | None
    store: str | None
    publication: str | None
    inputs: str


def read_signs(settings: Settings) -> Signs:
    """The signs of now, from a few small files and one question to MLflow.

    Raises:
        UserError: a file that people keep by hand cannot be read.
        UnavailableError: MLflow cannot be reached.
    """
    folder = settings.project_folder()
    champion = Registry(settings).champion()
    return Signs(
        champion=champion.version if champion else None,
        store=read_pointer(folder / "store"),
        publication=read_current_id(folder / "scores"),
        inputs=hash_bytes(canonical_json(read_inputs(settings))),
    )
