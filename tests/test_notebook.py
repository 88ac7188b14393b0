"""The notebook of the examples runs from its first cell to its last."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "examples" / "python.ipynb"
OPENING = 'project = Project("crm/leadscore.toml")'
QUICK = """settings = Path("crm/leadscore.toml")
text = settings.read_text().replace("cadence_days = 7 ", "cadence_days = 28 ")
settings.write_text(text + '\\n[model]\\nscorer = "logistic"\\n')
"""


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # those of Jupyter itself
def test_notebook_when_run_then_every_cell_gives_what_its_text_promises(environment):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    train_quickly(notebook)
    NotebookClient(notebook, timeout=240).execute()
    shown = {
        cell["source"].splitlines()[-1]: cell["outputs"]
        for cell in notebook.cells
        if cell["cell_type"] == "code"
    }
    scores = text_of(shown, "scores[[")
    assert len(re.findall(r"L0\d{6}", scores)) == 10
    assert "owner_id" in text_of(shown, "project.audit()")
    assert "calibration_error" in text_of(shown, "trained.evaluation")
    assert "adds" in text_of(shown, "explained.to_pandas()")


def train_quickly(notebook):
    """Let the sample's settings ask for a quick training before the notebook opens them."""
    (cell,) = [cell for cell in notebook.cells if OPENING in cell["source"]]
    cell["source"] = cell["source"].replace(OPENING, QUICK + OPENING)


def text_of(shown, begin):
    """What the cell shows whose last line begins so."""
    outputs = next(outputs for line, outputs in shown.items() if line.startswith(begin))
    return outputs[-1]["data"]["text/plain"]


def test_notebook_when_stored_then_holds_no_output():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    outputs = [cell.get("outputs") for cell in notebook.cells if cell["cell_type"] == "code"]
    assert not any(outputs)
