"""leadscore compared with alternatives, on the same leak-free splits of each example: `make compare`.

`python bench/compare.py sample` compares one of them; with `--write` the tables of all go to docs/comparison.md; with
`--autogluon PYTHON`, AutoGluon is a peer too (see autogluon_peer.py).
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import autogluon_peer
from leadscore import project as jobs
from leadscore.evaluation.metrics import EvaluationSet, compute_auc
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.snapshot import KEYS
from leadscore.model.train import fit_model
from leadscore.progress import silent
from leadscore.project.auditing import doubt_fields
from leadscore.project.opened import open_store
from leadscore.results import ModelMetrics
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings
from leadscore.times import parse_moment
from leadscore.validation.baselines import MORE, predict_baselines
from leadscore.validation.comparison import OURS, compare_models, compute_table
from sample_project import build_sample

ROOT = Path(__file__).parents[1]
METRICS = {"auc": "AUC", "pooled_auc": "pooled AUC", "average_precision": "AP", "log_loss": "log loss",
           "brier": "Brier", "calibration_error": "calibration error", "lift_10": "lift 10%"}  # fmt: skip
NAMES = {
    OURS: "**leadscore**",
    "scorecard": "scorecard",
    "logistic": "logistic regression",
    "lightgbm": "LightGBM",
    "hist_gradient_boosting": "HistGradientBoosting",
    "autogluon": "AutoGluon",
    "naive_bayes": "naive Bayes",
    "stage_only": "stage alone",
    "base_rate": "base rate",
    "truth": "the truth",
}
PEERS = {"logistic", "lightgbm", "hist_gradient_boosting", "autogluon", "naive_bayes", "stage_only"}
SAMPLE_LEADS = 20_000


def main() -> None:
    """Print, or write, a table for each example asked for; by default all."""
    words = sys.argv[1:]
    if "--autogluon" in words:
        at = words.index("--autogluon")
        MORE["autogluon"] = partial(autogluon_peer.predict, python=words[at + 1])
        del words[at : at + 2]
    asked = [word for word in words if not word.startswith("--")] or list(EXAMPLES)
    if "--write" in sys.argv and asked != list(EXAMPLES):
        sys.exit("--write replaces the tables of all examples, so leave out their names")
    parts = []
    with ProcessPoolExecutor() as processes:
        for part in processes.map(_compare, asked):
            parts.append(part)
            print(part, flush=True)
    if "--write" in sys.argv:
        machine = f"{os.cpu_count()} cores, {_processor()}"
        head = (
            (ROOT / "bench" / "compare.md")
            .read_text(encoding="utf-8")
            .replace("{machine}", machine)
        )
        (ROOT / "docs" / "comparison.md").write_text(
            head + "\n" + "\n".join(parts), encoding="utf-8"
        )


def _compare(name: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return EXAMPLES[name](Path(folder))


def _processor() -> str:
    found = [
        line
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return found[0].partition(":")[2].strip() if found else platform.processor()


def _example(name: str, folder: Path) -> Settings:
    settings = read_settings(ROOT / "examples" / name / "leadscore.toml")
    settings = settings.model_copy(
        update={"data_folder": folder / "data", "models_folder": folder / "models"}
    )
    jobs.ingest(settings)
    return settings


def _judged(settings: Settings) -> tuple[dict[str, Any], str | None]:
    """The table of the last split, or of cross-validation; and why there is no signal, if there is none."""
    with open_store(settings) as history:
        known_us = history.version.known_until_us
        doubted = doubt_fields(history, known_us=known_us)
        compared = compare_models(
            history,
            known_us=known_us,
            leave_out=doubted["leave_out"],
            time_proxies=doubted["time_proxies"],
        )
        return _as_table(compared.table(seed=settings.seed)), compared.result.no_signal


def _bpic(folder: Path) -> str:
    settings = _example("bpic2012", folder)
    first, last = (
        parse_moment(day, zone=settings.timezone) for day in ("2011-12-01", "2012-01-01")
    )
    report = jobs.backtest(settings, from_us=first, to_us=last)
    return _draw("bpic2012: back-test at six dates, pooled", _as_table(report.pooled))


def _bank(folder: Path) -> str:
    settings = _example("bank_marketing", folder)
    table, _ = _judged(settings)
    rolling = jobs.backtest(settings, dates=10)
    return (
        _draw("bank_marketing: the last 20% by order", table) + "\n"
        + _draw("bank_marketing: rolling, retrained at ten places", _as_table(rolling.pooled))
    )  # fmt: skip


def _as_table(models: dict[str, ModelMetrics]) -> dict[str, Any]:
    return {name: metrics.to_dict() for name, metrics in models.items()}


def _salvirt(folder: Path) -> str:
    table, _ = _judged(_example("salvirt_b2b", folder))
    return _draw("salvirt_b2b: cross-validated by identical leads, five times", table)


def _maven(folder: Path) -> str:
    table, no_signal = _judged(_example("maven_crm", folder))
    verdict = no_signal or "a signal was found, which is wrong here"
    return _draw("maven_crm: the last split", table) + f"\nVerdict: {verdict}.\n"


def _sample(folder: Path) -> str:
    settings = build_sample(folder, leads=SAMPLE_LEADS, seed=1)
    truth = pd.read_csv(folder / "crm" / "truth" / "leads.csv", dtype={"lead_id": str}).set_index(
        "lead_id"
    )
    with open_store(settings) as history:
        known_us = history.version.known_until_us
        doubted = doubt_fields(history, known_us=known_us)
        result = fit_model(
            history,
            known_us=known_us,
            progress=silent,
            leave_out=doubted["leave_out"],
            time_proxies=doubted["time_proxies"],
        )
        features = build_features(settings, leave_out=doubted["leave_out"])
        side, rows = history.earlier_side(known_us), history.open_list(known_us)
        matrix = build_matrix(history.snapshot(pd.concat([side.rows[KEYS], rows[KEYS]])), features)
        ours = result.model.probability(
            result.model.log_odds(matrix.take(rows).columns), result.model.shift
        )
        others = predict_baselines(matrix, side, rows, features, scorecard=settings.scorecard)
    told = truth.loc[rows["lead_id"]]
    true = told["win_probability"].to_numpy(dtype=float)
    label = (told["won_within_horizon"].astype(str) == "True").to_numpy(dtype=float)
    evaluated = EvaluationSet(ours, label, np.ones(len(label)), rows["lead_id"].to_numpy())
    predictions = {OURS: ours, **others, "truth": true}
    expected = {name: _expected_auc(p, true) for name, p in predictions.items()}
    text = _draw(f"sample: the {len(rows):,} open leads of {SAMPLE_LEADS:,}, as they ended", _as_table(compute_table(
        evaluated, predictions, seed=settings.seed)))  # fmt: skip
    best = expected["truth"]
    lines = ", ".join(
        f"{NAMES[name].strip('*')} {best - auc:.4f}"
        for name, auc in expected.items()
        if name != "truth"
    )
    said = f"Expected AUC under the true probabilities: the truth itself {best:.4f}; shortfall of the others: {lines}."
    return f"{text}\n{said}\n"


def _expected_auc(p: np.ndarray, true: np.ndarray) -> float:
    label = np.concatenate([np.ones(len(p)), np.zeros(len(p))])
    return compute_auc(np.concatenate([p, p]), label, np.concatenate([true, 1 - true]))


def _draw(title: str, table: dict[str, Any]) -> str:
    """A Markdown table: each metric with its interval, and below it the difference to ours with its own."""
    about = table[OURS]
    rows = [f"| model | {' | '.join(METRICS.values())} |", "|---" * (len(METRICS) + 1) + "|"]
    for name, said in NAMES.items():
        if model := table.get(name):
            cells = [_cell(model[key], model["difference"].get(key)) for key in METRICS]
            rows.append(f"| {said} | {' | '.join(cells)} |")
    rested = f"{about['snapshots']:,} predictions of {about['leads']:,} leads, {about['win_rate']:.1%} won."
    return f"## {title}\n\n{rested}\n\n" + "\n".join(rows) + f"\n\n{_beside_best(table)}\n"


def _beside_best(table: dict[str, Any]) -> str:
    """How the best peer by log loss differs from ours, and whether clearly."""
    best = min(table.keys() & PEERS, key=lambda name: (table[name]["log_loss"]["value"], name))
    loss, auc = table[best]["difference"]["log_loss"], table[best]["difference"].get("auc")
    verdict = "leadscore is clearly ahead" if loss["low"] > 0 else "no clear difference"
    if loss["high"] < 0:
        verdict = "leadscore is clearly behind"
    ranks = f", of AUC {_cell(auc, None)}" if auc else ""
    name = NAMES[best].strip("*")
    differs = f"its log loss minus leadscore's is {_cell(loss, None)}{ranks}"
    return f"The best of the others by log loss is {name}; {differs}: {verdict}."


def _cell(estimate: dict[str, Any], difference: dict[str, Any] | None) -> str:
    def said(each: dict[str, Any], sign: str = "") -> str:
        if each["value"] is None:
            return "-"
        around = (
            "" if each["low"] is None else f" ({each['low']:{sign}.3f} to {each['high']:{sign}.3f})"
        )
        return f"{each['value']:{sign}.3f}{around}"

    return said(estimate) + (f"<br>{said(difference, '+')}" if difference else "")


EXAMPLES = {
    "bpic2012": _bpic,
    "bank_marketing": _bank,
    "salvirt_b2b": _salvirt,
    "maven_crm": _maven,
    "sample": _sample,
}

if __name__ == "__main__":
    main()
