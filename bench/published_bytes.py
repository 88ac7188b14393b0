"""The bytes of two lists of a sample, to see that a change of the code changed none of them.

`python bench/published_bytes.py HASHES.json` trains on a sample of 2,000 leads, publishes two lists a week apart, and
writes the SHA-256 of every file. If the file exists already it is compared instead, and what differs is named.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from company import BEFORE, NOW, TRAINED
from leadscore import project as jobs
from leadscore.files import hash_bytes
from leadscore.settings.settings import Settings
from sample_project import build_sample, train_champion

LEADS = 2_000


def main() -> None:
    """Write the hashes, or compare them."""
    path = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        settings = build_sample(Path(name), leads=LEADS, seed=1)
        train_champion(settings, by="bench/published_bytes.py", as_of_us=TRAINED)
        hashes = _publish_both(settings)
    if not path.exists():
        path.write_text(json.dumps(hashes, indent=1) + "\n", encoding="utf-8")
        return
    before = json.loads(path.read_text(encoding="utf-8"))
    differing = [file for file in hashes if before.get(file) != hashes[file]]
    print(f"{len(differing)} of {len(hashes)} files differ: {', '.join(differing) or 'none'}")
    sys.exit(1 if differing else 0)


def _publish_both(settings: Settings) -> dict[str, str]:
    """The hash of each file of both lists, under the place of the list and the file's name."""
    hashes = {}
    for place, as_of_us in (("first", BEFORE), ("second", NOW)):
        scored = jobs.score(settings, as_of_us=as_of_us)
        jobs.publish(settings, scored.publication_id, even_if_unlike=True)
        for file in sorted(Path(scored.folder).iterdir()):
            hashes[f"{place}/{file.name}"] = hash_bytes(file.read_bytes())
    return hashes


if __name__ == "__main__":
    main()
