"""From export to verdict: the job, the command, and what training makes of it."""

import json
import re
from pathlib import Path

import pytest

import commands
import histories
from leadscore import project as jobs
from leadscore.cli import rendering as terminal
from leadscore.features.matrix import build_features
from leadscore.model.files import read_model
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings

ALL_COLUMNS = """
columns = { lead_id = "lead_id", event_at = "created_at", owner_id = "owner_id", amount = "amount", \
channel = "source", industry = "industry", country = "country", employees = "employees", job_title = "job_title", \
status = "status", budget_now = "budget", need_now = "need", timeline_now = "timeline", company = "company" }

[fields.status]
known_from = "creation" # it is not: what a user may write, and the audit must catch

[fields.company]
[fields.need_now]
[fields.budget_now]
type = "number"
[fields.timeline_now]
type = "date"
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """The sample company with every column of its leads mapped, those of today too, and ingested."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder / "crm", leads=4000, seed=1)
    path = folder / "crm" / "leadscore.toml"
    lines = path.read_text().splitlines()
    at = next(
        i for i, line in enumerate(lines) if line.startswith("columns = ") and "created_at" in line
    )
    folders = f'data_folder = "{folder}/data"\nmodels_folder = "{folder}/models"\n'
    text = folders + "\n".join([*lines[:at], ALL_COLUMNS, *lines[at + 1 :]])
    text = text.replace("max_per_lead = 6", "max_per_lead = 2").replace(
        "cadence_days = 7", "cadence_days = 14"
    )
    text = re.sub(r"(?s)\n\[show\].*?(?=\n\[)", "", text)  # what people are shown is no field
    path.write_text(text + '\n[model]\nscorer = "logistic"\n')
    jobs.ingest(read_settings(path))
    return path


@pytest.fixture(scope="module")
def trained(config):
    return jobs.train(read_settings(config))


def keeping(config, *names):
    settings = read_settings(config)
    return settings.model_copy(update={"audit": settings.audit.model_copy(update={"keep": names})})


def test_audit_of_the_sample_when_all_columns_are_mapped_then_status_alone_leaks(config):
    told = jobs.audit(read_settings(config))
    found = {each.field: each for each in told.fields}
    assert {name for name, each in found.items() if each.verdict == "leak"} == {"status"}
    suspects = {name for name, each in found.items() if each.verdict == "suspect"}
    assert {"need_now", "timeline_now"} <= suspects <= {"budget_now", "need_now", "timeline_now"}
    assert found["status"].use == "left out"
    assert {found[name].use for name in ("owner_id", "company", "need_now")} == {"shown"}
    assert {found[name].use for name in ("channel", "budget", "need")} == {"learned"}
    assert json.loads(json.dumps(told.to_dict(), allow_nan=False)) == told.to_dict()


def test_audit_when_a_leak_is_kept_by_name_then_says_so(config):
    use = {each.field: each.use for each in jobs.audit(keeping(config, "status")).fields}
    assert use["status"] == "kept"


@pytest.mark.slow
def test_train_when_a_field_leaks_then_leaves_it_out_and_tells_only_of_what_is_learned_from(
    config, trained
):
    told = {each.field: each for each in trained.evaluation.audit}
    assert (told["status"].verdict, told["status"].left_out) == ("leak", True)
    assert not {"owner_id", "company", "need_now", "budget_now", "timeline_now"} & set(told)
    assert trained.evaluation.metrics["all"].auc.value < 0.9
    model, _ = read_model(Path(trained.folder))
    assert model.document["left_out"] == ["status"]
    assert "profile_status" not in {feature["name"] for feature in model.document["features"]}
    card = Path(trained.card).read_text()
    assert "<b>Leak.</b> status: " in card


@pytest.mark.slow
def test_score_when_the_model_left_a_field_out_then_builds_the_features_that_it_knows(
    config, trained
):
    settings = read_settings(config)
    assert trained.no_signal is None
    histories.register(settings, trained)
    assert histories.score_and_publish(settings).counts.scored > 0


def test_features_when_the_field_of_a_bant_letter_is_left_out_then_the_letter_goes_too(config):
    settings = read_settings(config)
    names = {feature.name for feature in build_features(settings)}
    left = {feature.name for feature in build_features(settings, leave_out={"need", "channel"})}
    of_need = {"bant_need", "bant_need_known", "bant_need_mean", "bant_need_answers"}
    assert names - left == of_need | {"profile_channel"}
    completeness = next(
        f for f in build_features(settings, leave_out={"need"}) if f.name == "bant_completeness"
    )
    assert completeness.phrase.up == "{value} of 3 BANT questions answered"


@pytest.fixture
def run(config, monkeypatch):
    monkeypatch.setattr(terminal.out, "_width", 160)

    def run(*words):
        ended = commands.run("audit", "--config", config, *words)
        assert ended.code == 0
        return ended.out

    return run


def test_command_when_asked_for_json_then_prints_fields_with_verdict_evidence_and_checks(run):
    told = json.loads(run("--json"))
    status = next(each for each in told["fields"] if each["field"] == "status")
    assert status["verdict"] == "leak"
    assert status["evidence"] == status["checks"][0]["evidence"]
    assert {"check", "verdict", "evidence", "numbers"} == set(status["checks"][0])
    assert told["findings"] == []


def test_command_when_leaks_are_found_then_draws_them_first_and_ends_well(run):
    drawn = run()
    rows = [line.split() for line in drawn.splitlines()]
    assert ["status", "leak", "left", "out"] in [row[:4] for row in rows]
    verdicts = [row[1] for row in rows if len(row) > 2 and row[1] in {"leak", "suspect", "ok"}]
    assert verdicts == sorted(verdicts, key=["leak", "suspect", "ok"].index)
    assert "under [audit]" in drawn
