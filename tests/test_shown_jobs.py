"""What people see of leads, from the export to the workbook: no other file ever names anybody."""

import pandas as pd
import pyarrow.parquet as pq
import pytest

import deliveries
import histories
from leadscore import project as jobs
from leadscore.errors import UserError
from leadscore.project.showing import forget, read_companies
from leadscore.project.worklist import write_worklist
from leadscore.settings.settings import Settings

NAMED = {"shown", "worklist.xlsx"}  # below the project's folder, the only ones that may
PLANTED = "Xyzzyquist"


def plant(settings: Settings) -> None:
    """Give every contact and company of the export a name that occurs nowhere else."""
    path = settings.input_folder / "leads.csv"
    leads = pd.read_csv(path, dtype=str, keep_default_na=False)
    leads = leads.assign(company=PLANTED, contact=PLANTED, email=f"{PLANTED}@{PLANTED}.test")
    leads.to_csv(path, index=False)


def holds(path, word: str) -> bool:
    """Whether a file holds a word, in its bytes or in its rows."""
    if word.encode() in path.read_bytes():
        return True
    if path.suffix != ".parquet":
        return False
    return any(word in str(row) for row in pq.read_table(path).to_pylist())


def files_that_name(settings: Settings) -> set[str]:
    """The files and folders of the project, and of its models, that hold the planted name."""
    named = set()
    for root in (settings.project_folder(), settings.models_folder):
        for path in root.rglob("*"):
            if path.is_file() and holds(path, PLANTED):
                named.add(path.relative_to(root).parts[0])
    return named


@pytest.mark.slow
def test_names_when_leads_are_scored_then_are_in_the_shown_folder_and_nowhere_else(
    tmp_path, capfd, caplog
):
    settings = deliveries.settings_of(tmp_path, leads=300)
    model = settings.model.model_copy(update={"scorer": "scorecard"})
    settings = settings.model_copy(update={"model": model})
    source = deliveries.sample_folder(leads=300, seed=1) / "exports"
    settings.input_folder.mkdir()
    for path in source.iterdir():
        (settings.input_folder / path.name).write_bytes(path.read_bytes())
    plant(settings)

    jobs.ingest(settings)
    trained = jobs.train(settings)
    histories.register(settings, trained, promote=True)
    scored = jobs.publish(settings, jobs.score(settings).publication_id)
    written = write_worklist(settings)

    assert written.publication_id == scored.publication_id
    assert set(read_companies(settings).values()) == {PLANTED}
    assert files_that_name(settings) == {"shown"}  # the workbook is compressed
    printed = capfd.readouterr()
    assert PLANTED not in printed.out + printed.err + caplog.text

    forgotten = forget(settings, contact=PLANTED)
    assert forgotten.leads > 0
    assert forgotten.removed == [written.workbook]
    assert files_that_name(settings) == set()


@pytest.mark.parametrize(
    "whom",
    [{}, {"lead_id": ""}, {"lead_id": " "}, {"contact": "?"}, {"lead_id": "1", "contact": "Ann"}],
)
def test_forget_when_nobody_is_named_then_is_refused_and_nothing_is_removed(tmp_path, whom):
    settings = deliveries.settings_of(tmp_path, leads=300)
    worklist = settings.project_folder() / "worklist.xlsx"
    worklist.parent.mkdir(parents=True)
    worklist.touch()
    with pytest.raises(UserError):
        forget(settings, **whom)
    assert worklist.exists()
