"""How many leads of the sample a CRM is sent again in the morning: a delta after the ingest of another day.

It is the third list's: the second is the first one with a trend, which is news of every lead.

`python bench/delta.py` prints a line for each contract; `--leads 3000` is how many leads the sample has.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from daily_exports import LAST, deliver, read_exports, write_company
from leadscore import project as jobs
from leadscore.settings.settings import Settings
from sample_project import train_champion

DAY = np.timedelta64(1, "D")
KINDS = ("salesforce", "hubspot", "dynamics", "odoo", "pipedrive", "generic")


def main() -> None:
    """Publish the lists of three mornings for every contract, and print what the last one writes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leads", type=int, default=3000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        company = write_company(Path(name), leads=asked.leads, seed=1)
        targets = {kind: {"kind": kind} for kind in KINDS}
        settings = Settings.model_validate(dict(company) | {"targets": targets})
        exports = read_exports(settings.input_folder)

        deliver(settings, exports, LAST - 2 * DAY)
        train_champion(settings, by="bench/delta.py")
        for morning in (LAST - 2 * DAY, LAST - DAY, LAST):
            deliver(settings, exports, morning)
            listed = _publish(settings)
            delivered = jobs.deliver(settings)
        for target in delivered.targets:
            print(
                f"{target.kind}: {target.written} of {listed} leads written again, "
                f"{target.unchanged} unchanged, {target.cleared} cleared"
            )


def _publish(settings: Settings) -> int:
    """Publish today's list; how many leads it has."""
    scored = jobs.score(settings)
    jobs.publish(settings, scored.publication_id, even_if_unlike=True)
    return scored.counts.scored


if __name__ == "__main__":
    main()
