"""The tasks that look back: whether training is due, and what the settled lists ask for."""

from __future__ import annotations

from leadscore import Project
from leadscore.project import reviewing
from leadscore.registry.registry import Who
from leadscore.results import RetrainingDue, Reviewed
from local import flow_run_name, once
from moments import moment_us_of
from recorded import now


@once
def find_due(config: str, as_of: str | None, clock: str | None) -> RetrainingDue:
    """Whether it is time to train again."""
    project = Project(config)
    return reviewing.find_due(project.settings, as_of_us=moment_us_of(project, as_of, clock))


@once
def review(config: str, as_of: str | None, clock: str | None) -> Reviewed:
    """Settle the published lists, compare the latest with the training, and act on what they say."""
    project = Project(config)
    who = Who(flow_run_name(), now(), "the settled lists")
    return reviewing.review(project.settings, who=who, as_of_us=moment_us_of(project, as_of, clock))
