"""The registry: MLflow keeps every training as a run, every model as a version, and says which one scores.

The only place that imports MLflow, and only when it is used, since that takes seconds. Aliases: `champion` scores,
`challenger` is the latest not promoted, `previous` was champion before. Where an alias points is one row in
MLflow's database, so a reader sees the old champion or the new one; who moves it, when and why is noted before.
"""

from __future__ import annotations

import fcntl
import json
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from leadscore.errors import (
    AliasError,
    CorruptFileError,
    DamagedFileError,
    NoModelError,
    RegistryError,
    UnknownVersionError,
)
from leadscore.files import is_there, read_start
from leadscore.json_files import read_json
from leadscore.model.apply import WinModel
from leadscore.model.files import read_model
from leadscore.registry.addresses import hide_secrets
from leadscore.registry.run import build_dataset, build_metrics, build_note, build_params, log_model
from leadscore.settings.environment import environment_kept, set_environment
from leadscore.settings.registry import address_problem
from leadscore.settings.settings import Settings
from leadscore.wording import cut

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
VERSION, NO_SIGNAL, MOVE = "leadscore.version", "leadscore.no_signal", "leadscore.move."  # tags
SQLITE, SQLITE_HEADER = "sqlite:///", b"SQLite format 3\0"
FOREIGN = {
    "mlflow",
    "sqlalchemy",
    "requests",
    "psycopg2",
    "alembic",
    "sqlite3",
}  # whose errors may come out of MLflow


@dataclass(frozen=True)
class Who:
    """Who does something, when (ISO 8601, ends in Z) and why: kept with every move of an alias."""

    by: str
    at: str
    why: str


@dataclass(frozen=True)
class ModelVersion:
    """A registered model: MLflow's number, our version (the hash of its manifest), and what it rests on."""

    number: int
    version: str
    run_id: str
    known_until: str
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """Whether a training may score, the version that it was `against`, if one scored, and the evidence as JSON."""

    promoted: bool = True
    against: str | None = None
    evidence: Mapping[str, Any] | None = None


FIRST = Decision()  # nothing scored, and nothing was said against it


class Registry:
    """The runs and models of one project in MLflow."""

    def __init__(self, settings: Settings) -> None:
        self.name = f"leadscore-{settings.project}"
        self._settings = settings

    @cached_property
    def _mlflow(self) -> ModuleType:
        set_environment()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import mlflow.pyfunc
        for chatty in ("mlflow", "alembic"):  # after the import, which chooses levels of its own
            logging.getLogger(chatty).setLevel(logging.WARNING)
        return mlflow

    @cached_property
    def _client(self) -> Any:
        uri = self._settings.tracking_uri()
        if not uri.startswith("sqlite:"):
            return self._mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        folder = self._settings.models_folder
        with self._making(folder / ".mlflow.lock"):
            client = self._mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
            client.search_experiments(max_results=1)
        return client

    @contextmanager
    def _making(self, path: Path) -> Iterator[None]:
        """Alone with the database, which two processes would else make at once; one that is there can be read-only."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.open("w")
        except OSError:
            if not self._is_there():
                raise
            yield
            return
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        """MLflow's failures, and those of the database behind it, as one error without an address's secrets."""
        if problem := address_problem(self._settings.tracking_uri()):
            raise RegistryError(what, f"its address, MLFLOW_TRACKING_URI, {problem}")
        self._check_database()
        try:
            with warnings.catch_warnings(), environment_kept():
                warnings.simplefilter("ignore")  # about examples that these models do without
                set_environment()
                for choose in (self._mlflow.set_tracking_uri, self._mlflow.set_registry_uri):
                    choose(
                        self._settings.tracking_uri()
                    )  # logging a model and reading one know no other way
                yield
        except Exception as e:
            if (
                not isinstance(e, OSError | ImportError)
                and type(e).__module__.partition(".")[0] not in FOREIGN
            ):
                raise
            problem = hide_secrets(_first_sentence(e), of=self._settings.tracking_uri())
            raise RegistryError(
                what, problem
            ) from None  # a traceback of `e` would show what is hidden

    def register(
        self, home: Path, *, files: Mapping[str, str], who: Who, decision: Decision = FIRST
    ) -> ModelVersion | None:
        """Log the training in `home` as a run and, if it showed a signal, as a model version.

        It becomes champion if it was promoted, and nothing else scores by now than what it was compared with; else
        challenger. One that has scored before stays what it is. A training that is there already is not logged again,
        so this can be repeated after a failure.

        Args:
            home: what `write_model` returned.
            files: what the run shows beside, such as figures: path -> text.
            who: trained it, and why it scores or does not.
            decision: whether it may score.

        Returns:
            The version, or None without a signal.
        """
        model, manifest = read_model(home)
        with self._doing("registering the model"):
            known = {version.version: version.number for version in self.versions()}
            number = known.get(home.name)
            if number is None:
                features = None if manifest["no_signal"] else model.document["features"]
                logged = self._runs(
                    f"tags.`{VERSION}` = '{home.name}' and attributes.status = 'FINISHED'"
                )
                run_id = (
                    logged[0].info.run_id
                    if logged
                    else self._log_run(
                        home, manifest, features, files=files, who=who, decision=decision
                    )
                )
                if features is None:
                    return None
                number = self._add_version(home.name, run_id, manifest)
            champion = self._aliases().get(
                CHAMPION
            )  # asked of a known version too: the last time may have failed
            same = decision.against == (self._version(champion).version if champion else None)
            if decision.promoted and same and not self._has_served(number):
                self._crown(number, who)
            elif number >= max(known.values(), default=0) and not self._has_served(
                number, CHALLENGER
            ):
                why = (
                    who.why
                    if same
                    else "trained; another champion scores than the one it was compared with"
                )
                self._move(CHALLENGER, number, replace(who, why=why))
            return self._version(number)

    def load(self, which: str) -> tuple[WinModel, dict[str, Any], str]:
        """A model, its manifest and its version, by what `find` takes; every file is checked against its hash.

        Raises:
            UnknownVersionError: none, or more than one, is called so.
            CorruptFileError: a file was changed.
            RegistryError: MLflow cannot be reached.
        """
        found = self.find(which)
        with self._doing("reading a model"), self._downloaded(found.number) as home:
            return *read_model(home), found.version

    def load_champion(self) -> tuple[WinModel, dict[str, Any], str]:
        """The model that scores, its manifest and its version; every file is checked against its hash.

        Raises:
            NoModelError: there is no champion.
            CorruptFileError: a file was changed.
            RegistryError: MLflow cannot be reached.
        """
        if not self._is_there():
            raise NoModelError(self._settings.project, None)
        with self._doing("looking for the champion"):
            number = self._aliases().get(CHAMPION)
            if number is None:
                ended, moves = self._runs(f"tags.`{NO_SIGNAL}` != ''"), self.moves()
                why = moves[0]["why"] if moves else ended[0].data.tags[NO_SIGNAL] if ended else None
                raise NoModelError(self._settings.project, why, versions=len(self.versions()))
            version = self._version(number).version
            with self._downloaded(number) as home:
                return *read_model(home), version

    def champion(self) -> ModelVersion | None:
        """The version that scores, or None."""
        return next((version for version in self.versions() if CHAMPION in version.aliases), None)

    def read_evaluation(self, version: ModelVersion) -> dict[str, Any]:
        """How good a version was when it was trained: its evaluation.json."""
        with self._doing("reading a model"), self._downloaded(version.number) as home:
            read_model(home)  # checks the hashes
            return read_json(home / "evaluation.json")

    def versions(self) -> list[ModelVersion]:
        """All model versions, the newest first."""
        if not self._is_there():
            return []
        with self._doing("listing models"):
            aliases = self._aliases()
            found = self._client.search_model_versions(f"name = '{self.name}'", max_results=10_000)
            versions = [_version_of(each, aliases) for each in found if VERSION in each.tags]
            return sorted(versions, key=lambda version: version.number, reverse=True)

    def moves(self) -> list[dict[str, Any]]:
        """All moves of aliases, the newest first: alias, was, now (numbers or None), by, at, why."""
        if not self._is_there():
            return []
        with self._doing("listing moves"):
            model = self._registered()
            tags = model.tags if model else {}
            noted = [
                _read_move(tags[key]) for key in sorted(tags, reverse=True) if key.startswith(MOVE)
            ]
            return [move for move in noted if move is not None]

    def find(self, which: str) -> ModelVersion:
        """A version by its number, the beginning of its version, or an alias.

        Raises:
            UnknownVersionError: none, or more than one, is called so.
        """
        versions = self.versions()
        for version in versions:
            if which == str(version.number) or which in version.aliases:
                return version
        found = [
            version for version in versions if len(which) >= 4 and version.version.startswith(which)
        ]
        if len(found) != 1:
            known = [f"{version.number} ({version.version})" for version in versions]
            raise UnknownVersionError(self._settings.project, which, known)
        return found[0]

    def promote(self, which: str, who: Who) -> ModelVersion:
        """Let a version score from now on; the champion until now becomes `previous`.

        Raises:
            AliasError: it is the champion already.
        """
        version = self.find(which)
        if CHAMPION in version.aliases:
            raise AliasError(f"version {version.number} is the champion already")
        with self._doing("promoting a model"):
            self._crown(version.number, who)
            return self._version(version.number)

    def rollback(self, who: Who) -> ModelVersion:
        """Let the champion before this one score again.

        Raises:
            AliasError: there was none.
        """
        with self._doing("rolling back"):
            aliases = self._aliases()
            number = aliases.get(PREVIOUS)
            if number == aliases.get(
                CHAMPION
            ):  # a move ended halfway: what was previous before it?
                noted = [
                    move
                    for move in self.moves()
                    if (move["alias"], move["now"]) == (PREVIOUS, number)
                ]
                number = noted[0]["was"] if noted else None
            if number is None:
                raise AliasError(
                    f"project {self._settings.project!r} has no previous champion to go back to"
                )
            self._crown(number, who)
            return self._version(number)

    def _crown(self, number: int, who: Who) -> None:
        """Move `champion` last: should the process die before, the old one scores, and all of it can be repeated."""
        aliases = self._aliases()
        if (champion := aliases.get(CHAMPION)) not in {None, aliases.get(PREVIOUS)}:
            self._move(PREVIOUS, champion, who)
        if aliases.get(CHALLENGER) == number:
            self._client.delete_registered_model_alias(self.name, CHALLENGER)
        self._move(CHAMPION, number, who)

    def _move(self, alias: str, number: int, who: Who) -> None:
        move = {"alias": alias, "was": self._aliases().get(alias), "now": number, **asdict(who)}
        self._client.set_registered_model_tag(
            self.name, f"{MOVE}{who.at}.{alias}", json.dumps(move)
        )
        self._client.set_registered_model_alias(self.name, alias, str(number))

    def _has_served(self, number: int, *also: str) -> bool:
        """Whether `champion`, `previous` or one of the aliases `also` leads to a version, or `champion` once did.

        A move is noted before it is made: the latest one may have failed, and then does not count.
        """
        aliases = self._aliases()
        crowned = [move["now"] for move in self.moves() if move["alias"] == CHAMPION]
        failed = crowned[:1] != [aliases.get(CHAMPION)]
        return number in {
            *crowned[failed:],
            *(aliases.get(alias) for alias in (CHAMPION, PREVIOUS, *also)),
        }

    def _registered(self) -> Any:
        """MLflow's registered model with aliases and tags, or None before the first version."""
        try:
            return self._client.get_registered_model(self.name)
        except self._mlflow.MlflowException as e:
            if e.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None

    def _aliases(self) -> dict[str, int]:
        model = self._registered()
        return {alias: int(number) for alias, number in model.aliases.items()} if model else {}

    def _version(self, number: int) -> ModelVersion:
        return _version_of(self._client.get_model_version(self.name, str(number)), self._aliases())

    @contextmanager
    def _downloaded(self, number: int) -> Iterator[Path]:
        """The folder of a version's texts, for as long as it is needed."""
        version = self._version(number).version
        with tempfile.TemporaryDirectory() as folder:
            self._mlflow.artifacts.download_artifacts(
                f"models:/{self.name}/{number}", dst_path=folder
            )
            home = Path(folder) / "artifacts" / version
            try:
                yield home
            except CorruptFileError as e:  # of the copy, which nobody will find
                place = self._client.get_model_version_download_uri(
                    self.name, str(number)
                ).removeprefix("file://")
                path = Path(place) / "artifacts" / version / e.path.relative_to(home)
                raise CorruptFileError(path, expected=e.expected, found=e.found) from e

    def _is_there(self) -> bool:
        """Whether there is a database to look into; looking would make it."""
        path = self._database()
        return path is None or is_there(path)

    def _database(self) -> Path | None:
        """The file of a SQLite database; None where MLflow keeps its records elsewhere."""
        uri = self._settings.tracking_uri()
        return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None

    def _check_database(self) -> None:
        """Refuse a file that is no database; MLflow would try for two minutes to open what cannot be read.

        Raises:
            UnreadableError: it is there and cannot be read.
            DamagedFileError: it is something else.
        """
        path = self._database()
        if path is None:
            return
        start = read_start(path, len(SQLITE_HEADER))
        if start not in {b"", SQLITE_HEADER}:
            cure = "restore it, or remove it and train again: models and lists stay, their numbers begin anew"
            raise DamagedFileError(path, "it is not a SQLite database", cure=cure)

    def _experiment(self) -> str:
        if self._client.get_experiment_by_name(self.name) is None:
            location = self._settings.artifact_location()
            kind = {
                "mlflow.experimentKind": "custom_model_development"
            }  # else its pages are those of chat bots
            self._unless_there(
                self._client.create_experiment, self.name, artifact_location=location, tags=kind
            )
        return str(self._client.get_experiment_by_name(self.name).experiment_id)

    def _unless_there(self, create: Callable[..., Any], *args: Any, **more: Any) -> None:
        """Create something, or leave it if it is there, be it that another process was quicker."""
        try:
            create(*args, **more)
        except self._mlflow.MlflowException as e:
            if e.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _runs(self, which: str) -> list[Any]:
        experiment = self._client.get_experiment_by_name(self.name)
        if experiment is None:
            return []
        ids, newest = [experiment.experiment_id], ["attributes.start_time DESC"]
        return list(self._client.search_runs(ids, which, order_by=newest))

    def _log_run(
        self,
        home: Path,
        manifest: Mapping[str, Any],
        features: list[dict[str, Any]] | None,
        *,
        files: Mapping[str, str],
        who: Who,
        decision: Decision,
    ) -> str:
        """A run with all that is told of a training; with `features` it holds the model, too."""
        evaluation = read_json(home / "evaluation.json")
        tags = {
            VERSION: home.name,
            NO_SIGNAL: manifest["no_signal"] or "",
            "leadscore.promoted": "yes" if decision.promoted else "no",
            "leadscore.why": who.why,
            "mlflow.user": who.by,
            "mlflow.note.content": build_note(home.name, manifest, evaluation),
        }
        name = f"known until {manifest['known_until'].partition('T')[0]}"
        run_id = str(
            self._client.create_run(self._experiment(), tags=tags, run_name=name).info.run_id
        )
        try:
            entities = self._mlflow.entities
            params = [
                entities.Param(key, str(value))
                for key, value in build_params(manifest, evaluation).items()
            ]
            metrics = [
                entities.Metric(key, value, 0, 0)
                for key, value in build_metrics(evaluation, decision.evidence).items()
            ]
            self._client.log_batch(run_id, metrics=metrics, params=params)
            self._client.log_inputs(run_id, [build_dataset(self._mlflow, manifest, evaluation)])
            self._client.log_dict(run_id, self._settings.public(), "settings.json")
            self._client.log_artifact(run_id, str(home / "evaluation.json"))
            for path, text in files.items():
                self._client.log_text(run_id, text, path)
            if features is not None:
                shift = read_model(home)[0].shift
                log_model(self._mlflow, home, run_id, features, shift=shift)
            self._client.set_terminated(run_id)
        except BaseException:
            self._client.set_terminated(run_id, status="FAILED")
            raise
        return run_id

    def _add_version(self, version: str, run_id: str, manifest: Mapping[str, Any]) -> int:
        if self._registered() is None:
            self._unless_there(self._client.create_registered_model, self.name)
        logged = self._client.get_run(run_id).outputs.model_outputs[0].model_id
        tags = {VERSION: version, "leadscore.known_until": manifest["known_until"]}
        made = self._client.create_model_version(
            self.name, f"models:/{logged}", run_id=run_id, tags=tags, model_id=logged
        )
        return int(made.version)


def _first_sentence(error: Exception) -> str:
    """What an error says in its first line or, if that only announces a list, in all of them."""
    lines = (str(error) or type(error).__name__).splitlines()
    return cut(" ".join(lines), most=500) if lines[0].endswith(":") else lines[0]


def _read_move(text: str) -> dict[str, Any] | None:
    """A move as it was noted; None if the tag was changed by hand into something else."""
    try:
        move = json.loads(text)
    except (ValueError, RecursionError):
        return None
    is_move = isinstance(move, dict) and {"alias", "was", "now", "by", "at", "why"} <= move.keys()
    return move if is_move else None


def _version_of(found: Any, aliases: Mapping[str, int]) -> ModelVersion:
    """One of MLflow's versions as ours."""
    number, tags = int(found.version), found.tags
    names = tuple(sorted(alias for alias, at in aliases.items() if at == number))
    return ModelVersion(
        number, tags[VERSION], found.run_id, tags.get("leadscore.known_until", "unknown"), names
    )
