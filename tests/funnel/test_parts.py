"""By what leads can be grouped, and what is said of names that are none."""

import pytest

from builders import Facts, day, make_settings
from leadscore.errors import UserError
from leadscore.project.parts import read_parts


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    columns = {"lead_id": "id", "event_at": "created", "channel": "Source", "owner_id": "owner"}
    mapping = [{"source": "leads", "table": "leads", "columns": columns}]
    facts = Facts(make_settings(mapping=mapping, fields={"channel": {}}))
    facts.lead("a", 0, channel="Fair").stage("a", 0, "new")
    history = facts.history(tmp_path_factory.mktemp("parts"), known_until=9)
    yield history
    history.engine.close()


def test_leads_when_grouped_by_a_field_then_each_has_its_value(history):
    assert dict(read_parts(history, "channel", known_us=day(9))) == {"a": "Fair"}


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("chanel", "unknown field 'chanel'; did you mean 'channel'"),
        ("source", "the column 'source' is mapped as 'channel'; ask by that name"),
        ("owner", "the column 'owner' is mapped as 'rep'; ask by that name"),
        ("colour of shoes", "unknown field 'colour of shoes'; known are 'rep'"),
    ],
)
def test_name_when_it_is_no_field_then_the_right_one_is_named(history, by, words):
    with pytest.raises(UserError, match=words):
        read_parts(history, by, known_us=day(9))
