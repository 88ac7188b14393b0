"""Names and kinds that are written in letters that the settings cannot have in a name."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from onboarding.made_exports import BEGIN, settings_in, start_with, write_rows
from onboarding.people_exports import iso, write_deals


def write_events(path: Path, header: list[str], *values: str) -> Path:
    def row(number: int, *_: object) -> list[object]:
        when = BEGIN + timedelta(days=100, hours=number)
        return [f"D{number}", iso(when), *([values[number % len(values)]] if values else [])]

    return write_rows(path, header, row)


def kinds_in(config: Path) -> dict[str, str]:
    """What the reasons call each kind, by the kinds that the entries give."""
    settings = settings_in(config)
    given = set()
    for entry in settings["mapping"]:
        if entry["table"] == "activities":
            values = entry.get("values", {}).get("Тип", {}).values()
            given |= {value["kind"] for value in [*values, *filter(None, [entry.get("constants")])]}
    assert given == set(settings["kinds"])
    return settings["kinds"]


def test_start_when_kinds_have_other_letters_then_two_files_do_not_share_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    header = ["Deal ID", "When", "Тип"]
    spoken = write_events(tmp_path / "spoken.csv", header, "Звонок", "Встреча")
    written = write_events(tmp_path / "written.csv", header, "Письмо", "Встреча")

    _, config = start_with(deals, monkeypatch, spoken, written)

    assert kinds_in(config) == {"kind": "Звонок", "kind_2": "Встреча", "kind_3": "Письмо"}


def test_start_when_the_file_says_the_kind_in_other_letters_then_reasons_do_so_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    calls = write_events(tmp_path / "電話.csv", ["Deal ID", "When"])

    _, config = start_with(deals, monkeypatch, calls)

    assert kinds_in(config) == {"kind": "電話"}


def test_start_when_fields_of_a_history_have_other_letters_then_each_has_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv")

    def row(number: int, *_: object) -> list[object]:
        when = BEGIN + timedelta(days=100, hours=number)
        return [f"D{number}", iso(when), ("Бюджет", "Отдел")[number % 2], ("A", "B")[number % 2]]

    changes = write_rows(tmp_path / "history.csv", ["Deal ID", "When", "Field", "New value"], row)

    _, config = start_with(deals, monkeypatch, changes)

    (entry,) = [each for each in settings_in(config)["mapping"] if each["table"] == "changes"]
    names = [value["field"] for value in entry["values"]["Field"].values()]
    assert len(set(names)) == 2
