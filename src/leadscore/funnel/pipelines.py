"""Several pipelines side by side: whose leads are whose, their velocity and their leads by month."""

from __future__ import annotations

import pandas as pd

from leadscore.funnel.cohorts import describe_cohorts
from leadscore.funnel.velocity import measure_velocity
from leadscore.history.split import History
from leadscore.history.visits import Span
from leadscore.results.funnel import PipelineSpeed


def read_pipelines(history: History, *, known_us: int) -> pd.Series[str]:
    """The pipeline of each lead's last open stage, by lead_id; leads without one are left out."""
    stages = history.settings.stages
    latest = history.facts.latest_stages(stages.open, known_us)
    return latest.map(stages.pipeline_of)


def describe_pipelines(history: History, spells: pd.DataFrame, span: Span) -> list[PipelineSpeed]:
    """Velocity and months of each pipeline, in their order; none where there is only one.

    Args:
        history: of the project.
        spells: as `list_endings` returns them.
        span: the period.
    """
    settings = history.settings
    if not settings.stages.pipelines:
        return []
    pipeline_of = read_pipelines(history, known_us=span.known_us)
    pipeline = spells["lead_id"].map(pipeline_of)
    described = []
    for name in settings.stages.pipelines:
        own = spells[pipeline == name]
        cohorts = describe_cohorts(
            own, since_us=span.since_us, known_us=span.known_us, zone=settings.timezone
        )
        speed = PipelineSpeed(
            pipeline=name,
            velocity=measure_velocity(history, own, span),
            cohorts=cohorts,
        )
        described.append(speed)
    return described
