"""Without dates no model scores until the fields that could tell the outcome are confirmed, by lines to be pasted."""

import json
import re

import pytest

from audit.test_together import LATE, make
from commands import run

HONEST = {"region": 0.7, "client_size": 0.66, "origin": 0.62}
HEAD = """
project = "asked"
time = "{time}"

[model]
trials = 1
scorer = "logistic"

[sources.leads]
path = "leads.csv"

[[mapping]]
source = "leads"
table = "leads"
columns = {{ {columns} }}

[[mapping]]
source = "leads"
table = "outcomes"
columns = {{ outcome = "status" }}

[fields]
"""


@pytest.fixture(params=["ordered", pytest.param("none", marks=pytest.mark.slow)])
def project(request, tmp_path, monkeypatch):
    """A folder with an export of honest fields and of six that sales filled in afterwards, and its settings."""
    monkeypatch.chdir(tmp_path)
    frame, won = make(3, HONEST, dict.fromkeys(LATE, 0.7), n=700)
    frame.assign(status=["won" if each else "lost" for each in won]).to_csv(
        tmp_path / "leads.csv", index=False
    )
    columns = ", ".join(f'{name} = "{name}"' for name in frame)
    lines = []
    for name in frame:
        kind = "number" if frame[name].dtype.kind == "f" else "text"
        lines.append(f'{name} = {{ type = "{kind}", label = "the {name}" }}')
    config = tmp_path / "leadscore.toml"
    config.write_text(HEAD.format(time=request.param, columns=columns) + "\n".join(lines) + "\n")
    assert run("ingest").code == 0
    return config


def paste(config, lines):
    """Put sections of fields in place of what the settings say of these fields."""
    names = re.findall(r"\[fields\.(\w+)\]", lines)
    stated = [
        line
        for line in config.read_text().splitlines()
        if not re.match(rf"({'|'.join(names)}) = {{", line)
    ]
    config.write_text("\n".join(stated) + f"\n\n{lines}\n")


@pytest.mark.slow
def test_train_when_nothing_is_dated_then_promotes_only_once_the_fields_are_confirmed(project):
    shown = run("train")
    assert shown.code == 0
    assert "Not promoted: it is not known when fields were filled in" in shown.out
    assert "AUC alone 0." in shown.out
    lines = "\n".join(re.findall(r"^\[fields\.\w+\]\n(?:\w+ = .*\n)+", shown.out, re.MULTILINE))
    asked = set(re.findall(r"\[fields\.(\w+)\]", lines))
    assert set(LATE) <= asked <= {*LATE, *HONEST}
    paste(project, lines)
    told = json.loads(run("train", "--json").out)
    assert told["evaluation"]["confirm"] is None
    assert told["promotion"]["promoted"] is True, told["promotion"]
    assert told["champion"]["aliases"] == ["champion"]
