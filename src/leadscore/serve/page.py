"""The OpenAPI document as a page that loads nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

STYLE = """body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
code, pre { background: #8881; border-radius: 4px; padding: .1em .3em }
pre { padding: 1em; overflow-x: auto }
table { border-collapse: collapse } td, th { text-align: left; padding: .2em 1em .2em 0; vertical-align: top }"""


def build_page(document: Mapping[str, Any]) -> str:
    """Every operation with its answers, and every form with its columns, as HTML."""
    title = escape(document["info"]["title"])
    operations = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            operations.append(_build_operation(path, method, operation))
    components = document.get("components", {})
    schemas = components.get("schemas", {})
    forms = [_build_form(name, form) for name, form in schemas.items() if "properties" in form]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style></head>
<body><h1>{title}</h1>
<p>For machines: <a href="openapi.json">openapi.json</a>.</p>
{"".join(operations)}
<h2>Forms</h2>
{"".join(forms)}
</body></html>
"""


def _build_operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    rows = [
        f"<tr><td>{escape(status)}</td><td>{escape(answer['description'])}</td></tr>"
        for status, answer in operation["responses"].items()
    ]
    described = escape(operation.get("description", ""))
    return f"""<h2><code>{method.upper()} {escape(path)}</code></h2>
<p>{described}</p><table>{"".join(rows)}</table>
"""


def _build_form(name: str, form: Mapping[str, Any]) -> str:
    rows = []
    for column, described in form["properties"].items():
        words = described.get("description") or _name_type(described)
        rows.append(f"<tr><td><code>{escape(column)}</code></td><td>{escape(words)}</td></tr>")
    return f"<h3>{escape(name)}</h3><table>{''.join(rows)}</table>\n"


def _name_type(described: Mapping[str, Any]) -> str:
    """The type of a column in a word; one of several is said in full."""
    if "type" in described:
        return str(described["type"])
    kinds = [kind.get("type") for kind in described.get("anyOf", ())]
    words = [kind for kind in kinds if kind and kind != "null"]
    return ", ".join(words) or json.dumps(described)
