"""Salesforce: Bulk API 2.0, one upsert or update job a file."""

from __future__ import annotations

import re

from leadscore.publish.targets.kind import Json, Kind, Layout, Part
from leadscore.publish.targets.names import name_fields

RECORD_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
NULL = "#N/A"


def build_job(layout: Layout, _: Part) -> Json:
    """The body of the request that creates the job of a file.

    By record id it is an update, which creates nothing.
    """
    job: Json = {
        "object": layout.object,
        "operation": "update" if layout.is_own_key else "upsert",
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    }
    if not layout.is_own_key:
        job["externalIdFieldName"] = layout.key
    return job


def find_key_problem(layout: Layout, key: str) -> str:
    """Why a key names no record, or ""."""
    if key == NULL:
        return f"{NULL} means null"
    if layout.is_own_key and not RECORD_ID.fullmatch(key):
        return "no record id of Salesforce, which has 15 or 18 letters and digits"
    return ""


SALESFORCE = Kind(
    name="salesforce",
    object="Lead",
    preset_object="Opportunity",
    key="Leadscore_Id__c",
    own_key="Id",
    fields=name_fields("win_percent", "Leadscore_{}__c", title=True),
    types={
        "key": "Text(255), External ID, Unique (case-sensitive)",
        "number": "Number({digits}, {decimals})",
        "money": "Currency(16, 2)",
        "text": "Text({length})",
        "sentence": "Text({length})",
        "moment": "Date/Time",
        "flag": "Checkbox",
    },
    job=build_job,
    clear=NULL,
    empty_erases=False,
    key_problem=find_key_problem,
)
