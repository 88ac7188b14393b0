"""A small project, and how a command must refuse it."""

from commands import Ended

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


def assert_told(ended: Ended, *words: str) -> None:
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("error: ")
    assert "Traceback" not in ended.err
    for word in words:
        assert word in ended.err
