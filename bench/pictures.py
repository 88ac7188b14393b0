"""The pictures of docs/funnel.md and docs/forecast.md: the pages of the sample, as a browser shows them.

    python bench/pictures.py CHROMIUM

Writes docs/images/funnel.png and docs/images/forecast.png.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

from leadscore import Project
from leadscore.times import parse_moment
from sample_project import build_sample, train_champion

IMAGES = Path(__file__).parents[1] / "docs" / "images"
LEADS, SEED = 5000, 1  # what `leadscore sample` makes
TRAINED, SINCE = "2026-02-01", "2026-02-15"
TARGET, MONTHS = 18_000_000, 12
SIZE = ViewportSize(width=1280, height=1000)


def main() -> None:
    """Write the pages of a new sample, and a picture of each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_pages(folder)
        _take_pictures(folder, chromium=sys.argv[1])


def _write_pages(folder: Path) -> None:
    settings = build_sample(folder, leads=LEADS, seed=SEED)
    train_champion(settings, by="pictures", as_of_us=parse_moment(TRAINED, zone="UTC"))
    project = Project(settings)
    funnel = project.funnel(by="channel")
    project.write_funnel(funnel, to=folder / "funnel.html")
    forecast = project.forecast(since=SINCE, target_revenue=TARGET)
    past = project.backtest_forecast(months=MONTHS)
    project.write_forecast(forecast, past, to=folder / "forecast.html")


def _take_pictures(folder: Path, *, chromium: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)
        for name in ("funnel", "forecast"):
            page.goto((folder / f"{name}.html").as_uri())
            page.screenshot(path=IMAGES / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
