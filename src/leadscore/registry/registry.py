"""The registry of one project: register trainings, read models, and say which one scores."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadscore.errors import CorruptFileError, DamagedFileError, UnknownVersionError, UserError
from leadscore.json_files import read_result
from leadscore.model.files import read_bins, read_model
from leadscore.proposals import propose
from leadscore.registry.aliases import Aliases
from leadscore.registry.connection import Connection
from leadscore.registry.contents import build_note
from leadscore.registry.runs import Runs, Training, read_training
from leadscore.registry.versions import (
    CHALLENGER,
    CHAMPION,
    FIRST,
    KNOWN_UNTIL_TAG,
    UNDATED,
    VERSION_TAG,
    Decision,
    ModelVersion,
    Who,
    read_version,
)
from leadscore.results import Evaluation
from leadscore.settings.settings import Settings
from leadscore.times import parse_moment
from leadscore.wording import counted

if TYPE_CHECKING:
    from leadscore.model.apply import WinModel

__all__ = ["CHAMPION", "Decision", "ModelVersion", "Registry", "Who"]

SHORTEST = 4  # characters of the beginning of a version, by which it can be found
ANOTHER_CHAMPION = "trained; another champion scores than the one it was compared with"


class Registry:
    """The runs and models of one project in MLflow."""

    def __init__(self, settings: Settings) -> None:
        self.name = f"leadscore-{settings.project}"
        self.connection = Connection(settings)
        self._project = settings.project
        self._runs = Runs(self.connection, settings, self.name)
        self._aliases = Aliases(self.connection, self.name)

    def register(
        self,
        home: Path,
        *,
        files: Mapping[str, str],
        who: Who,
        decision: Decision = FIRST,
    ) -> ModelVersion | None:
        """Log the training in `home` as a run and, if it shows a signal, as a model version.

        It becomes champion if it was promoted and the champion is still the one that it was
        compared with; else challenger. A version that has scored before stays what it is. A
        training that was logged before is not logged again, so this can be repeated after a
        failure.

        Args:
            home: what `write_model` returned.
            files: what the run shows as well, such as figures: path -> text.
            who: trained it, and why it scores or does not.
            decision: whether it may score.

        Returns:
            The version, or None without a signal.
        """
        training = read_training(home)
        with self.connection.doing("registering the model"):
            versions = self.versions()
            known = {version.version: version.number for version in versions}
            number = known.get(training.version)
            if number is None:
                number = self._add(training, files=files, who=who, decision=decision)
            if number is None:
                return None
            is_latest = number >= max(known.values(), default=0)
            # of a known version, too: the last attempt may have failed before this
            self._assign_alias(number, who, decision, is_latest=is_latest)
            return self._version(number)

    def _add(
        self,
        training: Training,
        *,
        files: Mapping[str, str],
        who: Who,
        decision: Decision,
    ) -> int | None:
        """Log a training unless it is logged, and add its version: the number, None without one."""
        run_id = self._runs.find_finished(training.version)
        if run_id is None:
            run_id = self._runs.log(training, files=files, who=who, decision=decision)
        if training.no_signal:
            return None

        client = self.connection.client
        if self._aliases.registered_model() is None:
            self.connection.create_unless_exists(
                client.create_registered_model,
                self.name,
                description=f"Win probabilities of the leads of {self._project}. The alias "
                "`champion` scores; every version says what it was trained on and how good it is.",
            )
        model_id = client.get_run(run_id).outputs.model_outputs[0].model_id
        tags = {
            VERSION_TAG: training.version,
            KNOWN_UNTIL_TAG: training.manifest["known_until"],
        }
        description = build_note(training.version, training.manifest, training.evaluation)
        client.create_model_version(
            self.name,
            f"models:/{model_id}",
            run_id=run_id,
            tags=tags,
            model_id=model_id,
            description=description,
        )
        return self._drop_twins(training.version)

    def _drop_twins(self, version: str) -> int:
        """The number of a training's version, without others of the same training.

        A server that adds a version but answers too late is asked again, and adds another one.
        """
        twins = [known.number for known in self.versions() if known.version == version]
        first, *others = sorted(twins)
        for number in others:
            self.connection.delete_unless_gone(
                self.connection.client.delete_model_version, self.name, str(number)
            )
        return first

    def _assign_alias(
        self,
        number: int,
        who: Who,
        decision: Decision,
        *,
        is_latest: bool,
    ) -> None:
        """Make a version champion or challenger, unless it has been one."""
        numbers = self._aliases.numbers()
        champion = numbers.get(CHAMPION)
        champion_version = None if champion is None else self._version(champion).version
        is_as_compared = decision.against == champion_version
        if self._aliases.has_served(number):
            return
        if decision.promoted and is_as_compared:
            self._aliases.promote(number, who)
        elif is_latest and numbers.get(CHALLENGER) != number:
            why = who.why if is_as_compared else ANOTHER_CHAMPION
            moved_by = replace(who, why=why)
            self._aliases.move(CHALLENGER, number, moved_by)

    def load(self, which: str) -> tuple[WinModel, dict[str, Any], str]:
        """A model, its manifest and its version; every file is checked against its hash.

        Args:
            which: as `find` takes it.

        Raises:
            UnknownVersionError: no version, or more than one, matches.
            CorruptFileError: a file was changed.
            UnavailableError: MLflow cannot be reached.
        """
        version = self.find(which)
        with self.connection.doing("reading a model"), self._downloaded(version) as home:
            return *read_model(home), version.version

    def load_champion(self) -> tuple[WinModel, dict[str, Any], str]:
        """The model that scores, its manifest and its version, checked like those of `load`.

        Raises:
            UserError: there is no champion.
            CorruptFileError: a file was changed.
            UnavailableError: MLflow cannot be reached.
        """
        if not self.connection.exists():
            raise UserError(self._describe_no_champion(None, versions=0))
        with self.connection.doing("looking for the champion"):
            number = self._aliases.numbers().get(CHAMPION)
            if number is None:
                why = self._why_no_champion()
                versions = len(self.versions())
                raise UserError(self._describe_no_champion(why, versions=versions))
            version = self._version(number)
            with self._downloaded(version) as home:
                return *read_model(home), version.version

    def _describe_no_champion(self, why: str | None, *, versions: int) -> str:
        """That there is nothing to score with, and what to do.

        Args:
            why: the reason, or None.
            versions: how many models are registered.
        """
        reason = f"run `{propose('train')}` first"
        if versions:
            trained = counted(versions, "version exists", "versions exist")
            listing = propose("models list")
            promote = propose("models promote VERSION --why ...")
            reason = f"{trained}: see `{listing}`, then `{promote}`"
            if why:
                reason += f"; last recorded reason: {why}"
        elif why:
            reason = f"the last training ended without one: {why}"
        return f"project {self._project!r} has no champion to score with; {reason}"

    def _why_no_champion(self) -> str | None:
        """The reason of the latest move or, if there is none, of the latest training."""
        moves = self._aliases.moves()
        return moves[0]["why"] if moves else self._runs.last_no_signal()

    def champion(self) -> ModelVersion | None:
        """The version that scores, or None."""
        versions = self.versions()
        champions = [version for version in versions if CHAMPION in version.aliases]
        return champions[0] if champions else None

    def read_evaluation(self, version: ModelVersion) -> Evaluation:
        """How good a version was when it was trained: its evaluation.json."""
        with self.connection.doing("reading a model"), self._downloaded(version) as home:
            read_model(home)  # checks the hashes
            return read_result(home / "evaluation.json", Evaluation)

    def read_bins(self, which: str) -> dict[str, Any] | None:
        """How the features were distributed that a model learned from (see `read_bins`).

        Args:
            which: as `find` takes it.
        """
        version = self.find(which)
        with self.connection.doing("reading a model"), self._downloaded(version) as home:
            return read_bins(home)

    def versions(self) -> list[ModelVersion]:
        """All model versions, newest first."""
        if not self.connection.exists():
            return []
        with self.connection.doing("listing models"):
            aliases = self._aliases.numbers()
            entities = self.connection.client.search_model_versions(
                f"name = '{self.name}'", max_results=10_000
            )
            ours = [entity for entity in entities if VERSION_TAG in entity.tags]
            versions = [read_version(entity, aliases) for entity in ours]
            return sorted(versions, key=lambda version: version.number, reverse=True)

    def last_trained_us(self) -> int | None:
        """Up to when the latest training knew the facts, whether it became a version or not; None without one."""
        versions = [version.known_until for version in self.versions()]
        if not self.connection.exists():
            return None
        with self.connection.doing("looking for the latest training"):
            moments = [*versions, *self._runs.known_until()]
        dated = [parse_moment(moment, zone="UTC") for moment in moments if moment not in UNDATED]
        return max(dated, default=None)

    def moves(self) -> list[dict[str, Any]]:
        """All moves of aliases, newest first: alias, was, now (numbers or None), by, at, why."""
        if not self.connection.exists():
            return []
        with self.connection.doing("listing moves"):
            return self._aliases.moves()

    def find(self, which: str) -> ModelVersion:
        """A version by its number, an alias, or the first characters of its version.

        Raises:
            UnknownVersionError: no version, or more than one, matches.
        """
        versions = self.versions()
        for version in versions:
            if which == str(version.number) or which in version.aliases:
                return version
        matches = []
        if len(which) >= SHORTEST:
            matches = [version for version in versions if version.version.startswith(which)]
        if len(matches) != 1:
            known = [f"{version.number} ({version.version})" for version in versions]
            raise UnknownVersionError(self._project, which, known)
        return matches[0]

    def promote(self, which: str, who: Who) -> ModelVersion:
        """Let a version score from now on; the champion until now becomes `previous`.

        Raises:
            UserError: it is the champion already.
        """
        version = self.find(which)
        if CHAMPION in version.aliases:
            raise UserError(f"version {version.number} is the champion already")
        with self.connection.doing("promoting a model"):
            self._aliases.promote(version.number, who)
            return self._version(version.number)

    def rollback(self, who: Who) -> ModelVersion:
        """Let the champion before this one score again.

        Raises:
            UserError: there was none.
        """
        with self.connection.doing("rolling back"):
            number = self._aliases.champion_before()
            if number is None:
                raise UserError(f"project {self._project!r} has no previous champion to go back to")
            self._aliases.promote(number, who)
            return self._version(number)

    def _version(self, number: int) -> ModelVersion:
        client = self.connection.client
        entity = client.get_model_version(self.name, str(number))
        return read_version(entity, self._aliases.numbers())

    @contextmanager
    def _downloaded(self, version: ModelVersion) -> Iterator[Path]:
        """The folder of a version's texts, for as long as it is needed."""
        uri = f"models:/{self.name}/{version.number}"
        with tempfile.TemporaryDirectory() as folder:
            self.connection.mlflow.artifacts.download_artifacts(uri, dst_path=folder)
            home = Path(folder) / "artifacts" / version.version
            try:
                yield home
            except CorruptFileError as e:  # of the copy, where nobody would look for it
                path = self._stored_folder(version) / e.path.relative_to(home)
                source = f"from a backup, or train a new model: `{propose('train')}`"
                if isinstance(e, DamagedFileError):
                    raise DamagedFileError(path, e.actual, cure=f"put it back {source}") from e
                cure = f"Put it back {source}"
                raise CorruptFileError(path, expected=e.expected, actual=e.actual, cure=cure) from e

    def _stored_folder(self, version: ModelVersion) -> Path:
        """Where MLflow keeps a version's texts."""
        client = self.connection.client
        uri = client.get_model_version_download_uri(self.name, str(version.number))
        return Path(uri.removeprefix("file://")) / "artifacts" / version.version
