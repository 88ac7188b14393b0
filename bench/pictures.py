"""The pictures of docs/funnel.md, docs/forecast.md and docs/report.md: the sample's pages in a browser.

    python bench/pictures.py CHROMIUM

Writes docs/images: funnel.png, forecast.png, report.png, report-lead.png and report-phone.png.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from leadscore import Project
from leadscore.times import parse_moment
from sample_project import build_sample, train_champion

IMAGES = Path(__file__).parents[1] / "docs" / "images"
LEADS, SEED = 5000, 1  # what `leadscore sample` makes
TRAINED, SINCE = "2026-02-01", "2026-02-15"
TARGET, MONTHS = 18_000_000, 12
SIZE = ViewportSize(width=1280, height=1000)
REPORT = ViewportSize(width=1280, height=1150)
PANEL = ViewportSize(width=1180, height=860)
PHONE = ViewportSize(width=360, height=700)
LEAD = 20  # leads above the one whose panel is shown


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
    train_champion(settings, by="pictures")  # as `make run` does
    scored = project.score()
    project.publish(scored)
    project.report(to=folder / "report.html")


def _take_pictures(folder: Path, *, chromium: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in ("funnel", "forecast"):
            page = _open(browser, folder / f"{name}.html", SIZE)
            _save(page, name)
        report = folder / "report.html"
        _save(_open(browser, report, REPORT), "report")
        _save(_open_lead(browser, report), "report-lead")
        _save(_open_phone(browser, report), "report-phone")
        browser.close()


def _open(browser: Browser, path: Path, size: ViewportSize) -> Page:
    page = browser.new_page(viewport=size)
    page.goto(path.as_uri())
    return page


def _open_lead(browser: Browser, report: Path) -> Page:
    """The panel of a lead in dark mode, from what makes its probability on."""
    page = browser.new_page(viewport=PANEL, color_scheme="dark")
    page.goto(report.as_uri())
    page.click(f"#leads button.lead >> nth={LEAD}")
    heading = page.locator("h3:has-text('What makes the probability')")
    heading.evaluate(
        "heading => { heading.style.scrollMarginTop = '5rem'; heading.scrollIntoView() }"
    )
    return page


def _open_phone(browser: Browser, report: Path) -> Page:
    """The list on a narrow screen."""
    page = browser.new_page(viewport=PHONE, device_scale_factor=1.5)
    page.goto(report.as_uri())
    page.locator("#list").evaluate("section => section.scrollIntoView()")
    return page


def _save(page: Page, name: str) -> None:
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
