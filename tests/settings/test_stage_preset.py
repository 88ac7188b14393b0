"""Presets of stages: each is whole, and settings override it part by part."""

from pathlib import Path

import pytest

from commands import run
from leadscore.errors import SettingsError
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings
from leadscore.settings.stage_preset import stage_preset_names, stage_preset_text

PLAIN = """project = "x"
[sources.leads]
path = "leads.csv"
[[mapping]]
source = "leads"
table = "leads"
columns = { lead_id = "id", event_at = "created" }
"""
NAMES = {
    "please", "seven_stage", "consultative", "crm_classic", "contact_to_close",
    "salesforce_default", "hubspot_default", "odoo_default",
}  # fmt: skip


def read(folder: Path, text: str) -> Settings:
    path = folder / "leadscore.toml"
    path.write_text(PLAIN + text, encoding="utf-8")
    return read_settings(path)


def test_presets_of_stages_when_listed_then_are_the_eight():
    assert set(stage_preset_names()) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_preset_of_stages_when_used_then_every_open_stage_has_its_action(name, tmp_path):
    settings = read(tmp_path, f'[stages]\npreset = "{name}"\n')
    stages = settings.stages
    assert list(settings.actions.by_stage) == list(stages.open)
    assert stages.won
    assert stages.qualification == stages.open[: len(stages.qualification)] != ()
    assert read(tmp_path, stage_preset_text(name)).stages == stages.model_copy(
        update={"preset": None}
    )


def test_preset_of_stages_when_overridden_then_only_what_is_stated_changes(tmp_path):
    settings = read(
        tmp_path,
        """[stages]
preset = "crm_classic"
open = ["Qualification", "Visit", "Proposal and quote"]
[actions]
revive_days = 9
[actions.by_stage]
Visit = "demo"
""",
    )
    assert settings.stages.open == ("Qualification", "Visit", "Proposal and quote")
    assert settings.stages.qualification == ("Qualification",)
    assert settings.stages.after_sale == ("Post-sale relationship",)
    assert settings.actions.by_stage == {
        "Qualification": "call",
        "Proposal and quote": "proposal",
        "Visit": "demo",
    }
    assert settings.actions.revive_days == 9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('preset = "crm_clasic"', "stages.preset: .*did you mean 'crm_classic'"),
        ('open = ["a"]\nqualification = ["b"]', "qualification: 'b' is no open stage"),
        ('open = ["a"]\nmoves = { a = ["b"] }', "moves.a: 'b' is no open stage"),
        ('open = ["a"]\nstalled_days = { b = 3 }', "stalled_days: 'b' is no open stage"),
        (
            'open = ["a", "b", "c"]\npipelines = { one = ["a"] }',
            "pipelines: the open stages 'b', 'c' are in none",
        ),
        (
            'open = ["a", "b"]\npipelines = { one = ["b", "a"] }',
            "pipelines: list their stages in the order of `open`",
        ),
        ('open = ["a"]\nafter_sale = ["a"]', "the stage 'a' is named more than once"),
        ('preset = "please"\nopen = "a"', "stages.open"),
    ],
)
def test_stages_when_they_do_not_fit_then_are_refused_in_words(text, words, tmp_path):
    with pytest.raises(SettingsError, match=words):
        read(tmp_path, f"[stages]\n{text}\n")


def test_init_when_a_preset_of_stages_is_to_be_shown_then_prints_it():
    shown = run("init", "--show-preset", "stages/please")
    assert shown.out == stage_preset_text("please")
    unknown = run("init", "--show-preset", "stages/pleas")
    assert unknown.code == 2
    assert "did you mean 'please'" in unknown.err
