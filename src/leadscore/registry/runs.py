"""Trainings as runs in MLflow: every training is logged once, with its model if it shows a signal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadscore.json_files import read_result
from leadscore.model.files import read_model
from leadscore.registry.connection import Connection
from leadscore.registry.contents import (
    build_dataset,
    build_decision,
    build_metrics,
    build_note,
    build_params,
    log_model,
)
from leadscore.registry.versions import (
    KNOWN_UNTIL_TAG,
    NO_SIGNAL_TAG,
    VERSION_TAG,
    Decision,
    Who,
)
from leadscore.results import Evaluation
from leadscore.settings.settings import Settings

if TYPE_CHECKING:
    from leadscore.model.apply import WinModel

SHORT = 8  # digits of a version in the name of a run
# else MLflow's pages of the experiment are those for chat bots
KIND = {"mlflow.experimentKind": "custom_model_development"}


@dataclass(frozen=True)
class Training:
    """What `write_model` wrote of a training, in the folder `home`."""

    home: Path
    model: WinModel
    manifest: Mapping[str, Any]
    evaluation: Evaluation

    @property
    def version(self) -> str:
        """The name of the folder, which is the hash of the manifest."""
        return self.home.name

    @property
    def no_signal(self) -> str | None:
        """Why there is no model to register, or None."""
        reason: str | None = self.manifest["no_signal"]
        return reason


def read_training(home: Path) -> Training:
    """A training from its folder; every file is checked against its hash."""
    model, manifest = read_model(home)
    return Training(home, model, manifest, read_result(home / "evaluation.json", Evaluation))


class Runs:
    """The runs of one project, which are one experiment in MLflow."""

    def __init__(self, connection: Connection, settings: Settings, name: str) -> None:
        self._connection = connection
        self._settings = settings
        self._name = name

    def find(self, condition: str) -> list[Any]:
        """MLflow's runs that meet a condition, the newest first."""
        client = self._connection.client
        experiment = client.get_experiment_by_name(self._name)
        if experiment is None:
            return []
        ids = [experiment.experiment_id]
        return list(client.search_runs(ids, condition, order_by=["attributes.start_time DESC"]))

    def find_finished(self, version: str) -> str | None:
        """The id of the run of a training that was logged completely, or None."""
        condition = f"tags.`{VERSION_TAG}` = '{version}' and attributes.status = 'FINISHED'"
        runs = self.find(condition)
        return str(runs[0].info.run_id) if runs else None

    def last_no_signal(self) -> str | None:
        """Why the latest training without a signal registered no model, or None."""
        runs = self.find(f"tags.`{NO_SIGNAL_TAG}` != ''")
        if not runs:
            return None
        return str(runs[0].data.tags[NO_SIGNAL_TAG])

    def known_until(self) -> list[str]:
        """Up to when each training knew the facts."""
        runs = self.find("attributes.status = 'FINISHED'")
        tags = [run.data.tags.get(KNOWN_UNTIL_TAG) for run in runs]
        return [tag for tag in tags if tag is not None]

    def log(
        self,
        training: Training,
        *,
        files: Mapping[str, str],
        who: Who,
        decision: Decision,
    ) -> str:
        """Log a training with all that belongs to it; the id of the run.

        A run that is not logged completely ends as failed, and is not found again.
        """
        client = self._connection.client
        run_id = self._create(training, who, decision)
        try:
            self._log_numbers(run_id, training, decision)
            why = training.no_signal or who.why
            texts = {"decision.md": build_decision(training.version, decision, why)}
            self._log_files(run_id, training, {**files, **texts})
            if not training.no_signal:
                log_model(self._connection.mlflow, training.home, run_id, training.model)
            client.set_terminated(run_id)
        except BaseException:
            client.set_terminated(run_id, status="FAILED")
            raise
        return run_id

    def _create(self, training: Training, who: Who, decision: Decision) -> str:
        """A new run with its name and tags, to be logged to; its id."""
        tags = {
            VERSION_TAG: training.version,
            KNOWN_UNTIL_TAG: training.manifest["known_until"],
            NO_SIGNAL_TAG: training.no_signal or "",
            "leadscore.promoted": "yes" if decision.promoted else "no",
            "leadscore.why": who.why,
            "mlflow.user": who.by,
            "mlflow.note.content": build_note(
                training.version, training.manifest, training.evaluation
            ),
        }
        day = training.manifest["known_until"].partition("T")[0]
        experiment = self._experiment()
        outcome = "promoted" if decision.promoted else "not promoted"
        if training.no_signal:
            outcome = "no signal"
        name = f"{day} {outcome} {training.version[:SHORT]}"
        run = self._connection.client.create_run(experiment, tags=tags, run_name=name)
        return str(run.info.run_id)

    def _experiment(self) -> str:
        """The id of the project's experiment, which is made if it does not exist."""
        client = self._connection.client
        if client.get_experiment_by_name(self._name) is None:
            self._connection.create_unless_exists(
                client.create_experiment,
                self._name,
                artifact_location=self._settings.artifact_location(),
                tags=KIND,
            )
        return str(client.get_experiment_by_name(self._name).experiment_id)

    def _log_numbers(self, run_id: str, training: Training, decision: Decision) -> None:
        mlflow = self._connection.mlflow
        entities = mlflow.entities
        client = self._connection.client
        numbers = build_metrics(training.evaluation, decision.evidence)
        texts = build_params(training.manifest, training.evaluation)
        metrics = [entities.Metric(name, number, 0, 0) for name, number in numbers.items()]
        params = [entities.Param(name, str(text)) for name, text in texts.items()]
        client.log_batch(run_id, metrics=metrics, params=params)

        dataset = build_dataset(mlflow, training.manifest, training.evaluation)
        client.log_inputs(run_id, [dataset])

    def _log_files(
        self,
        run_id: str,
        training: Training,
        files: Mapping[str, str],
    ) -> None:
        client = self._connection.client
        client.log_dict(run_id, self._settings.public(), "settings.json")
        client.log_artifact(run_id, str(training.home / "evaluation.json"))
        for path, text in files.items():
            client.log_text(run_id, text, path)
