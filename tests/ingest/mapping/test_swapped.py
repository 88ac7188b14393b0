"""Dates that a spreadsheet has half turned, and honest columns that look a little like them."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from openpyxl import Workbook

from builders import make_settings
from leadscore import project as jobs
from leadscore.errors import UserError
from leadscore.ingest.mapping.swapped import find_swapped_dates
from leadscore.settings.settings import Settings

FORMS = {"dmy": "%d/%m/%Y", "mdy": "%m/%d/%Y"}


def days_of(n: int, seed: int = 0) -> list[date]:
    drawn = np.random.default_rng(seed).integers(500, size=n)
    return [date(2025, 1, 1) + timedelta(days=int(days)) for days in drawn]


def as_spreadsheet(days: list[date], form: str) -> list[str | date]:
    """What a spreadsheet of the other country makes of such texts: true dates, swapped, wherever that is possible."""
    return [
        date(day.year, day.day, day.month) if day.day <= 12 else day.strftime(FORMS[form])
        for day in days
    ]


@pytest.mark.parametrize("form", ["dmy", "mdy"])
@pytest.mark.parametrize("more", ["", " 10:25", " 10:25:30"])
@pytest.mark.parametrize("n", [40, 400])
def test_dates_when_day_and_month_were_swapped_where_possible_then_it_is_noticed(form, more, n):
    days = days_of(n)
    swapped = find_swapped_dates(
        pa.array([str(value) + more for value in as_spreadsheet(days, form)])
    )
    early = sum(day.day <= 12 for day in days)
    assert (swapped.true_dates, swapped.texts) == (early, n - early)


def mixed(days: list[date]) -> list[str]:
    """Every other date as a true one, the rest as text."""
    return [str(day) if i % 2 else day.strftime("%d/%m/%Y") for i, day in enumerate(days)]


FIRSTS = [f"2025-{month:02}-01" for month in range(1, 13)]
HONEST = {
    "true dates": [str(day) for day in days_of(400)],
    "texts": [day.strftime("%d/%m/%Y") for day in days_of(400)],
    "no dates": ["", "soon"],
    "firsts of months": FIRSTS,
    "both at random": mixed(days_of(60)),
    "firsts of months, texts at random": [
        *FIRSTS,
        *(day.strftime("%d/%m/%Y") for day in days_of(60)),
    ],
    "a new form from the 13th on": [
        *(f"2025-05-{day:02}" for day in range(1, 13)),
        *(f"{day}/05/2025" for day in range(13, 32)),
    ],
    "too few to say": ["2025-05-01", "2025-06-02", "24/05/2025", "25/06/2025"],
    "few days, often": ["2025-05-01", "2025-06-02"] * 100 + ["24/05/2025", "25/06/2025"] * 100,
}


@pytest.mark.parametrize("values", HONEST.values(), ids=HONEST)
def test_dates_when_they_are_honest_then_nothing_is_noticed(values):
    assert find_swapped_dates(pa.array(values)) is None


@pytest.mark.parametrize("n", [6, 12, 30])
def test_dates_when_honest_columns_are_drawn_at_random_then_hardly_one_in_a_thousand_looks_swapped(
    n,
):
    columns = (pa.array(mixed(days_of(n, seed))) for seed in range(1000))
    assert sum(find_swapped_dates(column) is not None for column in columns) <= 1


def settings_of(folder: Path, name: str) -> Settings:
    return make_settings(
        input_folder=folder,
        data_folder=folder / "data",
        known_until="2026-12-01",
        sources={"deals": {"path": name, "dates": "dmy"}},
        mapping=[
            {
                "source": "deals",
                "table": "leads",
                "columns": {"lead_id": "id", "event_at": "created"},
            }
        ],
    )


@pytest.mark.parametrize("name", ["deals.csv", "deals.xlsx"])
def test_file_when_a_spreadsheet_swapped_its_dates_then_it_is_refused_with_the_reason(
    tmp_path, name
):
    created = as_spreadsheet(days_of(100), "dmy")
    if name == "deals.csv":
        lines = [f"{i},{value}" for i, value in enumerate(created)]
        (tmp_path / name).write_text("\n".join(["id,created", *lines]))
    else:
        book = Workbook()
        for row in [("id", "created"), *enumerate(created)]:
            book.active.append(row)
        book.save(tmp_path / name)
    with pytest.raises(
        UserError, match=r"'created' holds .* a spreadsheet has swapped day and month"
    ):
        jobs.ingest(settings_of(tmp_path, name))
