"""A small project, and what a command printed."""

from dataclasses import dataclass

SETTINGS = """
project = "shop"
known_until = 2024-02-01
data_folder = "{folder}/data"
models_folder = "{folder}/models"

[sources.leads]
path = "leads.csv"

[[mapping]]
source = "leads"
table = "leads"
columns = {{ lead_id = "id", event_at = "created" }}

[validation]
max_refused = 1
"""
LEADS = "id,created\n1,2024-01-01\n2,2024-01-02\n"


@dataclass(frozen=True)
class Told:
    code: int
    out: str
    err: str


def assert_told(told: Told, *words: str) -> None:
    assert told.code == 2
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert "Traceback" not in told.err
    for word in words:
        assert word in told.err
