"""Training, the registry and the back-test."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from leadscore.atomic import write_bytes, write_folder
from leadscore.audit.confirm import Confirmation, build_confirmation, still_to_confirm
from leadscore.audit.people import find_people
from leadscore.audit.verdict import FieldVerdict, audit_learned, clocks, left_out
from leadscore.errors import (
    AsOfError,
    CorruptFileError,
    FollowUpError,
    NoStoreError,
    TooFewOutcomesError,
)
from leadscore.features.fields import mapped_fields
from leadscore.features.people import unasked_fields
from leadscore.files import hash_bytes, is_there, read_if_there
from leadscore.history.split import History
from leadscore.ingest.reps import read_rep_names
from leadscore.json_files import canonical_json, read_json
from leadscore.locks import WRITING, sweep
from leadscore.model.apply import WinModel
from leadscore.model.contributions.carriers import describe_carriers, share_of_fields
from leadscore.model.files import write_model
from leadscore.model.horizon import choose_first_horizon, choose_horizon
from leadscore.model.target import TargetMismatchError, check_target
from leadscore.model.train import FitResult, fit_model, fit_scorecard
from leadscore.progress import Progress, silent
from leadscore.project.opened import checked_as_of, open_store
from leadscore.proposals import propose
from leadscore.registry.addresses import hide_secrets
from leadscore.registry.registry import CHAMPION, Decision, ModelVersion, Registry, Who
from leadscore.report.card import build_card
from leadscore.report.figures.build import build_date_figures, build_figures
from leadscore.settings.settings import Settings
from leadscore.validation.backtest import BacktestResult, run_backtest, spread_dates
from leadscore.validation.promotion import (
    Promotion,
    Recipe,
    compare_lists,
    decide_first,
    decide_promotion,
    evaluate_recipes,
    hold_unproven,
)

DECISION = {
    "promoted": bool,
    "why": str,
    "against": (str, type(None)),
    "evidence": (dict, type(None)),
}
SHOWN = ("*.html", "*.json", "figures/*.svg")  # what a run shows of the files beside a model


def train(
    settings: Settings, *, as_of_us: int | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """Train as of a moment (default: known_until), and keep model and card as files; `register` makes it count.

    Leaking fields are left out, unless the settings keep them; `evaluation["audit"]` tells of every field.
    """
    registry = Registry(settings)
    champion = _read_champion(registry)
    with open_store(settings) as opened:
        known_us = opened.known_us(checked_as_of(opened, as_of_us))
        history, horizon_why = choose_horizon(opened, known_us=known_us)
        settings = history.settings
        progress("auditing", 0, 1)
        verdicts = audit_learned(history, known_us=known_us)
        people = find_people(history, known_us=known_us, reps=read_rep_names(settings))
        leave_out, doubted = left_out(verdicts, settings) | people, clocks(verdicts, settings)
        try:
            result = fit_model(
                history, known_us=known_us, progress=progress, leave_out=leave_out, clocks=doubted
            )
        except (FollowUpError, TooFewOutcomesError) as e:
            result = fit_scorecard(history, known_us=known_us, why=str(e), leave_out=leave_out)
        told = [
            _told(each, result.model.document["left_out"])
            for each in verdicts
            if each.field not in people
        ]
        there = mapped_fields(settings) | history.facts.changed_fields(known_us)
        unasked = (unasked_fields(settings) | people) & there
        carriers = describe_carriers(result, settings)
        asked = _ask(result, verdicts, settings, people=people, carriers=carriers)
        more = {
            "audit": told,
            "carriers": carriers,
            "confirm": asked.as_json() if asked else None,
            "horizon_why": horizon_why,
            "not_asked_for": sorted(unasked),
        }
        result = replace(result, evaluation=result.evaluation | more)
        folder = settings.models_folder / settings.project
        home = write_model(folder, result, settings=settings, store_version=history.version.id)
        decided = _decision_kept(registry, home)
        if decided is None:
            promotion = _decide(history, result, champion, leaks=leave_out, progress=progress)
            promotion = _hold(promotion, asked)
            decided = promotion.as_json() | {"against": champion.version if champion else None}
    _write_beside(home, result, decided=decided, settings=settings)
    return {
        "project": settings.project,
        "model_version": None if result.no_signal else home.name,
        "no_signal": result.no_signal,
        "folder": str(home),
        "card": str(_card_folder(home) / "card.html"),
        "promotion": decided,
        "store_version": history.version.id,
        "evaluation": result.evaluation,
    }


def _write_beside(
    home: Path, result: FitResult, *, decided: dict[str, Any], settings: Settings
) -> None:
    """What is shown of a training beside its model: card, figures, features, and what was decided."""
    figures = build_figures(result.evaluation)
    card = build_card(
        evaluation=result.evaluation,
        features=result.features,
        manifest=read_json(home / "manifest.json"),
        settings=settings,
        figures=figures,
        version=None if result.no_signal else home.name,
    )
    files = {"card.html": card, **{f"figures/{name}": svg for name, svg in figures.items()}}
    described = [
        {"name": f.name, "unit": f.unit, "direction": f.direction, "group": f.group}
        for f in result.features
    ]
    files["promotion.json"] = canonical_json(decided).decode()
    files["features.json"] = canonical_json({"features": described}).decode()
    for name, text in files.items():
        write_bytes(_card_folder(home) / name, text.encode())


def doubt_fields(history: History, *, known_us: int) -> dict[str, frozenset[str]]:
    """What `fit_model` is told to do without: fields that leak, and clocks, by what was known at a moment."""
    verdicts = audit_learned(
        history, known_us=known_us, together=False
    )  # what that finds is asked, not left out
    people = find_people(history, known_us=known_us, reps=read_rep_names(history.settings))
    leave_out = left_out(verdicts, history.settings) | people
    return {"leave_out": leave_out, "clocks": clocks(verdicts, history.settings)}


@dataclass(frozen=True)
class _Champion:
    """The version that scores; `model` and `manifest` are None if its files are damaged."""

    version: str
    model: WinModel | None
    manifest: dict[str, Any] | None = None
    known_us: int = 0


def _read_champion(registry: Registry) -> _Champion | None:
    """What scores now, asked before a training takes its minutes; damaged, it must not stop the one that mends it."""
    if (found := registry.champion()) is None:
        return None
    try:
        model, manifest, version = registry.load(str(found.number))
    except CorruptFileError:
        return _Champion(found.version, None)
    return _Champion(version, model, manifest, manifest["known_until_us"])


def _decision_kept(registry: Registry, home: Path) -> dict[str, Any] | None:
    """What was decided of a training that is registered: it is not judged again, by then perhaps against itself."""
    path = _card_folder(home) / "promotion.json"
    if not is_there(path) or home.name not in {version.version for version in registry.versions()}:
        return None
    try:
        return read_json(path, DECISION)
    except CorruptFileError:  # it is decided, and written, anew
        return None


def _decide(
    history: History,
    result: FitResult,
    champion: _Champion | None,
    *,
    leaks: frozenset[str],
    progress: Progress,
) -> Promotion:
    """Whether what was just trained may score; a champion that learned from leaks is judged without them."""
    if result.no_signal:
        return Promotion(False, result.no_signal)
    is_evaluated = result.training is not None
    ranks = result.evaluation["scorer"].get("ranks", True)
    unproven = result.evaluation.get("unproven")
    first = decide_first(result.evaluation["limits_broken"], is_evaluated=is_evaluated, ranks=ranks)
    first = hold_unproven(first, unproven)
    if champion is None:
        return first
    if champion.model is None:
        return Promotion(
            False,
            "files of the champion were changed or damaged, so nothing can be compared with it",
        )
    if mismatch := _find_mismatch(
        history.settings, champion
    ):  # it cannot score, whatever this training gave
        better = "better than the base rate, and " if is_evaluated else ""
        return replace(first, why=better + mismatch) if first.promoted else first
    if not is_evaluated:
        return Promotion(False, "no closed lead has judged it")
    evidence = evaluate_recipes(
        history,
        champion=_without(Recipe.of(champion.model), leaks),
        challenger=Recipe.of(result.model),
        known_us=result.known_us,
        progress=progress,
        evaluated=result.evaluated,
        training=result.training,
    )
    evidence = replace(
        evidence,
        older=result.known_us < champion.known_us,
        overlap=compare_lists(history, champion.model, result.model, as_of_us=result.known_us),
    )
    return hold_unproven(decide_promotion(evidence), unproven)


def _ask(
    result: FitResult,
    verdicts: Collection[FieldVerdict],
    settings: Settings,
    *,
    people: Collection[str],
    carriers: Mapping[str, Any] | None,
) -> Confirmation | None:
    """What somebody has to confirm before the model may score; nothing where nothing was learned."""
    if result.no_signal or carriers is None:
        return None
    metrics = result.evaluation["metrics"].get("all", {})
    left_out = {*result.model.document["left_out"], *people}
    auc = metrics.get("auc", {}).get("value")
    share = share_of_fields(carriers["groups"])
    return build_confirmation(
        tuple(verdicts), settings, left_out=left_out, auc=auc, share_of_fields=share
    )


def _hold(promotion: Promotion, asked: Confirmation | None) -> Promotion:
    """The decision, but that nothing is promoted while something has to be confirmed."""
    return (
        replace(promotion, promoted=False, why=asked.why)
        if promotion.promoted and asked
        else promotion
    )


def _find_mismatch(settings: Settings, champion: _Champion) -> str | None:
    """Why the champion predicts something different from what the settings ask for, or None."""
    try:
        check_target(settings, champion.manifest or {}, version=champion.version)
    except TargetMismatchError as e:
        return str(e)
    return None


def _without(recipe: Recipe, leaks: frozenset[str]) -> Recipe:
    """What a leak made of a model is not to be had when scoring."""
    return replace(recipe, left_out=recipe.left_out | leaks)


def compare(
    settings: Settings, champion: str, challenger: str, *, progress: Progress = silent
) -> dict[str, Any]:
    """Two registered versions as they were judged when trained, and what their recipes do on the latest leads.

    `promotion` is what would be decided of the second, were the first the champion.
    """
    registry = Registry(settings)
    versions = [registry.find(which) for which in (champion, challenger)]
    told = [asdict(each) | {"evaluation": registry.read_evaluation(each)} for each in versions]
    try:
        promotion = _judge_versions(settings, registry, versions, progress=progress)
    except (FollowUpError, NoStoreError, TooFewOutcomesError) as e:
        promotion = Promotion(False, f"their recipes cannot be judged now: {e}")
    promotion = hold_unproven(promotion, told[1]["evaluation"].get("unproven"))
    if promotion.promoted and (
        why := still_to_confirm(told[1]["evaluation"].get("confirm"), settings)
    ):
        promotion = replace(promotion, promoted=False, why=why)
    return {"versions": told, "promotion": promotion.as_json()}


def _judge_versions(
    settings: Settings, registry: Registry, versions: list[ModelVersion], *, progress: Progress
) -> Promotion:
    (champion, its), (challenger, other) = (
        registry.load(str(version.number))[:2] for version in versions
    )
    with open_store(settings) as opened:
        known_us = opened.version.known_until_us
        history, _ = choose_horizon(opened, known_us=known_us)
        leaks = doubt_fields(history, known_us=known_us)["leave_out"]
        evidence = evaluate_recipes(
            history,
            champion=_without(Recipe.of(champion), leaks),
            challenger=_without(Recipe.of(challenger), leaks),
            known_us=known_us,
            progress=progress,
        )
        overlap = compare_lists(history, champion, challenger, as_of_us=known_us)
    return decide_promotion(
        replace(evidence, older=other["known_until_us"] < its["known_until_us"], overlap=overlap)
    )


def rollback(settings: Settings, *, who: Who) -> dict[str, Any]:
    """Let the champion before this one score again; `changes` says in what they differ: name -> [was, is]."""
    registry = Registry(settings)
    was = registry.champion()
    now = registry.rollback(who)
    try:
        changes = _changes(registry, was, now) if was else {}
    except (
        CorruptFileError
    ):  # a damaged champion is a reason to go back, and then has nothing to tell
        changes = {}
    return asdict(now) | {"was": asdict(was) if was else None, "changes": changes}


def _changes(registry: Registry, was: ModelVersion, now: ModelVersion) -> dict[str, list[Any]]:
    told = []
    for version in (was, now):
        model, manifest, _ = registry.load(str(version.number))
        recipe, evaluation = Recipe.of(model), registry.read_evaluation(version)
        loss = evaluation["metrics"].get("all", {}).get("log_loss", {}).get("value")
        told.append(
            {
                "known_until": manifest["known_until"],
                "store_version": manifest["store_version"],
                "scorer": recipe.scorer,
                "calibrator": recipe.calibrator,
                "left_out": sorted(recipe.left_out),
                "features": len(model.document["features"]),
                "log_loss_when_trained": loss,
            }
        )
    return {
        name: [told[0][name], told[1][name]] for name in told[0] if told[0][name] != told[1][name]
    }


def _told(verdict: FieldVerdict, leave_out: Collection[str]) -> dict[str, Any]:
    return {
        "field": verdict.field,
        "verdict": verdict.verdict,
        "evidence": verdict.evidence,
        "auc": asdict(verdict.auc) if verdict.auc else None,
        "in_words": verdict.in_words(),
        "left_out": verdict.field in leave_out,
    }


def register(
    settings: Settings, folder: Path, *, who: Who, promote: bool = False
) -> dict[str, Any]:
    """Log what `train` kept in `folder` with MLflow; as `train` decided it becomes champion or challenger.

    With `promote` it becomes champion whatever was decided. Repeating it changes nothing.
    """
    registry = Registry(settings)
    beside = _card_folder(folder)
    for place in (beside.parent, beside):
        sweep(place)
    paths = sorted(
        path
        for pattern in SHOWN
        for path in beside.glob(pattern)
        if not path.name.startswith(WRITING)
    )
    texts = {path: (read_if_there(path) or b"").decode(errors="replace") for path in paths}
    files = {path.relative_to(beside).as_posix(): text for path, text in texts.items()}
    decided = Promotion(True, "no champion, and it is better than the base rate").as_json() | {
        "against": None
    }
    if is_there(
        told := beside / "promotion.json"
    ):  # not for models from before there were such decisions
        decided = read_json(
            told, DECISION, cure=f"run {propose('train')} again, which writes it anew"
        )
    because = replace(who, why=decided["why"])
    decision = Decision(decided["promoted"], decided["against"], decided["evidence"])
    version = registry.register(folder, files=files, who=because, decision=decision)
    if version and promote and CHAMPION not in version.aliases:
        version = registry.promote(str(version.number), who)
    champion = registry.champion()
    return {
        "registered": asdict(version) if version else None,
        "champion": asdict(champion) if champion else None,
        "registered_model": registry.name,
        "tracking_uri": hide_secrets(settings.tracking_uri()),
    }


def _card_folder(home: Path) -> Path:
    return home.parent / "cards" / home.name


def backtest(
    settings: Settings,
    *,
    from_us: int | None = None,
    to_us: int | None = None,
    dates: int = 6,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Replay training and scoring at past dates, settle by what is known by now, and write the evidence."""
    with open_store(settings) as opened:
        history, from_us, horizon_why = choose_first_horizon(opened, from_us=from_us)
        moments = spread_dates(history, from_us=from_us, to_us=to_us, dates=dates)
        for moment in moments if settings.is_dated else []:
            checked_as_of(history, moment)
        if not moments:
            raise AsOfError(
                "there is no date to back-test at: history is shorter than three horizons, or --to is before --from"
                if settings.is_dated
                else "there is no place to back-test at: no lead has closed"
            )

        def doubted(moment: int) -> dict[str, frozenset[str]]:
            return doubt_fields(history, known_us=moment)

        result = run_backtest(history, moments, progress=progress, doubted=doubted)
        rests_on = {
            "project": settings.project,
            "store_version": history.version.id,
            "horizon_why": horizon_why,
        }
        report = result.report | rests_on
    return report | {"folder": _write_backtest(settings, report, result)}


def _write_backtest(settings: Settings, report: dict[str, Any], result: BacktestResult) -> str:
    data = canonical_json(report)
    folder = settings.project_folder() / "backtests" / hash_bytes(data)[:16]
    predictions = result.predictions.to_csv(index=False, lineterminator="\n").encode()
    figures = {name: svg.encode() for name, svg in build_date_figures(report["dates"]).items()}
    write_folder(folder, {"backtest.json": data, "predictions.csv": predictions, **figures})
    return str(folder)
