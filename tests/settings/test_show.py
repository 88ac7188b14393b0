"""The section `show`: which columns it may name, and which addresses it makes."""

import pytest
from pydantic import ValidationError

from builders import make_settings
from leadscore.settings.show import ShowSettings

URL = "https://crm.example.com/leads/{lead_id}"
LEADS = {"lead_id": "id", "event_at": "created", "size": "Size", "email": "Mail"}


def settings_with(show, **changes):
    entry = {"source": "leads", "table": "leads", "columns": LEADS} | changes
    return make_settings(mapping=[entry], fields={"size": {}}, show=show)


@pytest.mark.parametrize(
    ("show", "message"),
    [
        ({"company": "Size"}, "column 'Size' of 'leads' is mapped to 'size' of leads"),
        ({"name": "id"}, "column 'id' of 'leads' is mapped to 'lead_id' of leads"),
        ({"company": {"deals": "X"}}, "no lead is read from 'deals'"),
        ({"url": "https://x.test/{company}"}, "nothing shown is called 'company'"),
        ({"url": "https://x.test/{lead_id!r}"}, "must stand alone in its braces"),
        ({"url": "javascript:alert(1)"}, "must be a web address"),
        ({"url": "https:///{lead_id}"}, "must be a web address"),
        ({"url": "https://{lead_id}.test/"}, "the server must be written out"),
        ({"url": "https://ann:secret@x.test/{lead_id}"}, "without a user"),
        ({"company": ""}, "show.company"),
        ({"firm": "X"}, "firm"),
    ],
)
def test_section_when_it_cannot_be_followed_then_is_refused(show, message):
    with pytest.raises(ValidationError, match=message):
        settings_with(show)


def test_column_when_rows_are_chosen_by_it_then_is_refused():
    with pytest.raises(ValidationError, match="selects or translates rows"):
        settings_with({"company": "Firm"}, where={"Firm": ["A*"]})


def test_column_when_the_store_has_only_its_hash_then_may_be_shown():
    settings = settings_with({"email": "Mail", "url": URL})
    assert settings.shown_columns("leads") == {"email": "Mail"}
    assert "Mail" in settings.columns_read("leads")


@pytest.mark.parametrize(
    ("url", "lead", "address"),
    [
        (URL, {"lead_id": "7"}, "https://crm.example.com/leads/7"),
        (URL, {"lead_id": "../a?b#c d"}, "https://crm.example.com/leads/..%2Fa%3Fb%23c%20d"),
        ("http://x.test/?q={email}", {"email": "ü@x"}, "http://x.test/?q=%C3%BC%40x"),
        ("http://x.test/?q={email}", {"email": None}, None),
        (None, {"lead_id": "7"}, None),
    ],
)
def test_address_when_a_lead_has_one_then_every_value_is_quoted(url, lead, address):
    assert ShowSettings(email="Mail", url=url).address_of(lead) == address
