"""How densely src is written: tokens on a line of code, by room. Printed, never a gate.

Comments, blank lines and docstrings count neither as tokens nor as lines.
"""

from __future__ import annotations

import token
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from tokenize import TokenInfo

from rooms import PACKAGE, room_of

LAYOUT = {
    token.COMMENT, token.DEDENT, token.ENCODING, token.ENDMARKER, token.INDENT, token.NEWLINE, token.NL,
}  # fmt: skip
# From Python 3.12 on an f-string is many tokens; here it is one, so that every Python counts the same.
F_START, F_END = getattr(token, "FSTRING_START", -1), getattr(token, "FSTRING_END", -1)


def whole_strings(tokens: Iterable[TokenInfo]) -> Iterator[TokenInfo]:
    """The tokens, with an f-string as one of them."""
    parts: list[TokenInfo] = []
    depth = 0
    for item in tokens:
        depth += item.type == F_START
        if not depth:
            yield item
            continue
        parts.append(item)
        depth -= item.type == F_END
        if not depth:
            yield TokenInfo(token.STRING, item.string, parts[0].start, item.end, item.line)
            parts.clear()


def statements(tokens: Iterable[TokenInfo]) -> Iterator[list[TokenInfo]]:
    """The tokens of each statement, without comments and layout."""
    statement: list[TokenInfo] = []
    for item in whole_strings(tokens):
        if item.type not in LAYOUT:
            statement.append(item)
        elif item.type == token.NEWLINE:
            yield statement
            statement = []


def count_code(path: Path) -> tuple[int, int]:
    """The tokens and the lines of code of a file."""
    count = 0
    lines: set[int] = set()
    with tokenize.open(path) as file:
        for statement in statements(tokenize.generate_tokens(file.readline)):
            if [item.type for item in statement] == [token.STRING]:  # a docstring
                continue
            count += len(statement)
            for item in statement:
                lines.update(range(item.start[0], item.end[0] + 1))
    return count, len(lines)


def main() -> None:
    """Print a line for each room, and one for all."""
    tokens: dict[str, int] = defaultdict(int)
    lines: dict[str, int] = defaultdict(int)
    for path in sorted(PACKAGE.rglob("*.py")):
        of_file = count_code(path)
        for name in (room_of(path), "src"):
            tokens[name] += of_file[0]
            lines[name] += of_file[1]

    print(f"{'room':<14}{'code lines':>12}{'tokens a line':>15}")
    rooms = [name for name in tokens if lines[name]]  # presets have no code
    for name in sorted(rooms, key=lambda name: (name == "src", name)):
        print(f"{name:<14}{lines[name]:>12,}{tokens[name] / lines[name]:>15.1f}")


if __name__ == "__main__":
    main()
