"""What a Prefect server does about runs that died: they are run again, once. `make up` applies it."""

from __future__ import annotations

from datetime import timedelta

from local import StateType, get_client, prefect_events

Automation = prefect_events.AutomationCore
Trigger = prefect_events.EventTrigger
Labels = dict[str, str | list[str]]
SIGN = "prefect.flow-run.heartbeat"  # of life, every three minutes
RUN: Labels = {"prefect.resource.id": "prefect.flow-run.*"}
OURS: Labels = {"prefect.resource.id": "prefect.tag.leadscore", "prefect.resource.role": "tag"}
ENDS = ("Completed", "Failed", "TimedOut", "Cancelled", "Crashed")


def crash_silent(silent: timedelta = timedelta(minutes=10)) -> Automation:
    """A run without a sign of life for so long has crashed: nobody else may be left to notice."""
    trigger = Trigger(
        posture=prefect_events.Posture.Proactive,
        match=RUN,
        match_related=OURS,
        for_each={"prefect.resource.id"},
        after={SIGN, "prefect.flow-run.Running"},
        expect={SIGN, *(f"prefect.flow-run.{end}" for end in ENDS)},
        within=silent,
    )
    return _build(
        "leadscore-silent-run", trigger, StateType.CRASHED, why="No sign of life any more"
    )


def repeat_crashed() -> Automation:
    """A run whose first attempt crashed is scheduled again; one that crashes twice is left to people."""
    first_attempt = RUN | {"prefect.run-count": "1"}
    crashed = {"prefect.flow-run.Crashed"}
    trigger = Trigger(match=first_attempt, match_related=OURS, expect=crashed)
    return _build(
        "leadscore-crashed-run", trigger, StateType.SCHEDULED, why="Run again after a crash"
    )


def _build(name: str, trigger: Trigger, state: StateType, *, why: str) -> Automation:
    change = prefect_events.ChangeFlowRunState(name=None, state=state, message=why, force=False)
    return Automation(name=name, trigger=trigger, actions=[change])


def apply_automations(*automations: Automation) -> None:
    """Create them on the server, in place of those of the same names."""
    with get_client(sync_client=True) as client:
        for automation in automations:
            for earlier in client.read_automations_by_name(automation.name):
                client.delete_automation(earlier.id)
            client.create_automation(automation)


if __name__ == "__main__":
    apply_automations(crash_silent(), repeat_crashed())
