"""From an export to the worklist of customers: the job, the command and the file."""

import json

import pandas as pd
import pytest

from commands import run
from leadscore import Project
from leadscore.cli.rendering import console
from leadscore.cli.rendering.customers import draw_customers
from leadscore.project.worklist import _list_customers
from leadscore.sample.sample import write_sample
from leadscore.settings.settings import Settings
from leadscore.times import parse_moment


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("customers")
    write_sample(folder / "crm", leads=900, seed=4)
    path = folder / "crm" / "leadscore.toml"
    text = path.read_text(encoding="utf-8")
    text = text.replace(
        'job_title = "job_title" }', 'job_title = "job_title", account = "company" }'
    )
    section = (
        '[memory]\naccount = "creation"\n[customers]\nreferrals = { channel = ["Referral"] }\n'
    )
    path.write_text(f'data_folder = "{folder}/data"\n{text}\n{section}', encoding="utf-8")
    Project(path).ingest()
    return path


def test_customers_when_described_then_are_the_companies_that_the_export_says_have_bought(config):
    customers = Project(config).customers()
    exports = config.parent / "exports"
    leads = pd.read_csv(exports / "leads.csv")
    outcomes = pd.read_csv(exports / "outcomes.csv")
    won = outcomes[outcomes["outcome"] == "won"].drop_duplicates("lead_id")
    companies = won.merge(leads, on="lead_id")["company"]
    rows = customers.to_pandas()
    assert len(rows) == pytest.approx(companies.nunique(), rel=0.02)  # some wins were slips
    assert rows["wins"].sum() == pytest.approx(len(won), rel=0.02)
    assert customers.key == "account"
    assert 0 < customers.referrals.leads < customers.referrals.of_leads
    assert rows["is_due"].is_monotonic_decreasing
    assert rows.loc[rows["open_leads"] > 0, "next_lead"].isna().all()


def test_command_when_run_then_writes_all_customers_with_their_companies(config, tmp_path):
    to = tmp_path / "customers.csv"
    ended = run("customers", "--config", config, "--to", to)
    assert ended.code == 0
    assert "due for a follow-up" in ended.out
    written = pd.read_csv(to)
    customers = Project(config).customers()
    assert list(written["lead_id"]) == [customer.lead_id for customer in customers.customers]
    assert written["company"].notna().all()
    quiet_days = [customer.quiet_days for customer in customers.customers]
    assert list(written["quiet_days"]) == [round(days, 1) for days in quiet_days]
    shares = pd.read_csv(to, dtype=str)["next_lead"].dropna()
    assert shares.str.fullmatch(r"[01](\.\d{1,4})?").all()
    printed = json.loads(run("customers", "--config", config, "--json").out)
    assert printed == customers.to_dict()


def test_workbook_when_written_then_ends_with_the_customers_as_known_at_its_list(config):
    """Those of the moment of the list, not those known by now; none unless the settings ask for them."""
    settings = Project(config).settings
    as_of_us = parse_moment("2025-12-01", zone="UTC")
    then = _list_customers(settings, as_of_us=as_of_us)
    assert then == Project(config).customers("2025-12-01").customers
    assert 0 < len(then) < len(Project(config).customers().customers)
    assert _list_customers(settings, as_of_us=None) == []
    unasked = Settings.model_construct(**settings.__dict__)
    unasked.__pydantic_fields_set__.discard("customers")
    assert _list_customers(unasked, as_of_us=as_of_us) == []


def test_command_when_no_lead_has_a_value_of_referrals_then_says_so(config):
    text = config.read_text(encoding="utf-8")
    misspelled = config.with_name("misspelled.toml")
    misspelled.write_text(text.replace('["Referral"]', '["Refferal"]'), encoding="utf-8")
    ended = run("customers", "--config", misspelled)
    assert ended.code == 0
    assert "Referred: 0 of " in ended.out
    assert "customers.referrals" in ended.out


def test_command_when_products_are_named_then_no_interval_reaches_below_none(config):
    text = config.read_text(encoding="utf-8")
    named = config.with_name("products.toml")
    named.write_text(f'{text}product = "industry"\n', encoding="utf-8")
    rare = Project(named).customers().cross_sales[0]
    low, high = (f"{100 * end:.0f}" for end in (rare.share.low, rare.share.high))
    ended = run("customers", "--config", named)
    share = f"{100 * rare.share.value:.0f}% ({low}-{high})"
    assert f"After {rare.product}, {rare.next_product}: {share}, " in ended.out


def test_customers_when_nothing_is_known_of_amounts_then_says_what_it_takes(config):
    customers = Project(config).customers()
    bare = [customer.model_copy(update={"revenue": None}) for customer in customers.customers]
    with console.out.capture() as shown:
        draw_customers(customers.model_copy(update={"customers": bare}), companies={})
        draw_customers(customers.model_copy(update={"currency": "[red]"}), companies={})
        draw_customers(customers.model_copy(update={"customers": []}), companies={})
    words = shown.get()
    assert words.count("it takes amounts in one currency") == 1
    assert "[red]" in words


def test_command_when_no_key_is_mapped_then_says_what_to_map(config, tmp_path):
    text = config.read_text(encoding="utf-8")
    text = text.replace(', account = "company"', "").replace('account = "creation"', "")
    plain = config.parent / "plain.toml"
    plain.write_text(text, encoding="utf-8")
    ended = run("customers", "--config", plain)
    assert ended.code == 2
    assert 'account = "company"' in ended.err
