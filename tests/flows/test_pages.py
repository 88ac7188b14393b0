"""What Prefect's pages are given: counts and warnings of an ingest, and links that open elsewhere."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import httpx
import pytest

from leadscore.results import Accounts, Ingested, SourceAccount
from leadscore.settings.environment import BASE_URL

OURS = ("ingest_pages", "list_pages", "links", "pages")
FLOWS = Path(__file__).parents[2] / "flows"
INGESTED = Ingested(
    project="shop",
    store_version="v1",
    known_until="2026-03-01T06:00:00Z",
    known_until_from="files",
    files=[],
    accounts=Accounts(
        sources={"leads": SourceAccount(read=1200, used=1190, ignored=7, rejected=3)}, tables={}
    ),
    rejects={"type": 3},
    warned={},
    first_rejects={},
    alarms=[],
    warnings=["3 *odd* dates"],
    duplicates=0,
    duplicates_file="",
)


@pytest.fixture
def pages(monkeypatch):
    """The flows' modules, and what they would hand to Prefect, which is not loaded."""
    shown = {}
    recorder = SimpleNamespace(
        create_markdown_artifact=lambda text, key: shown.update({key: text}),
        create_link_artifact=lambda address, _text, key: shown.update({key: address}),
    )
    local = ModuleType("local")
    local.artifacts = recorder
    for name in OURS:  # of tests before, with Prefect behind them
        sys.modules.pop(name, None)
    monkeypatch.setitem(sys.modules, "local", local)
    monkeypatch.syspath_prepend(FLOWS)
    yield shown
    for name in OURS:
        sys.modules.pop(name, None)


def test_ingest_when_shown_then_has_counts_by_source_rejects_and_warnings_as_plain_text(pages):
    from ingest_pages import show_ingest

    show_ingest(INGESTED)
    text = pages["leadscore-ingest"]
    assert "| leads | 1,200 | 1,190 | 7 | 3 |" in text
    assert "- type: 3 rows" in text
    assert r"- 3 \*odd\* dates" in text
    assert "Alarms" not in text


@pytest.mark.parametrize(("base_url", "begin"), [
    ("https://leads.example.com/x/", "https://leads.example.com/x/data/shop/reports/a%20b.html"),
    ("", "file:///"),
])  # fmt: skip
def test_report_when_a_base_url_is_set_then_digest_and_link_open_from_elsewhere(
    pages, monkeypatch, tmp_path, base_url, begin
):
    from list_pages import show_report

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(BASE_URL, base_url)
    config = tmp_path / "leadscore.toml"
    config.write_text(
        'project = "shop"\nsources.leads.path = "leads.csv"\n[[mapping]]\nsource = "leads"\n'
        'table = "leads"\ncolumns = { lead_id = "id", event_at = "created" }\n'
    )
    show_report(
        str(config), SimpleNamespace(path="data/shop/reports/a b.html", digest="Five lines")
    )
    address = pages["leadscore-report"]
    assert address.startswith(begin)
    assert pages["leadscore-digest"] == f"Five lines\n\n[The whole report]({address})\n"


def test_page_when_no_server_answers_then_the_run_goes_on_and_any_other_error_ends_it(
    pages, caplog
):
    from pages import page

    def show(error: Exception) -> None:
        raise error

    page(show)(httpx.ConnectError("refused"))
    assert "Prefect's server cannot be reached, so its pages lack a part: refused" in caplog.text
    with pytest.raises(ValueError, match="a bug"):
        page(show)(ValueError("a bug"))
