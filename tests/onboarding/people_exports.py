"""Exports whose activities name the contacts of leads: two leads each, 40 days apart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from leadscore import Project
from onboarding.made_exports import BEGIN, write_rows

CONTACTS = 20  # with two leads each, 40 days apart; every fourth contact has both of them open
BOTH_OPEN = 5  # of them
STATES = ("open", "won", "lost", "lost")
Written = Callable[[datetime], object]


def iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def epoch_ms(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp()) * 1000


def write_deals(path: Path, written: Written = iso, *, key: str = "Contact Id") -> Path:
    """Leads that close after 20 days, or stay open."""

    def row(number: int, created: datetime, closed: str) -> tuple[object, ...]:
        end = created + timedelta(days=20)
        contact = f"K{900 + number % CONTACTS}"
        return (
            f"D{number}",
            contact if key == "Contact Id" else f"Ann.{contact}@X.com",
            written(created),
            written(end) if closed else "",
            STATES[number % 4],
        )

    return write_rows(path, ["Id", key, "Created", "Closed", "Status"], row)


def write_calls(
    path: Path,
    written: Written = iso,
    *,
    after: timedelta = timedelta(days=1),
    key: str = "ContactId",
    person: Callable[[int], str] = lambda number: f"K{900 + number % CONTACTS}",
) -> Path:
    """A call with the contact of each lead, so long after its creation."""
    return write_rows(
        path,
        [key, "When", "Type"],
        lambda number, created, _: (person(number), written(created + after), "Call"),
    )


def ingest(config: Path) -> tuple[int, int]:
    """How many activities the store has, and how many rows were rejected."""
    ingested = Project(config).ingest()
    tables = ingested.accounts.to_dict()["tables"]
    return tables["activities"]["stored"], sum(ingested.rejects.values())


def write_contacts(path: Path) -> Path:
    """The contacts of leads, and as many others."""
    lines = ["id,email,company_id,created"]
    for number in range(2 * CONTACTS):
        contact = f"K{900 + number}"
        lines.append(f"{contact},Ann.{contact}@X.com,F{number // 2},{iso(BEGIN)}")
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path
