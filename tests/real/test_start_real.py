"""First settings for the public data sets: the parts are found that people mapped by hand."""

import os
from pathlib import Path

import pytest

from leadscore.onboarding.exports import find_exports, read_exports
from leadscore.onboarding.roles import find_roles

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("LEADSCORE_REAL_DATA", ROOT / "../shared/data"))

PARTS = {
    "bank_marketing": {"outcome": "y"},
    "salvirt_b2b": {"outcome": "Status", "owner": "Seller"},
    "bpic2012": {"id": "case_id", "created": "reg_date", "amount": "amount_req"},
    "maven_crm": {
        "id": "opportunity_id",
        "created": "engage_date",
        "closed": "close_date",
        "outcome": "deal_stage",
        "amount": "close_value",
        "owner": "sales_agent",
    },
}


@pytest.mark.parametrize("name", PARTS)
def test_roles_when_data_are_public_then_found_as_mapped_by_hand(name: str) -> None:
    if not (DATA / name).is_dir():
        pytest.skip(f"no {name} at {DATA}")

    roles = find_roles(read_exports(find_exports([DATA / name]), lambda *_: None).profiles)

    leads = roles.leads
    parts = ("id", "created", "closed", "outcome", "amount", "owner")
    columns = {part: getattr(leads, part) for part in parts}
    found = {part: column.name for part, column in columns.items() if column is not None}
    assert found == PARTS[name]
    if name == "bpic2012":
        (events,) = roles.events
        assert {"A_APPROVED", "A_ACTIVATED"} <= set(events.won)
        assert {"A_DECLINED", "A_CANCELLED"} <= set(events.lost)
        assert "W_Nabellen offertes" in events.other_kinds()
