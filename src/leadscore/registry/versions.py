"""Model versions, who moves their aliases, and whether a training may score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadscore.results import PromotionEvidence
from leadscore.times import parse_moment

CHAMPION = "champion"  # scores
CHALLENGER = "challenger"  # the latest that was not promoted
PREVIOUS = "previous"  # was champion before

# Tags of runs and versions in MLflow.
VERSION_TAG = "leadscore.version"
KNOWN_UNTIL_TAG = "leadscore.known_until"
NO_SIGNAL_TAG = "leadscore.no_signal"
UNDATED = {"unknown", "undated"}  # instead of the end of the data


@dataclass(frozen=True)
class Who:
    """Who does something, when (ISO 8601, ends in Z) and why: logged with every move of an alias."""

    by: str
    at: str
    why: str


@dataclass(frozen=True)
class ModelVersion:
    """A registered model.

    Attributes:
        number: MLflow's.
        version: ours, the hash of its manifest.
        run_id: of the training that it comes from.
        known_until: of the data that it was trained on.
        aliases: that point to it, in alphabetical order.
    """

    number: int
    version: str
    run_id: str
    known_until: str
    aliases: tuple[str, ...]

    @property
    def known_us(self) -> int:
        """The end of that data in UTC microseconds; 0 where it is not dated."""
        if self.known_until in UNDATED:
            return 0
        return parse_moment(self.known_until, zone="UTC")


@dataclass(frozen=True)
class Decision:
    """Whether a training may score.

    Attributes:
        promoted: whether it may.
        against: the version that it was compared with, or None if none scored.
        evidence: of the comparison, if there was one.
    """

    promoted: bool = True
    against: str | None = None
    evidence: PromotionEvidence | None = None


FIRST = Decision()  # no model scored, and nothing spoke against this one


def read_version(entity: Any, aliases: Mapping[str, int]) -> ModelVersion:
    """One of MLflow's model versions as ours, with those of the aliases that point to it."""
    number = int(entity.version)
    own = [alias for alias, target in aliases.items() if target == number]
    names = sorted(own)
    return ModelVersion(
        number=number,
        version=entity.tags[VERSION_TAG],
        run_id=entity.run_id,
        known_until=entity.tags.get(KNOWN_UNTIL_TAG, "unknown"),
        aliases=tuple(names),
    )
