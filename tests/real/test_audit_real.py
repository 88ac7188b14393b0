"""The audit of public lead files: where the data is, each leak in it is caught, and nothing else is called one."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audit.worlds import open_file
from leadscore import project as jobs
from leadscore.audit.verdict import audit
from leadscore.settings.read import read_settings
from leadscore.times import DAY_US

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("LEADSCORE_REAL_DATA", ROOT / "../shared/data"))
MICROSECOND = 1 / DAY_US  # of a day
needs = {
    name: pytest.mark.skipif(not (DATA / name).is_dir(), reason=f"{name} is not in {DATA}")
    for name in ("bank_marketing", "salvirt_b2b", "maven_crm", "bpic2012")
}


def read(path, **how):
    frame = pd.read_csv(DATA / path, keep_default_na=False, na_values=[""], **how)
    return frame.rename(columns=lambda name: f"its_{name.lower().replace('.', '_')}")


def judge(history):
    found = audit(history, known_us=history.version.known_until_us)
    return {each.field: each for each in found.fields}, found.findings


def called(found, verdict):
    return {name.removeprefix("its_") for name, each in found.items() if each.verdict == verdict}


@needs["bank_marketing"]
def test_bank_marketing_when_audited_then_duration_leaks_and_clocks_and_placeholders_are_suspect():
    frame = read("bank_marketing/bank-additional-full.csv.gz", sep=";")
    won = (frame.pop("its_y") == "yes").to_numpy()
    place = np.arange(len(frame)) / 50.0
    found, _ = judge(open_file(frame, won, created=place, closes=place + 1, until=place[-1] + 2))
    assert called(found, "leak") == {"duration"}
    clocks = {
        "month",
        "emp_var_rate",
        "cons_price_idx",
        "cons_conf_idx",
        "euribor3m",
        "nr_employed",
    }
    assert called(found, "suspect") == clocks | {"pdays"}
    assert (
        found["its_pdays"].evidence
        == "999 in 96% of the leads: looks like a placeholder for missing"
    )


@needs["salvirt_b2b"]
def test_salvirt_when_audited_then_nothing_leaks_answers_stay_answers_and_duplicates_are_told():
    frame = read("salvirt_b2b/Salvirt_B2B_ML_dataset.csv", sep=";")
    won = (frame.pop("its_status") == "Won").to_numpy()
    n = len(frame)
    found, beside = judge(open_file(frame, won, created=np.zeros(n), closes=np.ones(n), until=2))
    assert {each.verdict for each in found.values()} == {"ok"}
    repeats = frame.duplicated().mean()
    assert [finding.numbers["share"] for finding in beside] == [pytest.approx(repeats)]


@needs["maven_crm"]
def test_maven_when_audited_then_what_is_filled_at_the_close_leaks_and_nothing_else():
    frame = read("maven_crm/sales_pipeline.csv").drop(columns="its_opportunity_id")
    stage = frame.pop("its_deal_stage")
    for name in ("its_engage_date", "its_close_date"):
        frame[name] = (pd.to_datetime(frame[name]) - pd.Timestamp("2016-01-01")) / pd.Timedelta(
            "1D"
        )
    frame["its_close_value"] = pd.to_numeric(frame["its_close_value"])
    until = frame["its_close_date"].max() + 1
    created = np.where(
        frame["its_engage_date"].isna(), until - MICROSECOND, frame["its_engage_date"]
    )  # as ingest does
    history = open_file(
        frame, (stage == "Won").to_numpy(), created=created, until=until,
        closes=np.where(stage.isin(["Won", "Lost"]), frame["its_close_date"], np.nan),
        dates=("its_engage_date", "its_close_date"),
    )  # fmt: skip
    found, _ = judge(history)
    assert called(found, "leak") == {"account", "close_date", "close_value"}
    assert called(found, "suspect") == set()


@needs["bpic2012"]
def test_bpic2012_when_audited_then_nothing_leaks_and_the_owner_of_today_is_suspect(tmp_path):
    settings = read_settings(
        ROOT / "examples/bpic2012/leadscore.toml", input_folder=DATA / "bpic2012"
    )
    settings = settings.model_copy(update={"data_folder": tmp_path})
    jobs.ingest(settings)
    found = {each.field: each for each in jobs.audit(settings).fields}
    assert {name: (each.verdict, each.use) for name, each in found.items()} == {
        "owner_id": ("suspect", "shown"),
        "requested_amount": ("ok", "learned"),
    }
    assert found["owner_id"].evidence.endswith("only its history counts")
