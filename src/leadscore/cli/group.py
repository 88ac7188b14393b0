"""Groups of commands, and how their help looks."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup


class Group(TyperGroup):
    """Commands with a whole sentence about each; Typer's own plain help cuts it at the end of the line."""

    def format_commands(self, _: Any, formatter: Any) -> None:
        """Write the name of every command, and its sentence beside it."""
        rows = []
        for name, command in self.commands.items():
            rows.append((name, command.help or ""))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def build_group(sentence: str, *, completion: bool = False) -> typer.Typer:
    """A group without commands yet, with `-h` beside `--help`.

    Its help is plain text: to draw it with rich takes longer than all else that `--help` does.
    """
    return typer.Typer(
        cls=Group,
        help=sentence,
        no_args_is_help=True,
        add_completion=completion,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
