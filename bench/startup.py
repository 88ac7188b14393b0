"""How long `leadscore --help` takes, as a ratio to importing typer and rich: what it needs in any case.

Processor time is compared, so that a busy machine says the same as a quiet one; the quickest of several runs counts.
"""

from __future__ import annotations

import resource
import subprocess
import sys

RUNS = 15
AIM = 2.5
IMPORTS = [sys.executable, "-c", "import typer, rich"]
HELP = [sys.executable, "-m", "leadscore", "--help"]


def processor_seconds(command: list[str]) -> float:
    """What one run of the command takes in all of its processes, in seconds of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """Run both in turn, and print their ratio."""
    imports, helps = [], []
    for _ in range(RUNS):
        imports.append(processor_seconds(IMPORTS))
        helps.append(processor_seconds(HELP))

    quickest_import, quickest_help = min(imports), min(helps)
    ratio = quickest_help / quickest_import
    print(f"import typer, rich: {quickest_import:.3f} s; leadscore --help: {quickest_help:.3f} s")
    print(f"ratio: {ratio:.2f} (aim: at most {AIM})")


if __name__ == "__main__":
    main()
