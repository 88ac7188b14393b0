"""What surrounds the code says the same everywhere: the site, the hooks, the workflow, the metadata."""

import importlib.util
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MAKEFILE = (ROOT / "Makefile").read_text()


def _read_yaml(name):
    return yaml.safe_load((ROOT / name).read_text())


@pytest.fixture(scope="module")
def site():
    spec = importlib.util.spec_from_file_location("site_pages", ROOT / "docs" / "site_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("source", "link", "on_the_site"), [
    ("README.md", "docs/settings.md", "settings.md"),
    ("README.md", "docs/settings.md#time-modes", "settings.md#time-modes"),
    ("README.md", "docs/images/run.svg", "images/run.svg"),
    ("README.md", "examples/bpic2012/README.md", "examples/bpic2012/README.md"),
    ("README.md", "pyproject.toml", "https://github.com/leadscore/leadscore/blob/main/pyproject.toml"),
    ("README.md", "https://semver.org", "https://semver.org"),
    ("README.md", "#the-rooms", "#the-rooms"),
    ("docs/audit.md", "settings.md", "settings.md"),
    ("docs/audit.md", "../README.md#known-limits", "README.md#known-limits"),
    ("docs/audit.md", "../examples/bpic2012/README.md", "examples/bpic2012/README.md"),
    ("docs/audit.md", "../examples", "https://github.com/leadscore/leadscore/blob/main/examples"),
    ("examples/bpic2012/README.md", "../../docs/metrics.md#drift", "../../metrics.md#drift"),
    ("examples/bpic2012/README.md", "leadscore.toml",
     "https://github.com/leadscore/leadscore/blob/main/examples/bpic2012/leadscore.toml"),
])  # fmt: skip
def test_link_when_its_page_is_on_the_site_then_it_leads_to_the_same(
    site, source, link, on_the_site
):
    bent = site.bend_links(f"See [`it`]({link}) and ![it]({link}).", source)
    assert bent == f"See [`it`]({on_the_site}) and ![it]({on_the_site})."


@pytest.mark.parametrize("code", ["`x[0](../README.md)`", "```md\n[it](../README.md)\n```\n"])
def test_link_when_it_is_code_then_it_stays(site, code):
    assert site.bend_links(code, "docs/audit.md") == code


def _pages(nav):
    for entry in nav:
        for target in entry.values():
            yield from [target] if isinstance(target, str) else _pages(target)


def test_navigation_of_the_site_when_compared_with_the_files_then_every_page_is_in_it(site):
    pages = [
        page for page in _pages(_read_yaml("mkdocs.yml")["nav"]) if not page.startswith("https:")
    ]
    within = [path.name for path in (ROOT / "docs").glob("*.md")]
    assert sorted(pages) == sorted([*within, *site.outside_pages()])


def test_site_when_it_is_built_then_nothing_is_fetched_for_it():
    config = _read_yaml("mkdocs.yml")
    assert config["plugins"] == ["search"]
    assert config["theme"]["font"] is False


def test_hooks_before_a_commit_when_compared_with_make_check_then_they_run_the_same():
    recipe = MAKEFILE.split("\ncheck: setup\n")[1].split("\n\n")[0]
    commands = [line.strip().replace("$(PY)", ".venv/bin/python") for line in recipe.splitlines()]
    gates = [
        command for command in commands if not command.startswith("@")
    ]  # the density is only printed
    (repository,) = _read_yaml(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    assert [hook["entry"] for hook in repository["hooks"]] == gates


def test_workflow_when_compared_with_the_metadata_then_every_named_python_is_tested():
    named = [
        line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)
    ]
    jobs = _read_yaml(".github/workflows/ci.yml")["jobs"]
    assert [job["strategy"]["matrix"]["python"] for job in jobs.values()] == [named, named]
    assert {step["run"] for job in jobs.values() for step in job["steps"] if "run" in step} == {
        ".ci/run",
        "make test-all",
    }


def test_requirements_when_locked_then_they_name_no_place():
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "://" not in text
        assert "--hash=sha256:" in text
        assert not re.search(r"^--", text, re.MULTILINE)


TOP_LEVEL = {
    ".ci", ".github", ".gitignore", ".pre-commit-config.yaml", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile",
    "README.md", "SECURITY.md", "bench", "compose.yaml", "data", "docs", "examples", "flows", "mkdocs.yml", "models",
    "prefect.yaml", "pyproject.toml", "requirements", "src", "tests",
}  # fmt: skip


def test_top_level_when_compared_with_what_belongs_there_then_nothing_was_left_by_a_try():
    git = shutil.which("git") or pytest.skip("git is not installed")
    listed = subprocess.run(
        [git, "ls-files"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a checkout that git reads")
    assert {path.partition("/")[0] for path in listed.stdout.splitlines()} == TOP_LEVEL
