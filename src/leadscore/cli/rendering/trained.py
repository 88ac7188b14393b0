"""How good models are, and which one scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from leadscore.cli.rendering.console import (
    command,
    draw_metrics,
    escaped,
    number,
    out,
    table_of,
    warn,
)
from leadscore.cli.rendering.reviewed import draw_due
from leadscore.proposals import CONFIG, USUAL
from leadscore.wording import counted, describe_memory_step, describe_next_step

if TYPE_CHECKING:
    from leadscore.results import (
        AuditedField,
        Confirmation,
        Evaluation,
        Group,
        NeverWorked,
        Promotion,
        Registered,
        Result,
        ScorerChoice,
        SideSummary,
        Trained,
    )

UNTRIED = {  # scorers that need more leads
    "logistic": "logistic regression",
    "average": "the average of logistic regression and boosted trees",
}


def draw_train(*results: Result) -> None:
    """How good the model is and what became of it, or why none was trained."""
    from leadscore.results import Registered, RetrainingDue, Trained

    match results:
        case (RetrainingDue() as retraining,):
            draw_due(retraining)
        case (Trained() as trained, Registered() as registered):
            _draw_trained(trained, registered)


def _draw_trained(trained: Trained, registered: Registered) -> None:
    evaluation = trained.evaluation
    if evaluation.overall:
        draw_metrics(f"Evaluated {evaluation.basis}", {"all": evaluation.overall})
    if evaluation.metrics:
        out.print(_learned(evaluation))
    _draw_breakdowns(evaluation)
    if evaluation.horizon_why:
        why = escaped(evaluation.horizon_why)
        out.print(f"Horizon: {evaluation.horizon_days} days, since {why}")
    _draw_scorer(evaluation.scorer, by_split=bool(evaluation.splits))
    if evaluation.assumption:
        warn([evaluation.assumption])
    _draw_calibration(evaluation)
    _draw_fields(evaluation)
    out.print(f"Model card: {escaped(trained.card)}", soft_wrap=True)
    if trained.no_signal:
        out.print(f"[yellow]{escaped(trained.no_signal)}[/]")
        out.print("No model was registered; the champion stays as it is.")
        return
    draw_promotion(trained.promotion)
    if evaluation.confirm:
        _draw_confirmation(evaluation.confirm, decided=trained.promotion.why)
    _draw_registered(trained, registered)


def _draw_calibration(evaluation: Evaluation) -> None:
    calibrator = evaluation.calibrator
    why = f" ({calibrator.why})" if calibrator.why else ""
    out.print(f"Splits: {len(evaluation.splits)}. Calibrator: {calibrator.kind}{why}")
    if evaluation.carriers:
        out.print(escaped(evaluation.carriers.summary), highlight=False)
    if evaluation.times:
        summary = escaped(evaluation.times.summary)
        out.print(f"Adjustment to the recent win rate (running intercept): {summary}")
    if evaluation.pace:
        out.print(f"Time to win: {escaped(evaluation.pace.summary)}")
    gain = number(evaluation.gain.log_loss_gain)
    out.print(f"Gain in log loss over the base rate: {gain}")


def _draw_fields(evaluation: Evaluation) -> None:
    """The fields that were not learned from, and those that the audit speaks against."""
    ruled_out = evaluation.not_asked_for
    undated = [name for name in evaluation.not_learned_from if name not in ruled_out]
    for names, why in (
        (undated, "not known when they were filled in"),
        (ruled_out, "your own people, or excluded by the settings"),
    ):
        if names:
            fields = escaped(", ".join(names))
            out.print(f"[yellow]Not learned from[/] ({why}): {fields}")
    if undated:
        step = escaped(describe_next_step(undated))
        out.print(f"To learn from them: {step}", highlight=False, soft_wrap=True)
    if evaluation.keys_not_learned_from:
        keys = evaluation.keys_not_learned_from
        mapped = escaped(", ".join(keys))
        step = escaped(describe_memory_step(keys))
        out.print(f"[yellow]Not learned from[/] (nothing says since when they are known): {mapped}")
        out.print(
            f"To learn from earlier leads of the same {' or '.join(keys)}: {step}",
            highlight=False,
            soft_wrap=True,
        )
    for field in evaluation.audit:
        if field.verdict != "ok":
            words = escaped(field.in_words or field.evidence)
            out.print(f"[yellow]{_verdict(field)}:[/] {escaped(field.field)}: {words}")


def _verdict(field: AuditedField) -> str:
    kind = "a leak" if field.verdict == "leak" else "suspect"
    if field.left_out:
        return f"left out, {kind}"
    return f"kept, {kind}" if kind == "a leak" else kind


def _draw_confirmation(confirmation: Confirmation, *, decided: str) -> None:
    """The fields that somebody has to confirm, and the lines that do so, to be copied as they are."""
    if confirmation.why != decided:
        out.print(f"[yellow]To confirm:[/] {escaped(confirmation.why)}", highlight=False)
    for question in confirmation.questions:
        label = f" ({question.label})" if question.label else ""
        name = escaped(question.field + label)
        out.print(f"  {name}: {escaped(question.why)}", highlight=False, soft_wrap=True)
    if not confirmation.lines:
        return
    config = escaped(CONFIG.get() or USUAL)
    out.print(
        "If a field was not known by then, set learn = false for it. For the others, replace their "
        f"sections in {config} with these lines, and run {command('train')} again:\n",
        highlight=False,
        soft_wrap=True,
    )
    out.print(Text(confirmation.lines), highlight=False, soft_wrap=True)
    out.print()


def _draw_registered(trained: Trained, registered: Registered) -> None:
    """What the new version is called, and what scores."""
    version, champion = registered.registered, registered.champion
    if version is None:
        return
    aliases = escaped(" and ".join(version.aliases)) or "no alias"
    name = f"version {version.number} of {registered.registered_model}"
    out.print(f"Model [bold]{version.version}[/] is {name}: {aliases}")
    promote = command(f"models promote {version.number} --why ...")
    if champion is None:
        out.print(f"No champion yet. To promote this model anyway: {promote}", soft_wrap=True)
        return
    if version == champion:
        return
    if trained.promotion.promoted:
        out.print(
            "It is not the champion: it was replaced before, or another version has become champion since."
        )
    compare = command(f"models compare {champion.number} {version.number}")
    out.print(
        f"Version {champion.number} remains champion. Compare both: {compare}", soft_wrap=True
    )
    out.print(f"To promote the new one: {promote}", soft_wrap=True)


def _draw_breakdowns(evaluation: Evaluation) -> None:
    """Tiers and segments, what the list captures, and what more history would bring."""
    _draw_groups("By tier", evaluation.tiers)
    _draw_groups("By segment", evaluation.segments)
    _note_repeats(evaluation)
    if evaluation.never_worked:
        _draw_never_worked(evaluation.never_worked)
    if evaluation.captured:
        unit = escaped(evaluation.captured.unit)
        shares = evaluation.captured.at(0.2)
        ours = f"The first fifth of the list captures {shares.leadscore:.0%} of the value ({unit})"
        out.print(
            f"{ours}; scorecard {shares.scorecard:.0%}, random {shares.random:.0%}, "
            f"oracle {shares.oracle:.0%}"
        )
    if evaluation.drift:
        out.print(f"Drift: {escaped(evaluation.drift.summary)}")
    if evaluation.learning:
        out.print(f"More history: {escaped(evaluation.learning.summary)}")


def _draw_never_worked(never: NeverWorked) -> None:
    tiers = ", ".join(f"{tier} {count:,}" for tier, count in never.by_tier.items())
    if sum(never.by_tier.values()) > never.leads:
        tiers += "; a lead counts in each tier that it was in"
    leads = f"{never.leads:,} of {never.of:,} evaluated leads that were not won"
    out.print(f"Never worked: {leads} ({tiers})")


def _note_repeats(evaluation: Evaluation) -> None:
    """Why the leads of the groups add up to more than all of them, where they do."""
    overall = evaluation.overall
    if overall is None:
        return
    in_tiers = sum(group.leads for group in evaluation.tiers)
    if in_tiers > overall.leads:
        out.print(
            "Leads are evaluated more than once. Each counts in every group that it was in, so the groups "
            f"add up to more than {overall.leads:,} leads.",
            highlight=False,
        )


def _draw_groups(title: str, groups: Sequence[Group]) -> None:
    if not groups:
        return
    table = table_of(title, "", "leads", "predicted", "won", "95% interval")
    for group in groups:
        table.add_row(
            escaped(group.name),
            f"{group.leads:,}",
            f"{group.mean_probability:.3f}",
            f"{group.win_rate:.3f}",
            f"{group.low:.3f} to {group.high:.3f}",
        )
    out.print(table)


def draw_promotion(promotion: Promotion) -> None:
    """What was decided, and the numbers that decided it."""
    verdict = "[green]Promoted[/]" if promotion.promoted else "[yellow]Not promoted[/]"
    out.print(f"{verdict}: {escaped(promotion.why)}", highlight=False)
    evidence = promotion.evidence
    if evidence is None:
        return
    calibration = evidence.calibration
    for name, error in (
        ("champion", calibration.champion),
        ("challenger", calibration.challenger),
    ):
        loss = evidence.log_loss[name]
        out.print(
            f"  {name}: {evidence.scorers[name]}, log loss {loss:.4f}, "
            f"calibration error {number(error)}",
            highlight=False,
        )
    for segment in evidence.segments:
        gain = f"gain {number(segment.gain)}" if segment.gain else "too few to tell"
        name = escaped(segment.segment)
        out.print(f"  segment {name}: {segment.leads:,} leads, {gain}", highlight=False)
    overlap = evidence.overlap
    if overlap:
        out.print(f"  {overlap['stay']:,} of the {overlap['of']:,} top leads stay", highlight=False)


def _draw_scorer(scorer: ScorerChoice, *, by_split: bool) -> None:
    """Which kind of scorer it is, why, and what others would need."""
    if scorer.why is not None:
        points = f"[yellow]Scorecard[/], points from the settings alone: {escaped(scorer.why)}"
        out.print(points, highlight=False)
    else:
        where = "before the last split" if by_split else "out of fold"
        losses = f"; log loss {where}: {_losses(scorer.log_loss)}" if scorer.log_loss else ""
        out.print(f"Scorer: {scorer.kind}, {scorer.rule}{losses}")
    proxies = scorer.clocks
    if proxies.fields:
        use = "left out" if proxies.left_out else "learned from"
        fields = escaped(", ".join(proxies.fields))
        losses = _losses(proxies.log_loss)
        out.print(f"Proxies for time ({fields}) are {use}: log loss {losses}", highlight=False)
    if scorer.segments.field:
        field = escaped(scorer.segments.field)
        out.print(f"Segments by {field}: {escaped(_segments(scorer))}", highlight=False)
    for kind, missing in scorer.missing_leads.items():
        name = UNTRIED.get(kind, kind)
        out.print(f"Too few closed leads to try {name} yet: about {missing:,} more are needed")
    if not scorer.reproducible:
        warn(["the time limit ended the search: another machine may choose differently"])


def _segments(scorer: ScorerChoice) -> str:
    own = [
        f"{model.segment} (gain {model.gain:.4f})" for model in scorer.segments.models if model.own
    ]
    if own:
        return f"with a model of its own: {', '.join(own)}"
    return f"one model for all, since {scorer.segments.why}"


def _losses(by_name: dict[str, float]) -> str:
    return ", ".join(f"{name} {loss:.4f}" for name, loss in by_name.items())


def _learned(evaluation: Evaluation) -> str:
    """What a model was learned from."""
    history = evaluation.history
    if evaluation.assumption:
        leads = counted(history.leads, "closed lead")
        return f"Learned from {leads}, of which {history.base_rate or 0.0:.1%} were won"
    mature = "-" if history.mature_rate is None else f"{history.mature_rate:.3f}"
    return (
        f"Learned from {history.snapshots:,} snapshots of {history.leads:,} leads; "
        f"base rate {history.base_rate:.3f} weighted, {mature} mature only; "
        f"{history.censored:,} censored, {history.weights_capped:.1%} of weights capped"
        f"{_unusable(history)}"
    )


def _unusable(history: SideSummary) -> str:
    """The snapshots left out since nobody knows when their lead closed."""
    parts = [f"{count:,} {outcome}" for outcome, count in history.unusable.items() if count]
    if not parts:
        return ""
    return f"; {' and '.join(parts)} snapshots left out: their leads have no usable close date"
