"""Who comes again: the life table that leadscore publishes, beside models of the same customers.

At the start of each month, customers without an open lead; the outcome is their next lead within the horizon. Models
learn from earlier months whose outcomes were known by then, from wins, days since the last win and since the last
activity, revenue, leads before, and the product of the last win. All see what was known at the moment, and are judged
by log loss on the same customers; the interval resamples customers.

    python bench/repeat.py [FOLDER_OF_MAVEN_CRM]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegressionCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from leadscore import project as jobs
from leadscore.evaluation.metrics import row_log_loss
from leadscore.funnel.customers import predict_returns
from leadscore.funnel.periods import list_periods
from leadscore.history.customers import customer_key, read_texts
from leadscore.history.split import History
from leadscore.project.after_sale import KnownCustomers
from leadscore.project.opened import open_store
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings
from leadscore.times import DAY_US

ROOT = Path(__file__).parents[1]
MONTHS, JUDGED = 30, 12  # with settled outcomes; of these at most so many judge, the last ones
LEAST = 200  # settled rows that a model learns from
LEADS, SEED = 5000, 1
HORIZON_DAYS = 90
DRAWS = 1000
FLOOR = 1e-4
SEEDED = np.random.default_rng(SEED)
FEATURES = ["wins", "leads", "waited", "since_win", "quiet", "revenue"]

NOBODY = pd.DataFrame(columns=["month", "customer", "came"])

Predict = Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]


def main() -> None:
    """Print the log loss of each design on the sample, and on Maven's CRM where its folder is given."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        judge("sample", build_sample(folder / "sample"), product="industry")
        if sys.argv[1:]:
            judge("maven_crm", build_maven(folder, Path(sys.argv[1])), product="product")


def build_sample(folder: Path) -> Settings:
    """A sample whose companies are the accounts."""
    write_sample(folder, leads=LEADS, seed=SEED)
    path = folder / "leadscore.toml"
    text = path.read_text(encoding="utf-8")
    text = text.replace(
        'job_title = "job_title" }', 'job_title = "job_title", account = "company" }'
    )
    return ingest(path, f'{text}\n[memory]\naccount = "creation"\n', folder)


def build_maven(folder: Path, data: Path) -> Settings:
    """Maven's invented CRM, with its accounts as the customers they are."""
    text = (ROOT / "examples/maven_crm/leadscore.toml").read_text(encoding="utf-8")
    before, _, after = text.partition("[fields.account]\n")
    text = before + after.partition("\n")[2]
    return ingest(folder / "maven.toml", f'{text}\n[memory]\naccount = "creation"\n', folder, data)


def ingest(path: Path, text: str, folder: Path, data: Path | None = None) -> Settings:
    """The settings, with their exports stored."""
    path.write_text(text, encoding="utf-8")
    settings = read_settings(path, input_folder=data)
    settings = settings.model_copy(update={"data_folder": folder / "data"})
    jobs.ingest(settings)
    return settings


def judge(title: str, settings: Settings, *, product: str) -> None:
    """Print the log loss of each design, and its difference from the life table's."""
    with open_store(settings) as history:
        rows = list_months(history, product)
    designs: dict[str, Predict] = {
        "life table": lambda _, month: month["life_table"].to_numpy(),
        "logistic": fit_logistic,
        "boosted": fit_boosted,
    }
    judged = []
    for month_us in sorted(rows["month"].unique())[-JUDGED:]:
        settled = rows[rows["month"] + HORIZON_DAYS * DAY_US <= month_us]
        if len(settled) < LEAST or settled["came"].nunique() < 2:
            continue
        month = rows[rows["month"] == month_us]
        predicted = {name: predict(settled, month) for name, predict in designs.items()}
        judged.append(month.assign(**predicted))
    if not judged:
        waiting = rows["customer"].nunique()
        print(f"{title}: too few customers wait for a next lead ({waiting:,}) to learn from them")
        return
    print_losses(title, pd.concat(judged), list(designs), months=len(judged))


def print_losses(title: str, rows: pd.DataFrame, designs: list[str], *, months: int) -> None:
    """The log loss of each design, and the interval of its difference from the first one's."""
    label = rows["came"].to_numpy(dtype=float)
    print(f"{title}: {len(rows):,} customers in {months} months, {label.mean():.3f} came again")
    of_each = {
        name: row_log_loss(np.clip(rows[name].to_numpy(dtype=float), FLOOR, 1 - FLOOR), label)
        for name in designs
    }
    for name, loss in of_each.items():
        difference = loss - of_each[designs[0]]
        low, high = resample(rows["customer"], difference)
        print(
            f"  {name:10} log loss {loss.mean():.4f}, {difference.mean():+.4f} "
            f"({low:+.4f} to {high:+.4f}) beside the life table"
        )


def list_months(history: History, product: str) -> pd.DataFrame:
    """Customers without an open lead at the start of each month, with features and whether they came."""
    until_us = history.version.known_until_us
    key = customer_key(history.settings)
    settled_us = until_us - HORIZON_DAYS * DAY_US
    starts = list_periods(settled_us, by="month", count=-MONTHS, zone="UTC")
    later = KnownCustomers(history, key, until_us).of_customers
    months = []
    for month in starts:
        if month.start_us <= history.version.first_us:
            continue
        known = KnownCustomers(history, key, month.start_us)
        chances = predict_returns(known.waits, known.returning, horizon_days=HORIZON_DAYS)
        if chances.notna().any():
            months.append(describe(known, chances.dropna(), later, product))
    return pd.concat(months, ignore_index=True) if months else NOBODY


def describe(
    known: KnownCustomers, chances: pd.Series[float], later: pd.DataFrame, product: str
) -> pd.DataFrame:
    """The customers of a month; those that the life table has no answer for are left out."""
    history, month_us = known.history, known.known_us
    spells = known.of_customers.assign(won=known.of_customers["ending"] == "won")
    touched = spells["lead_id"].map(history.facts.last_active(month_us, actors=("lead", "rep")))
    spells = spells.assign(
        touched_us=touched, product=read_products(history, spells, product, month_us)
    )
    by_customer = spells.groupby("customer")
    won = spells[spells["won"]].sort_values("close_us").groupby("customer")
    ended_us = by_customer["end_us"].max()
    rows = pd.DataFrame(
        {
            "month": month_us,
            "wins": won.size(),
            "leads": by_customer.size(),
            "waited": (month_us - ended_us) / DAY_US,
            "since_win": (month_us - won["close_us"].last()) / DAY_US,
            "quiet": (month_us - by_customer["touched_us"].max().fillna(ended_us)) / DAY_US,
            "revenue": np.log1p(won["revenue"].sum()),
            "product": won["product"].last(),
        }
    ).loc[chances.index]
    since = later["start_us"].between(month_us, month_us + HORIZON_DAYS * DAY_US, inclusive="left")
    came = rows.index.isin(later.loc[since, "customer"])
    return rows.assign(life_table=chances, came=came).rename_axis("customer").reset_index()


def read_products(
    history: History, spells: pd.DataFrame, name: str, known_us: int
) -> pd.Series[str]:
    """What each spell's lead was about, as known then."""
    return spells["lead_id"].map(read_texts(history, name, known_us=known_us)).fillna("")


def encode(settled: pd.DataFrame, month: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Features of both, products as columns of 0 and 1."""
    both = pd.concat([settled, month], keys=["settled", "month"])
    wide = pd.concat([both[FEATURES], pd.get_dummies(both["product"])], axis=1).astype(float)
    return wide.loc["settled"].to_numpy(), wide.loc["month"].to_numpy()


def fit_logistic(settled: pd.DataFrame, month: pd.DataFrame) -> np.ndarray:
    """Penalised logistic regression on the features, and the logarithms of the days."""
    days = ["waited", "since_win", "quiet"]
    by_logs = [take_logs(rows, days) for rows in (settled, month)]
    x, x_month = encode(*by_logs)
    chosen = LogisticRegressionCV(
        cv=5, scoring="neg_log_loss", l1_ratios=(0,), use_legacy_attributes=False
    )
    model = make_pipeline(StandardScaler(), chosen)
    return np.asarray(model.fit(x, settled["came"]).predict_proba(x_month)[:, 1])


def take_logs(rows: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The rows with the logarithms of some columns in their place."""
    logs = {name: np.log1p(rows[name].clip(lower=0)) for name in names}
    return rows.assign(**logs)


def fit_boosted(settled: pd.DataFrame, month: pd.DataFrame) -> np.ndarray:
    """A small boosted model."""
    x, x_month = encode(settled, month)
    parameters = {"objective": "binary", "num_leaves": 7, "learning_rate": 0.05, "verbosity": -1,
                  "min_data_in_leaf": 50, "num_threads": 1, "seed": SEED}  # fmt: skip
    data = lightgbm.Dataset(x, settled["came"].astype(float))
    return np.asarray(lightgbm.train(parameters, data, num_boost_round=80).predict(x_month))


def resample(customer: pd.Series[str], difference: np.ndarray) -> tuple[float, float]:
    """The 95% interval of the mean difference, by a bootstrap over customers."""
    sums = pd.Series(difference).groupby(customer.to_numpy()).agg(["sum", "size"]).to_numpy()
    drawn = SEEDED.integers(0, len(sums), (DRAWS, len(sums)))
    means = sums[drawn, 0].sum(axis=1) / sums[drawn, 1].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


if __name__ == "__main__":
    main()
