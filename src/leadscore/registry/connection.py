"""The connection to MLflow and to the database behind it.

The only place that imports MLflow, and only when it is used, because that takes seconds.
"""

from __future__ import annotations

import fcntl
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from leadscore.addresses import hide_secrets
from leadscore.errors import DamagedFileError, UnavailableError
from leadscore.files import is_there, read_start
from leadscore.settings.environment import set_environment, unchanged_environment
from leadscore.settings.registry import address_problem
from leadscore.settings.settings import Settings
from leadscore.wording import cut

SQLITE = "sqlite:///"
SQLITE_HEADER = b"SQLite format 3\0"
FOREIGN = {"mlflow", "sqlalchemy", "requests", "psycopg2", "alembic", "sqlite3"}
LONGEST_PROBLEM = 500  # characters


class Connection:
    """MLflow at the address that a project's settings name; nothing is opened before it is used."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._uri = settings.tracking_uri()

    @cached_property
    def mlflow(self) -> ModuleType:
        """The package."""
        set_environment()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import mlflow.pyfunc
        for chatty in ("mlflow", "alembic"):  # after the import, which chooses levels of its own
            logging.getLogger(chatty).setLevel(logging.WARNING)
        return mlflow

    @cached_property
    def client(self) -> Any:
        """MLflow's client; a SQLite database that does not exist yet is made."""
        if not self._uri.startswith("sqlite:"):
            return self._new_client()
        with self._lock_database():
            client = self._new_client()
            client.search_experiments(max_results=1)  # makes the tables
        return client

    def _new_client(self) -> Any:
        return self.mlflow.MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)

    @contextmanager
    def _lock_database(self) -> Iterator[None]:
        """Keep others out while the database is made; two processes would both try.

        In a folder that is read-only there is nothing to make, so no lock is needed.
        """
        path = self._settings.models_folder / ".mlflow.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.open("w")
        except OSError:
            if not self.exists():
                raise
            yield
            return
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def exists(self) -> bool:
        """Whether there is a database to look into; looking would make it."""
        path = self._database()
        return path is None or is_there(path)

    def _database(self) -> Path | None:
        """The file of a SQLite database; None where MLflow keeps its records elsewhere."""
        if not self._uri.startswith(SQLITE):
            return None
        return Path(self._uri.removeprefix(SQLITE))

    def _check_database(self) -> None:
        """Refuse a file that is no database; MLflow would try for two minutes to open it.

        Raises:
            UserError: it cannot be read.
            DamagedFileError: it is something else.
        """
        path = self._database()
        if path is None:
            return
        if read_start(path, len(SQLITE_HEADER)) not in {b"", SQLITE_HEADER}:
            cure = (
                "restore it, or remove it and train again: models and lists stay, "
                "their numbers begin anew"
            )
            raise DamagedFileError(path, "it is not a SQLite database", cure=cure)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Calls of MLflow, whose failures become one error that shows no secret of the address.

        Args:
            what: is being done, for the message: "MLflow failed while {what}".

        Raises:
            UnavailableError: MLflow, or the database behind it, failed.
        """
        if problem := address_problem(self._uri):
            raise UnavailableError(
                f"MLflow failed while {what}: its address, MLFLOW_TRACKING_URI, {problem}"
            )
        self._check_database()
        try:
            with warnings.catch_warnings(), unchanged_environment():
                warnings.simplefilter("ignore")  # about examples that these models do without
                set_environment()
                # to log a model, or to read one, there is no other way to state the address
                self.mlflow.set_tracking_uri(self._uri)
                self.mlflow.set_registry_uri(self._uri)
                yield
        except Exception as e:
            if not _is_foreign(e):
                raise
            problem = hide_secrets(_first_sentence(e), of=self._uri)
            # a traceback of `e` would show what is hidden
            raise UnavailableError(f"MLflow failed while {what}: {problem}") from None

    def create_unless_exists(self, create: Callable[..., Any], *args: Any, **more: Any) -> None:
        """Create something in MLflow, or leave what another process has just created."""
        try:
            create(*args, **more)
        except self.mlflow.MlflowException as e:
            if e.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def delete_unless_gone(self, delete: Callable[..., Any], *args: Any) -> None:
        """Delete something in MLflow that an attempt whose answer came too late may have deleted."""
        try:
            delete(*args)
        except self.mlflow.MlflowException as e:
            if e.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise


def _is_foreign(error: Exception) -> bool:
    """Whether an error comes from MLflow or from below it, and not from leadscore."""
    package = type(error).__module__.partition(".")[0]
    return isinstance(error, OSError | ImportError) or package in FOREIGN


def _first_sentence(error: Exception) -> str:
    """The first line of an error or, if that only announces a list, all of them."""
    text = str(error) or type(error).__name__
    lines = text.splitlines()
    if lines[0].endswith(":"):
        return cut(" ".join(lines), most=LONGEST_PROBLEM)
    return lines[0]
