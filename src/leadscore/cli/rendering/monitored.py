"""What became of published scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import (
    draw_metrics,
    escaped,
    number,
    out,
    short,
    table_of,
    warn,
)
from leadscore.wording import counted

if TYPE_CHECKING:
    from leadscore.results import Captured, Group, ModelDrift
    from leadscore.results.contact import ExtraContact
    from leadscore.results.drift import CalibrationTest
    from leadscore.results.monitor import EstimatedPerformance, Monitored, ReceiptCounts, Settled
    from leadscore.results.shadow import ShadowComparison

REASONS = {
    "waiting": "wait until their horizon is over",
    "out_of_sight": "left the exports before that",
    "undated": "closed without a usable date",
    "without_lead": "have no open lead by what is known now",
}
HARDLY_ANY = 1.05  # to 1: evidence that is shown as none, 1.0 to 1
SHOWN_SHARES = (0.1, 0.2, 0.3)


def draw_monitor(monitored: Monitored) -> None:
    """What was predicted and what came of it, by tier, month and segment, and what is still open."""
    settled = monitored.settled
    _draw_counts(settled.counts, as_of=monitored.as_of)
    if settled.lists:
        _draw_settled(settled)
    if settled.next_due:
        order = "next" if settled.lists else "first"
        due = short(settled.next_due)
        out.print(
            f"The {order} list is settled on {due}, when its horizon is over.", highlight=False
        )
    if settled.expected:
        _draw_expected(settled.expected)
    if monitored.extra_contact:
        _draw_contact(monitored.extra_contact)
    if monitored.shadow:
        _draw_shadow(monitored.shadow)
    if monitored.drift:
        _draw_drift(monitored.drift)
    warn(monitored.warnings)


def _draw_contact(contact: ExtraContact) -> None:
    """What contacting leads of low tiers adds, or how much is missing to say so."""
    effect = contact.effect
    points = [100 * (bound or 0.0) for bound in (effect.value, effect.low, effect.high)]
    value, low, high = points
    known = "" if contact.known else f" Not known yet: {contact.more:,} more explored leads needed."
    out.print(
        f"Contacting a lead of a low tier adds {value:+.1f} points ({low:+.1f} to {high:+.1f}) to its "
        f"win rate, by {contact.explored:,} explored leads and {contact.others:,} others.{known}",
        highlight=False,
    )


def _draw_shadow(shadow: ShadowComparison) -> None:
    """The challenger's lists in shadow beside the champion's."""
    if shadow.won is None or shadow.predicted is None or shadow.predicted_in_shadow is None:
        out.print("The challenger's lists in shadow are not settled yet.")
        return
    lists = counted(shadow.lists, "list")
    words = (
        f"The challenger in shadow, on {shadow.leads:,} leads of {lists}: "
        f"{100 * shadow.predicted_in_shadow:.1f}% predicted, champion {100 * shadow.predicted:.1f}%, "
        f"{100 * shadow.won:.1f}% won"
    )
    if shadow.gain:
        words += f"; its log loss is lower by {number(shadow.gain)} nats"
    out.print(f"{words}.", highlight=False)


def _draw_drift(drift: ModelDrift) -> None:
    """Alarms with what to do, or that there is none, and what was looked at."""
    for alarm in drift.alarms:
        since = f" since {short(alarm.since)}" if alarm.since else ""
        out.print(f"[red]Alarm:[/] {escaped(alarm.subject)}{since}: {escaped(alarm.what)}")
        matters = f"{alarm.share:.0%} of the score rests on it; " if alarm.share is not None else ""
        out.print(f"  {matters}{escaped(alarm.sure)}. To do: {escaped(alarm.do)}", highlight=False)
    if not drift.alarms:
        out.print(f"No alarm from {_list_watched(drift)}.", highlight=False)
    if drift.calibration:
        out.print(_write_calibration(drift.calibration), highlight=False)
    warn(drift.notes)


def _write_calibration(test: CalibrationTest) -> str:
    """How strong the evidence is that win rates differ from the predictions."""
    odds = f"{test.highest:.1f} to 1; alarm at {test.limit:.0f} to 1"
    evidence = f"evidence against them {odds}"
    if test.raised is not None:
        return f"Win rates do not match the predictions ({evidence})."
    if test.highest < HARDLY_ANY:
        return f"No evidence that the win rates are off ({odds})."
    return f"Win rates match the predictions so far ({evidence})."


def _list_watched(drift: ModelDrift) -> str:
    """What could be watched; notes say why the rest could not."""
    watched = ["the number and freshness of facts"]
    if drift.compared:
        features = counted(len(drift.features), "feature")
        watched.insert(0, f"{features} of the list of {short(drift.compared)}")
    if drift.calibration:
        watched.append("the calibration")
    *before, last = watched
    return f"{', '.join(before)} and {last}" if before else last


def _draw_counts(counts: ReceiptCounts, *, as_of: str) -> None:
    others = []
    for name, words in REASONS.items():
        n = getattr(counts, name)
        if n:
            others.append(f"{n:,} {words}")
    rest = f"; {'; '.join(others)}" if others else ""
    settled = f"Of {counts.receipts:,} published scores {counts.settled:,} are settled"
    if not counts.settled:
        settled = f"None of the {counted(counts.receipts, 'published score')} is settled yet"
    out.print(
        f"{settled} as of {short(as_of)}{rest}.",
        highlight=False,
    )


def _draw_settled(settled: Settled) -> None:
    since, until = short(settled.since or ""), short(settled.until or "")
    title = f"{counted(settled.lists, 'list')} from {since} to {until}"
    if settled.metrics:
        draw_metrics(title, {"settled": settled.metrics})
    _draw_groups("By tier", "tier", settled.tiers)
    _draw_groups("By month of the list", "month", settled.months)
    if settled.segment:
        _draw_groups(f"By {settled.segment}", settled.segment, settled.segments)
    _draw_last_months(settled)
    if settled.captured:
        _draw_captured(settled.captured)
    for broken in settled.limits_broken:
        out.print(f"[red]Limit broken:[/] {escaped(broken)}")


def _draw_groups(title: str, column: str, groups: Sequence[Group]) -> None:
    table = table_of(title, escaped(column), "leads", "predicted", "won", "95% interval")
    for group in groups:
        table.add_row(
            escaped(group.name),
            f"{group.leads:,}",
            _percent(group.mean_probability),
            _percent(group.win_rate),
            f"{_percent(group.low)} to {_percent(group.high)}",
        )
    out.print(table)


def _draw_last_months(settled: Settled) -> None:
    """A line a tier of the last settled month."""
    if not settled.months:
        return
    last = settled.months[-1].name
    for group in settled.tiers_in_months:
        if group.month == last:
            out.print(
                f"{last}: {counted(group.leads, f'{group.name} lead')}, "
                f"{_percent(group.mean_probability)} predicted, {_percent(group.win_rate)} won",
                highlight=False,
            )


def _draw_captured(captured: Captured) -> None:
    unit = "wins" if captured.unit == "wins" else f"the wins' value ({escaped(captured.unit)})"
    table = table_of(
        f"Share of {unit} in the first part of the list", "called", "leadscore", "points"
    )
    for share in SHOWN_SHARES:
        point = captured.at(share)
        table.add_row(_percent(share), _percent(point.leadscore), _percent(point.scorecard))
    out.print(table)
    out.print("points: the order of the scorecard in the settings.", highlight=False)


def _draw_expected(expected: EstimatedPerformance) -> None:
    basis = "corrected by what is settled" if expected.corrected else "taken at face value"
    rate = expected.win_rate
    won = f"{_percent(rate.value or 0.0)} ({_percent(rate.low or 0.0)} to {_percent(rate.high or 0.0)})"
    out.print(
        f"Estimate for {counted(expected.lists, 'list')} still waiting ({expected.leads:,} leads), from "
        f"their own probabilities, {basis}: win rate {won}, "
        f"AUC {number(expected.auc)}, lift in the first 10% {number(expected.lift_10)}",
        highlight=False,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
