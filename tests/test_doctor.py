import os
from pathlib import Path

import pytest

from leadscore.project import Project
from leadscore.project.checkup import check_up
from leadscore.results import Checkup
from leadscore.sample.sample import write_sample
from leadscore.times import DAY_US, parse_moment

NOW = parse_moment("2026-03-01T06:00:00Z", zone="UTC")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_sample(tmp_path / "crm", leads=30, seed=1)
    for file in (tmp_path / "crm" / "exports").iterdir():
        os.utime(file, (NOW / 1e6, NOW / 1e6))
    return tmp_path / "crm" / "leadscore.toml"


def states(checkup: Checkup) -> dict[str, str]:
    return {check.name: check.state for check in checkup.checks}


def test_doctor_when_all_is_well_but_nothing_ran_then_names_the_next_steps(config: Path) -> None:
    checkup = check_up(config, clock_us=NOW)

    assert checkup.is_well
    assert states(checkup) == {
        "python": "ok",
        "libraries": "ok",
        "settings": "ok",
        "exports": "ok",
        "folders": "ok",
        "store": "warning",
        "registry": "warning",
    }
    cures = {check.name: check.cure for check in checkup.checks}
    assert cures["store"] == "`leadscore ingest`"
    assert cures["registry"] == "`leadscore train`"


@pytest.mark.parametrize(("days", "state"), [(0, "ok"), (9, "warning"), (-9, "warning")])
def test_doctor_when_the_export_has_an_age_then_compared_with_the_clock(
    config: Path, days: int, state: str
) -> None:
    Project(config).ingest()

    checkup = check_up(config, clock_us=NOW + days * DAY_US)

    assert states(checkup)["store"] == state


def test_doctor_when_a_file_is_missing_then_says_which_and_how_to_mend(config: Path) -> None:
    (config.parent / "exports" / "leads.csv").unlink()

    checkup = check_up(config, clock_us=NOW)

    assert not checkup.is_well
    (problem,) = [check for check in checkup.checks if check.state == "problem"]
    assert problem.name == "exports"
    assert "leads.csv" in problem.seen


def test_doctor_when_there_are_no_settings_then_proposes_init(tmp_path: Path) -> None:
    checkup = check_up(tmp_path / "leadscore.toml", clock_us=NOW)

    assert states(checkup)["settings"] == "problem"
    assert "leadscore init" in (checkup.checks[-1].cure or "")


def test_doctor_when_the_registry_is_no_database_then_says_so(config: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"not a database at all, but long enough to be one")
    address = f"sqlite:///{tmp_path}/broken.db"
    config.write_text(config.read_text() + f'\n[registry]\ntracking_uri = "{address}"\n')

    checkup = check_up(config, clock_us=NOW)

    (problem,) = [check for check in checkup.checks if check.state == "problem"]
    assert problem.name == "registry"
    assert "broken.db" in problem.seen
