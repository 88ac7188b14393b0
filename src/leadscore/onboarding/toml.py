"""Lines of TOML, and of the SQL within it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from leadscore.json_files import toml_text


@dataclass
class Text:
    """Lines of TOML under way."""

    lines: list[str] = field(default_factory=list)

    def add(self, *lines: str) -> None:
        """Add lines."""
        self.lines += lines

    def section(self, name: str, *comments: str) -> None:
        """Begin a section, with comments above it."""
        self.add("", *(f"# {comment}" for comment in comments), name)

    def __str__(self) -> str:
        return "\n".join(self.lines).strip() + "\n"


def quoted(text: str | Path) -> str:
    """Text as TOML writes it."""
    return toml_text(str(text))


def multiline(text: str) -> str:
    """Text of several lines as TOML writes it; on one line where quotes or escapes forbid it.

    >>> multiline("SELECT 1").splitlines()
    ['\"\"\"', '    SELECT 1', '\"\"\"']
    """
    is_plain = text.replace("\n", "").isprintable() and "\\" not in text and '"""' not in text
    indented = textwrap.indent(text, "    ")
    return f'"""\n{indented}\n"""' if is_plain else quoted(text)


def array(values: Iterable[str]) -> str:
    """A list as TOML writes it."""
    return f"[{', '.join(quoted(value) for value in values)}]"


def inline(values: Mapping[str, str]) -> str:
    """A table on one line."""
    inside = ", ".join(f"{name} = {quoted(value)}" for name, value in values.items())
    return f"{{ {inside} }}"
