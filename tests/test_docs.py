"""The documents say what is there: settings, metrics, rules, columns, links."""

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import BaseModel

from leadscore.evaluation.metrics import METRICS
from leadscore.routing.assign import ROUTES
from leadscore.scoring.score import SCORES
from leadscore.settings.rules import RULES
from leadscore.settings.settings import Settings
from leadscore.tables import REPS

ROOT = Path(__file__).parents[1]
WRITTEN_BY_RUNS = {".venv", ".pytest_cache", "data", "artifacts", "build"}
DOCS = {path.relative_to(ROOT).as_posix(): path.read_text() for path in ROOT.glob("**/*.md")
        if WRITTEN_BY_RUNS.isdisjoint(path.relative_to(ROOT).parts[:-1])}  # fmt: skip


def _keys(model, prefix=""):
    for name, field in model.model_fields.items():
        yield name
        for inner in [field.annotation, *getattr(field.annotation, "__args__", ())]:
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from _keys(inner)


@pytest.mark.parametrize("key", sorted(set(_keys(Settings))))
def test_settings_key_is_told_in_the_docs(key):
    assert re.search(rf"`(?:[\w<>]+\.)*{key}\b[^`]*`", DOCS["docs/settings.md"])


def test_example_of_the_docs_is_a_valid_settings_file():
    text = re.search(r"```toml\n(.*?)```", DOCS["docs/settings.md"], re.DOTALL).group(1)
    settings = Settings.model_validate(tomllib.loads(text))
    assert settings.activity_kinds() == ["call", "message"]


@pytest.mark.parametrize(
    "name", ["auc", *METRICS, "calibration_error", "brier_skill", "log_loss_gain"]
)
def test_metric_is_told_in_the_docs(name):
    assert f"`{name}`" in DOCS["docs/metrics.md"]


@pytest.mark.parametrize("name", SCORES.names)
def test_score_column_is_told_in_the_docs(name):
    assert f"`{re.sub('_[123]$', '_1..3', name)}`" in DOCS["docs/scores.md"]


@pytest.mark.parametrize("name", [*ROUTES.names, *REPS.names[1:]])
def test_routing_column_is_told_in_the_docs(name):
    assert f"`{name}`" in DOCS["docs/routing.md"]


def test_settings_page_when_compared_with_the_settings_then_its_tables_are_up_to_date(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "bench")
    from settings_reference import BLOCK, BUILDERS, renew

    page = DOCS["docs/settings.md"]
    assert sorted(match[2] for match in BLOCK.finditer(page)) == sorted(BUILDERS)
    assert renew(page) == page, "run python bench/settings_reference.py --write"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 366}, "whole number, 1 to 366"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1e15}, "number, above 0, up to 1e15"),
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "number, from 0, below 1"),
        ({"type": "integer", "minimum": 128, "maximum": 16_777_216}, "whole number, 128 to 16,777,216"),
        ({"enum": ["dmy", "mdy"], "type": "string"}, '`"dmy"`, `"mdy"`'),
        ({"type": "array", "items": {"type": "string"}}, "list of text"),
        ({"type": "array", "items": {"$ref": "#/$defs/Rule"}}, "list of tables"),
        ({"anyOf": [{"type": "string", "format": "path"}, {"type": "null"}]}, "path"),
    ],
)  # fmt: skip
def test_values_of_a_key_when_described_then_its_type_and_bounds_are_in_words(
    monkeypatch, schema, words
):
    monkeypatch.syspath_prepend(ROOT / "bench")
    from settings_reference import describe_values

    assert describe_values(schema) == words


def test_rules_that_ingest_uses_are_those_that_there_are():
    ingest = ROOT / "src/leadscore/ingest"
    source = "".join(path.read_text() for path in ingest.rglob("*.py"))
    checks = "".join(path.read_text() for path in (ingest / "checks").rglob("*.py"))
    used = set(re.findall(r'rule="(\w+)"', source)) | set(
        re.findall(r'breaks\.add\([^"]*?"(\w+)"', source)
    )
    used |= set(re.findall(r"(?:THEN|ELSE) '(\w+)'", checks))
    assert used - {"duplicate", "gone", "ignored", "replaced"} == set(
        RULES
    )  # four say what became of a row


@pytest.mark.parametrize("name", sorted(DOCS))
def test_links_of_a_document_lead_somewhere(name):
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", DOCS[name]):
        assert ((ROOT / name).parent / link).exists(), link


@pytest.mark.parametrize("name", sorted(DOCS))
def test_per_cent_of_a_document_when_written_then_without_a_space(name):
    assert not re.search(r"\d\s%", DOCS[name])


def test_functions_that_the_walk_of_a_lead_names_are_there():
    walk = DOCS["docs/architecture.md"]
    names = re.findall(r"`((?:[a-z_]+\.)+(?:[a-z_]+|[A-Z]\w+))`", walk)
    names = [name for name in names if not name.endswith((".csv", ".parquet"))]
    assert len(names) > 25
    for name in names:
        module, _, attribute = name.rpartition(".")
        assert hasattr(import_module(f"leadscore.{module}"), attribute), name
    for folder in re.findall(r"`(?!src/)([a-z]+/[a-z_/.]*)`", walk):
        assert (ROOT / "src/leadscore" / folder).exists(), folder
