"""Trainings registered by hand, and what MLflow then holds of them."""

import dataclasses
import itertools
import os
import warnings
from contextlib import contextmanager

import histories
from leadscore.model.files import write_model
from leadscore.registry.registry import Registry, Who
from leadscore.settings.environment import unchanged_environment
from leadscore.times import DAY_US

STORE = "0123456789abcdef"
REASON = "no signal: the interval is not wholly above 0"
FILES = {"card.html": "<p>Zürich</p>", "figures/roc.svg": "<svg/>", "features.json": "{}"}
moments = itertools.count()
projects = itertools.count()


def who(why="why not"):
    """Ada, a microsecond later than the last time."""
    return Who("ada", f"2024-06-01T00:00:00.{next(moments):06d}Z", why)


def training(settings, n=0, *, no_signal=None):
    """The folder of a training, another one for every n."""
    fitted = histories.fitted()
    known_us = fitted.known_us + n * DAY_US
    evaluation = fitted.evaluation.model_copy(update={"no_signal": no_signal})
    result = dataclasses.replace(fitted, known_us=known_us, evaluation=evaluation)
    return write_model(
        settings.models_folder / settings.project, result, settings=settings, store_version=STORE
    )


def register(settings, n=0, **how):
    return Registry(settings).register(
        training(settings, n, **how), files=FILES, who=who("trained by hand")
    )


@contextmanager
def mlflow_of(settings):
    """MLflow as whoever serves a model uses it, without leave to read pickles."""
    with unchanged_environment(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.pyfunc

        os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
        mlflow.set_tracking_uri(settings.tracking_uri())
        mlflow.set_registry_uri(settings.tracking_uri())
        yield mlflow


def runs_of(settings):
    with mlflow_of(settings) as mlflow:
        experiment = mlflow.get_experiment_by_name(f"leadscore-{settings.project}")
        return mlflow.MlflowClient().search_runs([experiment.experiment_id]) if experiment else []


def state(settings):
    """What readers are led by: number -> aliases, and how many runs ended well."""
    versions = {version.number: version.aliases for version in Registry(settings).versions()}
    return versions, sum(run.info.status == "FINISHED" for run in runs_of(settings))


def served(settings):
    """The number of the version that scores."""
    version = Registry(settings).load_champion()[2]
    return next(each.number for each in Registry(settings).versions() if each.version == version)
