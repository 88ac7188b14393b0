"""Since when a sequence of exports has recorded each field, and what it is good for."""

import pytest

from builders import make_settings
from commands import run
from histories import undated_settings
from leadscore import Project
from leadscore import project as jobs
from leadscore.errors import UserError

DAYS = ("2024-03-01", "2024-04-01", "2024-05-01")
LEVELS = ["low", "mid", "high"]


def settings_of(folder, until, *, known_from=None, has_mood=False, **changes):
    """An attribute and two answers on BANT, of which one may be mapped later."""
    stated = {} if known_from is None else {"known_from": known_from}
    columns = {"lead_id": "id", "event_at": "created", "need": "need", "size": "size"}
    leads = {"source": "leads", "table": "leads", "columns": columns}
    if has_mood:
        columns["mood"] = "mood"
    outcomes = {"lead_id": "id", "event_at": "closed", "outcome": "end"}
    plain = {
        "input_folder": folder,
        "data_folder": folder / "data",
        "sources": {"leads": {"path": "leads.csv"}, "ends": {"path": "ends.csv"}},
        "fields": {"need": stated, "size": {}, "mood": {}},
        "bant": {
            "need": {"field": "need", "levels": LEVELS},
            "authority": {"field": "mood", "levels": ["bad", "good"]},
        },
        "mapping": [leads, {"source": "ends", "table": "outcomes", "columns": outcomes}],
        "known_until": until,
        "validation": {"max_refused": 1.0},
    }
    return make_settings(**(plain | changes))


def deliver(folder, until, *, need="low", mood=None, ends=("1,2024-02-01,won",), **changes):
    """One export of five leads, of which lead 1 was won long before the first."""
    header = "id,created,need,size,mood"
    rows = [f"{i},2024-01-{i:02d},{need},7,{mood or ''}" for i in range(1, 6)]
    if mood is None:
        header, rows = "id,created,need,size", [row.removesuffix(",") for row in rows]
    (folder / "leads.csv").write_text("\n".join([header, *rows, ""]))
    (folder / "ends.csv").write_text("\n".join(["id,closed,end", *ends, ""]))
    settings = settings_of(folder, until, has_mood=mood is not None, **changes)
    jobs.ingest(settings, accept=["same_files"])
    return settings


def look(settings):
    return {field.name: field for field in Project(settings).audit_history().fields}


def test_history_when_a_column_comes_later_then_it_begins_there_and_a_rollback_takes_it_back(
    tmp_path,
):
    settings = deliver(tmp_path, DAYS[0])
    first = look(settings)
    version = Project(settings).audit_history().store_version
    assert list(first) == ["mood", "need", "size"]  # BANT first
    assert (first["mood"].state, first["mood"].since) == ("missing", None)
    assert (first["need"].origin, first["need"].since) == ("recorded", "2024-03-01T00:00:00Z")
    assert first["need"].lost.won == 1
    assert (first["need"].leads, first["need"].open_before) == (4, 4)

    second = look(deliver(tmp_path, DAYS[1], need="high", mood="good"))
    assert (second["need"].since, second["need"].changed) == ("2024-03-01T00:00:00Z", 5)
    assert (second["mood"].since, second["mood"].changed) == ("2024-04-01T00:00:00Z", 0)
    assert (second["size"].since, second["size"].changed) == ("2024-03-01T00:00:00Z", 0)
    assert "none changed" in second["size"].summary

    jobs.rollback_store(settings, version)
    assert look(settings) == first
    third = look(deliver(tmp_path, DAYS[2], mood="bad"))
    assert third["mood"].since == "2024-05-01T00:00:00Z"  # another branch does not count


@pytest.mark.cases(1)
@pytest.mark.parametrize(
    ("known_from", "state", "line", "words"),
    [
        (None, "growing", '[fields.need] known_from = "export"', "0 of 30 won and 4 of 30 not won"),
        ("export", "growing", None, "0 of 30 won and 4 of 30 not won so far"),
        ("creation", "creation", None, "known from creation, so no history is needed"),
    ],
)
def test_history_when_the_settings_state_known_from_then_says_what_is_still_to_be_written(
    tmp_path, known_from, state, line, words
):
    deliver(tmp_path, DAYS[0], known_from=known_from)
    settings = deliver(tmp_path, DAYS[2], known_from=known_from)
    need = look(settings)["need"]
    assert (need.state, need.line) == (state, line)
    assert words in need.summary
    assert need.letters == ["need"]


def test_history_when_asked_on_the_command_line_then_is_drawn_and_given_as_json(tmp_path):
    settings = deliver(tmp_path, DAYS[0])
    audited = Project(settings).audit_history()
    assert audited.rule.startswith(
        "enough to learn from: 30 leads won and 30 not won within 30 days"
    )
    assert list(audited.to_pandas()["name"]) == ["mood", "need", "size"]
    assert "--history" in run("audit", "--help").out


def test_history_when_nothing_is_dated_then_says_what_to_map():
    with pytest.raises(UserError, match="nothing is dated, so no field has a history"):
        Project(undated_settings("none")).audit_history()
