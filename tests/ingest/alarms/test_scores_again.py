"""Somebody else's scores in one delivery after the other."""

from pathlib import Path

from builders import make_settings
from leadscore import project as jobs
from leadscore.results import Ingested
from leadscore.settings.settings import Settings

MAPPING = [
    {
        "source": "deals",
        "table": "leads",
        "columns": {"lead_id": "Id", "event_at": "Created"},
    },
    {
        "source": "points",
        "table": "scores",
        "columns": {"lead_id": "Id", "event_at": "At", "value": "Points"},
        "constants": {"name": "HubSpot"},
    },
]


def deliver(settings: Settings, days: int) -> Ingested:
    """A delivery in which every deal has points for each of some days."""
    ids = range(1, 41)
    deals = [f"{number},2024-01-{1 + number % 28:02}" for number in ids]
    points = [f"{number},2024-02-{1 + day:02},{number}" for number in ids for day in range(days)]
    folder = settings.input_folder
    (folder / "deals.csv").write_text("\n".join(["Id,Created", *deals]))
    (folder / "points.csv").write_text("\n".join(["Id,At,Points", *points]))
    return jobs.ingest(settings, known_until_us=settings.known_until_us())


def test_scores_when_delivered_once_more_then_they_are_compared_like_other_facts(
    tmp_path: Path,
) -> None:
    settings = make_settings(
        input_folder=tmp_path,
        data_folder=tmp_path / "data",
        sources={"deals": {"path": "deals.csv"}, "points": {"path": "points.csv"}},
        mapping=MAPPING,
        known_until="2024-02-04",
    )
    deliver(settings, 3)

    later = settings.model_copy(update={"known_until": "2024-02-06"})
    again = deliver(Settings.model_validate(later.model_dump()), 5)

    assert again.accounts.tables["scores"].stored == 200
    assert again.alarms == []
