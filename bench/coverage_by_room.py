"""Which rooms of src the tests reach least: reads the JSON report of a coverage run."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from rooms import PACKAGE, room_of

LOWEST = 3  # rooms that are named at the end


@dataclass
class Reached:
    """Lines and branches of a room: how many there are, and how many a test ran."""

    existing: int = 0
    covered: int = 0

    @property
    def percent(self) -> float:
        """The share that was run, in percent; a room without any is whole."""
        return 100 * self.covered / self.existing if self.existing else 100.0


def read_rooms(report: Path) -> dict[str, Reached]:
    """What was reached of each room, the lowest first."""
    rooms: dict[str, Reached] = {}
    for name, file in json.loads(report.read_text())["files"].items():
        summary = file["summary"]
        reached = rooms.setdefault(room_of((PACKAGE.parents[1] / name).resolve()), Reached())
        reached.existing += summary["num_statements"] + summary["num_branches"]
        reached.covered += summary["covered_lines"] + summary["covered_branches"]
    return dict(sorted(rooms.items(), key=lambda item: item[1].percent))


def main() -> None:
    """Print all rooms, and name the lowest."""
    rooms = read_rooms(Path(sys.argv[1]))
    print(f"{'room':<14}{'lines and branches':>20}{'covered':>10}")
    for name, reached in rooms.items():
        print(f"{name:<14}{reached.existing:>20,}{reached.percent:>8.1f}%")
    lowest = [f"{name} ({reached.percent:.1f}%)" for name, reached in rooms.items()]
    print("lowest:", ", ".join(lowest[:LOWEST]))


if __name__ == "__main__":
    main()
