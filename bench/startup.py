"""How long commands take to start: `--help` of each, beside typer and rich alone, and lists of a small project.

Processor time is compared, so that a busy machine says the same as a quiet one; the quickest of several runs counts.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from typer.main import get_command

from leadscore.cli.main import app
from leadscore.sample.sample import write_sample

RUNS = 15
FEW_RUNS = 3  # of what is one of many
AIM = 2.5
HELP_AIM_S, LIST_AIM_S = 0.5, 2.0
IMPORTS = [sys.executable, "-c", "import typer, rich"]
LEADSCORE = [sys.executable, "-m", "leadscore"]
LISTS = (["store", "list"], ["models", "list"])


def processor_seconds(command: list[str]) -> float:
    """What one run of the command takes in all of its processes, in seconds of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def quickest(command: list[str], *, runs: int) -> float:
    """The least of several runs."""
    return min(processor_seconds(command) for _ in range(runs))


def main() -> None:
    """Measure, and print each with its aim."""
    quickest_import = quickest(IMPORTS, runs=RUNS)
    quickest_help = quickest([*LEADSCORE, "--help"], runs=RUNS)
    ratio = quickest_help / quickest_import
    print(f"import typer, rich: {quickest_import:.3f} s; leadscore --help: {quickest_help:.3f} s")
    print(f"ratio: {ratio:.2f} (aim: at most {AIM})")

    helps = {
        " ".join(names): quickest([*LEADSCORE, *names, "--help"], runs=FEW_RUNS)
        for names in list_commands()
    }
    slowest = max(helps, key=lambda names: helps[names])
    print(
        f"--help of {len(helps)} commands: at most {helps[slowest]:.2f} s, of `{slowest}` "
        f"(aim: {HELP_AIM_S} s)"
    )
    for names, seconds in _time_lists().items():
        print(f"{names}: {seconds:.2f} s (aim: {LIST_AIM_S} s)")


def list_commands() -> Iterator[list[str]]:
    """The names of every command, those of groups after the group's."""
    command = get_command(app)
    for name, one in sorted(getattr(command, "commands", {}).items()):
        children = sorted(getattr(one, "commands", {}))
        yield from ([name, child] for child in children)
        if not children:
            yield [name]


def _time_lists() -> dict[str, float]:
    """The lists of a small sample that was ingested."""
    with tempfile.TemporaryDirectory() as name:
        write_sample(Path(name) / "crm", leads=300, seed=1)
        config = ["--config", str(Path(name) / "crm" / "leadscore.toml")]
        processor_seconds([*LEADSCORE, "ingest", *config])
        return {
            " ".join(names): quickest([*LEADSCORE, *names, *config], runs=FEW_RUNS)
            for names in LISTS
        }


if __name__ == "__main__":
    main()
