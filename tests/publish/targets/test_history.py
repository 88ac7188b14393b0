"""Lists for analysts: Parquet by day, a Data Package, and a source of dbt."""

import json
import re

import duckdb
import pytest
import yaml

from leadscore.publish.checkers.check import check_file
from leadscore.publish.publication import write_publication
from leadscore.publish.targets.history import format_dbt_source, write_history
from leadscore.publish.targets.typed_rows import build_table
from leadscore.scoring.score import SCORES
from publish.targets.lists import AS_OF, NASTY, make_list

DAY_US = 86_400_000_000


def publish(folder, rows, as_of_us=AS_OF):
    scores = make_list(rows, as_of_us=as_of_us)
    pub = write_publication(
        [scores], folder=folder / "scores", as_of_us=as_of_us, model_version="m", store_version="s",
        project="shop", counts={}, basis={},
    )  # fmt: skip
    table, _ = build_table(pub, scores, excluded=(), valid_days=14)
    home = write_history(table, pub, folder=folder / "target", project="shop")
    return pub, home


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_history_when_several_lists_are_added_then_is_partitioned_by_day_and_repeatable(tmp_path):
    publish(tmp_path, {"1": {}, "2": {}})
    publish(tmp_path, {"2": {"score": 1.0}}, AS_OF + DAY_US)
    before = contents(tmp_path / "target")
    publish(tmp_path, {"1": {}, "2": {}})
    publish(tmp_path, {"2": {"score": 1.0}}, AS_OF + DAY_US)
    assert contents(tmp_path / "target") == before
    source = f"read_parquet('{tmp_path}/target/history/*/*.parquet', hive_partitioning=true)"
    rows = duckdb.sql(
        f"SELECT CAST(as_of AS DATE)::TEXT, lead_id, score FROM {source} ORDER BY 1, 2"
    )
    assert rows.fetchall() == [
        ("2024-04-10", "1", 80.0), ("2024-04-10", "2", 80.0), ("2024-04-11", "2", 1.0),
    ]  # fmt: skip
    exact = duckdb.sql(f"SELECT max(as_of_us) FROM {source}").fetchall()
    assert exact == [(AS_OF + DAY_US,)]


def test_history_when_a_list_has_no_date_then_stands_apart(tmp_path):
    pub, _ = publish(tmp_path, {"3": {}}, None)
    path = tmp_path / "target" / "history" / "as_of=undated" / f"{pub.id}.parquet"
    assert duckdb.sql(f"SELECT lead_id, as_of_us FROM '{path}'").fetchall() == [("3", None)]


def package_of(tmp_path, rows=9):
    pub, home = publish(tmp_path, rows)
    return pub, home, json.loads((home / "datapackage.json").read_text())


def test_package_when_checked_by_hand_then_its_schema_hash_and_rows_are_those_of_the_file(tmp_path):
    pub, home, package = package_of(tmp_path, {"1": {}, "2": {"amount": None}})
    (resource,) = package["resources"]
    data = (home / "scores.csv").read_bytes()
    assert data == (pub.folder / "scores.csv").read_bytes()
    assert resource["bytes"] == len(data)
    assert resource["hash"] == f"sha256:{pub.manifest['files']['scores.csv']['sha256']}"
    assert [field["name"] for field in resource["schema"]["fields"]] == SCORES.names
    assert re.fullmatch(r"[a-z0-9._-]+", package["name"])
    assert check_file(home / "scores.csv", "generic", job=home / "datapackage.json") == []


def test_package_when_validated_by_frictionless_then_is_valid(tmp_path):
    frictionless = pytest.importorskip("frictionless", reason="frictionless is not installed")
    _, home, _ = package_of(
        tmp_path, {str(n): {"reason_up_1": words} for n, words in enumerate(NASTY) if n != 4}
    )
    report = frictionless.validate(str(home / "datapackage.json"))
    assert report.valid, report.flatten(["rowNumber", "fieldName", "note"])


def test_package_of_a_generic_target_when_validated_by_frictionless_then_is_valid(tmp_path):
    frictionless = pytest.importorskip("frictionless", reason="frictionless is not installed")
    from publish.targets.lists import write

    delivery = write(tmp_path, make_list(40), "generic")
    report = frictionless.validate(str(delivery.folder / "scores-001.job.json"), type="package")
    assert report.valid, report.flatten(["rowNumber", "fieldName", "note"])


@pytest.mark.parametrize(("where", "tables"), [
    ("folder", ["scores_history"]),
    ("database", ["scores", "scores_history", "scores_publications"]),
])  # fmt: skip
def test_source_of_dbt_when_read_then_names_tables_columns_and_place(tmp_path, where, tables):
    folder = tmp_path / "it's" if where == "folder" else None
    document = yaml.safe_load(
        format_dbt_source("my-shop", folder, schema=None if folder else "crm")
    )
    (source,) = document["sources"]
    assert (document["version"], source["name"]) == (2, "leadscore_my_shop")
    assert [table["name"] for table in source["tables"]] == tables
    columns = {column["name"]: column for column in source["tables"][0]["columns"]}
    assert columns["lead_id"]["data_tests"] == ["not_null"]
    assert "win_probability" in columns
    if folder:
        assert "it''s/history/*/*.parquet" in source["meta"]["external_location"]
    else:
        assert source["schema"] == "crm"
