"""Names of companies and people that are mapped as keys: nothing that is written or shown has them."""

from __future__ import annotations

import json
from pathlib import Path

import histories
from ingest.test_keys import FIRST, LEADS, MOVED, NAMES, SECOND, clear_names, export
from leadscore import project as jobs
from leadscore.settings.settings import Settings

MORE = "".join(f"{n},2024-01-0{n},{NAMES[0]} GmbH,Cy {NAMES[1]}\n" for n in range(4, 10))


def deliver(folder: Path, until: str, leads: str, *, with_memory: bool = True) -> Settings:
    """Ingest an export of leads whose company and person are names."""
    memory = {} if with_memory else {"memory": {}}
    settings = export(
        folder,
        until,
        leads + MORE,
        models_folder=folder / "models",
        model={"scorer": "scorecard"},
        scorecard={"base_rate": 0.2},
        **memory,
    )
    jobs.ingest(settings)
    return settings


def test_names_when_mapped_as_keys_then_neither_files_nor_explanations_have_them(
    tmp_path, caplog, capsys
):
    caplog.set_level("DEBUG")
    deliver(tmp_path, FIRST, LEADS)
    settings = deliver(tmp_path, SECOND, MOVED)
    trained = jobs.train(settings)
    jobs.register(settings, Path(trained.folder), who=histories.WHO, promote=True)
    scored = jobs.score(settings)
    jobs.publish(settings, scored.publication_id)
    explained = jobs.explain(settings, "2")

    told = [fact.what for fact in explained.facts if "account" in fact.what.lower()]
    assert told == ["Account changed"]
    shown = json.dumps(explained.to_dict()) + caplog.text + "".join(capsys.readouterr())
    assert "hash:" not in shown
    assert not [name for name in NAMES if name.lower() in shown.lower()]
    for name in ("data", "models"):
        assert clear_names(tmp_path / name) == set()
    assert clear_names(tmp_path) == set(NAMES)  # of the files themselves: the search finds them


def test_keys_when_no_line_says_since_when_they_are_known_then_ingest_and_train_name_them(tmp_path):
    settings = deliver(tmp_path, FIRST, LEADS, with_memory=False)
    trained = jobs.train(settings)

    again = jobs.ingest(settings)
    assert again.keys_not_learned_from == ["account", "contact"]
    assert trained.evaluation.keys_not_learned_from == ["account", "contact"]
    card = Path(trained.card).read_text(encoding="utf-8")
    assert "Earlier leads of the same account or contact do not count" in card
    assert "account = &#34;creation&#34;" in card
