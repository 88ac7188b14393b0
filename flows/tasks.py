"""The tasks that flows are made of: a job each, at the boundaries where it pays to try again.

They exchange paths and small values, never frames, and nothing is cached: a job finds out itself what is done already.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from leadscore import jobs
from leadscore.config import Settings, read_settings, set_environment
from leadscore.errors import UserError
from leadscore.model.registry import Who
from leadscore.terminal import METRIC_NAMES, exit_with_words
from leadscore.times import parse_moment, to_us

set_environment(  # Prefect reads it when it is imported; what the environment says already, stands
    PREFECT_HOME=str(Path(__file__).resolve().parents[1] / "data" / "prefect"),
    PREFECT_SERVER_EPHEMERAL_ENABLED="true",
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="120",
)

from prefect import flow, runtime, task  # noqa: E402
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact  # noqa: E402
from prefect.cache_policies import NO_CACHE  # noqa: E402

__all__ = ["flow", "ingest", "main", "publish", "register", "score", "train"]


def _may_help(_task: Any, _run: Any, state: Any) -> bool:
    """Whether to try again: not what the user has to mend."""
    return not isinstance(state.data, UserError)


def _retried(job: Callable[..., Any]) -> Any:
    """A task that waits and tries again; its job can be repeated."""
    return task(job, retries=3, retry_delay_seconds=[2, 10, 60], retry_condition_fn=_may_help, cache_policy=NO_CACHE)


def _settings(config: str, data: str | None = None) -> Settings:
    return read_settings(Path(config), input_folder=Path(data) if data else None)


def _as_of_us(settings: Settings, as_of: str | None) -> int | None:
    """The moment to look from: None for known_until, "now" for the clock, which schedules say."""
    if as_of == "now":
        return to_us(datetime.now(UTC))
    return None if as_of is None else parse_moment(as_of, zone=settings.timezone)


@_retried
def ingest(config: str, data: str | None = None) -> dict[str, Any]:
    """Read the exports into the store."""
    return jobs.ingest(_settings(config, data))


@task(cache_policy=NO_CACHE)
def train(config: str, as_of: str | None = None) -> dict[str, Any]:
    """Train, judge, and keep the model as files."""
    settings = _settings(config)
    return jobs.train(settings, as_of_us=_as_of_us(settings, as_of))


@_retried
def register(config: str, trained: dict[str, Any]) -> dict[str, Any]:
    """Log the training with MLflow, and show its metrics in Prefect."""
    who = Who(f"flow run {runtime.flow_run.name}", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "trained")
    registered = jobs.register(_settings(config), Path(trained["folder"]), who=who)
    told = trained["evaluation"]["metrics"].get("all", {})
    rows = [{"metric": words, **told[name]} for name, words in METRIC_NAMES.items() if name in told]
    create_table_artifact(rows, key="leadscore-metrics", description=f"Judged {trained['evaluation']['basis']}")
    create_link_artifact(Path(trained["card"]).resolve().as_uri(), "model card", key="leadscore-model-card")
    return registered


@task(cache_policy=NO_CACHE)
def score(config: str, as_of: str | None = None) -> dict[str, Any]:
    """Score the open leads with the champion, into files that nobody is led to yet."""
    settings = _settings(config)
    return jobs.score(settings, as_of_us=_as_of_us(settings, as_of))


@_retried
def publish(config: str, scored: dict[str, Any]) -> dict[str, Any]:
    """Lead readers to the scores, and tell of them in Prefect."""
    published = jobs.publish(_settings(config), scored["publication_id"])
    tiers = "".join(f"\n| {tier} | {n:,} |" for tier, n in scored["tiers"].items())
    text = (
        f"**{scored['counts']['scored']:,} open leads** scored as of {scored['as_of']} by model "
        f"`{scored['model_version']}`: `{scored['folder']}`\n\n| tier | leads |\n|---|---|{tiers}"
    )
    create_markdown_artifact(text, key="leadscore-scores")
    create_link_artifact(Path(scored["folder"]).resolve().as_uri(), scored["publication_id"], key="leadscore-files")
    return published


def main(run: Callable[..., Any], draw: Callable[[Any], None], *, about: str | None) -> None:
    """Run a flow from the command line and draw what it returned; exit codes as those of `leadscore`."""
    parser = ArgumentParser(description=about)
    parser.add_argument("--config", default="leadscore.toml", help="the settings file")
    parser.add_argument("--data", help="the folder of the exported files, if not as the settings say")
    parser.add_argument("--as-of", help="the moment to look from, or now; default: known_until")
    with exit_with_words():
        draw(run(**vars(parser.parse_args())))
