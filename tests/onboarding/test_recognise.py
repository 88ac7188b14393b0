import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from leadscore import Project
from leadscore.onboarding.exports import find_exports, read_exports
from leadscore.onboarding.recognise import recognise
from leadscore.project.starting import start
from leadscore.results import Accounts
from onboarding.made_exports import settings_in, start_with, write_rows
from presets import dynamics, dynamics_leads, pipedrive, pipedrive_dlt
from presets.hubspot import Account, build_account
from presets.hubspot_airbyte import build_streams
from presets.hubspot_dlt import build_tables
from presets.pipedrive_inbox import build_inbox
from presets.salesforce import Organisation
from presets.salesforce_fivetran import build_lead_tables
from presets.salesforce_leads import build_leads
from presets.world import END
from presets.zoho_tables import Records, build_records

DEALS = 40


def test_start_when_files_are_of_a_known_crm_then_the_preset_ingests_them(tmp_path: Path) -> None:
    account = build_account(DEALS)
    (tmp_path / "exports").mkdir()
    account.write(tmp_path / "exports")
    for file in list((tmp_path / "exports").iterdir()):
        file.rename(file.with_name(f"{file.stem}_2026-03-01.csv"))
    config = tmp_path / "leadscore.toml"

    started = start([tmp_path / "exports"], config)

    settings = tomllib.loads(config.read_text())
    assert started.preset == settings["preset"] == "hubspot/fivetran"
    assert started.unused == []
    project = Project(config)
    ingested = project.ingest(known_until=END)
    assert "allowed" not in ingested.rejects
    counts = Accounts.from_dict(ingested.accounts.to_dict()).tables
    assert counts["leads"].stored >= DEALS
    assert counts["stages"].stored > DEALS


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("deals.csv", "Id,Created,Status\n1,2025-01-01,Won\n"),
        ("leads.csv", "lead_id,created_at,status,industry\n1,2025-01-01,Won,Retail\n"),
    ],
)
def test_recognise_when_files_are_of_nobody_then_no_preset(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text)

    assert recognise(read_exports(find_exports([tmp_path]), lambda *_: None).profiles) is None


@pytest.mark.parametrize(
    ("export", "preset"),
    [
        (build_streams(DEALS), "hubspot/airbyte"),
        (build_tables(DEALS), "hubspot/dlt"),
        (build_leads(DEALS), "salesforce/leads"),
        (build_lead_tables(DEALS), "salesforce/fivetran_leads"),
        (dynamics.build_organisation(DEALS), "dynamics"),
        (dynamics_leads.build_leads(DEALS), "dynamics/leads"),
        (pipedrive.build_company(DEALS), "pipedrive/airbyte"),
        (pipedrive_dlt.build_tables(DEALS), "pipedrive/dlt"),
        (build_inbox(DEALS), "pipedrive/leads"),
        (build_inbox(DEALS, by_dlt=True), "pipedrive/leads"),
    ],
)
def test_recognise_when_a_crm_has_several_forms_then_its_own_is_chosen(
    tmp_path: Path,
    export: Account | Organisation | dynamics.Organisation | pipedrive.Company,
    preset: str,
) -> None:
    export.write(tmp_path)

    match = recognise(read_exports(find_exports([tmp_path]), lambda *_: None).profiles)

    assert match is not None
    assert match.name == preset


@pytest.mark.parametrize(
    ("write", "preset"),
    [
        (Records.write_json_lines, "zoho/api"),
        (Records.write_bulk_files, "zoho/api"),
        (Records.write_fivetran_tables, "zoho/fivetran"),
    ],
)
def test_recognise_when_zoho_comes_in_several_forms_then_its_own_is_chosen(
    tmp_path: Path, write: Callable[[Records, Path], None], preset: str
) -> None:
    write(build_records(DEALS), tmp_path)

    match = recognise(read_exports(find_exports([tmp_path]), lambda *_: None).profiles)

    assert match is not None
    assert match.name == preset
    assert len(match.files) == 3


def test_start_when_an_export_lacks_what_its_preset_needs_then_reads_it_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(
        tmp_path / "deals.csv",
        ["Record ID", "Deal Name", "Deal Stage", "Create Date", "Close Date", "Amount", "Deal owner"],
        lambda number, created, closed: (
            9000 + number, f"Deal {number}", ("New", "Won", "Lost", "Lost")[number % 4],
            created.date(), closed, 100 + number, "Kim",
        ),
    )  # fmt: skip

    parts, config = start_with(path, monkeypatch)

    assert "preset" not in settings_in(config)
    assert parts["preset"].evidence == (
        "hubspot was not used: no column 'Is Closed Won', 'Is Deal Closed?'"
    )
    assert parts["outcome"].place == "deals.csv: Deal Stage"
