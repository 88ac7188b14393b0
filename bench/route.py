"""How long it takes to give many leads to many reps, and how much memory: `python bench/route.py [LEADS] [REPS]`."""

from __future__ import annotations

import resource
import sys
from time import perf_counter

import numpy as np
import pyarrow as pa

from leadscore.routing.assign import assign
from leadscore.settings.routing import RoutingSettings
from leadscore.tables import REPS

LEADS, PEOPLE, SEED = 100_000, 500, 1
COUNTRIES, LANGUAGES, PRODUCTS = 60, 12, 20


def main() -> None:
    """Route once and print seconds, peak memory, and what simpler ways would have brought."""
    n, r = (
        int(sys.argv[i]) if len(sys.argv) > i else usual for i, usual in ((1, LEADS), (2, PEOPLE))
    )
    rng = np.random.default_rng(SEED)
    reps, rep_ids = _reps(rng, r)
    leads = {"lead_id": [f"L{i:06d}" for i in range(n)]}
    scores = pa.table(
        leads | {"tier": rng.choice(list("ABC"), n), "win_probability": rng.beta(1, 4, n)}
    )
    columns = {name: [f"{name}{i}" for i in rng.integers(0, many, n)] for name, many in (
        ("country", COUNTRIES), ("language", LANGUAGES), ("product", PRODUCTS))}  # fmt: skip
    fields = pa.table(leads | {"owner_id": rng.choice(rep_ids, n)} | columns)
    match = {"territories": "country", "languages": "language", "skills": "product"}
    settings = RoutingSettings.model_validate(
        {"reps": "reps.csv", "match": match, "explore_share": 0.05}
    )
    previous = dict(zip(leads["lead_id"], rng.choice(rep_ids, n).tolist(), strict=True))
    begin = perf_counter()
    found = assign(scores, fields, reps, settings, as_of_us=0, seed=SEED, previous=previous)
    seconds = perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{n:,} leads x {r} reps: {seconds:.1f} s, peak memory of the process {peak:,.0f} MB")
    for name, way in found.facts["beside"].items():
        print(
            f"  {name}: {way['assigned']:,} leads, value {way['value']:,.1f}, whole {way['whole']:,.1f}"
        )


def _reps(rng: np.random.Generator, r: int) -> tuple[pa.Table, list[str]]:
    """Reps of ten teams, each for some countries, languages and products."""
    rep_ids = [f"R{i:03d}" for i in range(r)]

    def some(name: str, many: int, most: int) -> list[str]:
        return [f"{name}{i}" for i in rng.choice(many, rng.integers(1, most + 1), replace=False)]

    rows = [
        {"line": i + 2, "rep_id": rep_id, "team": f"T{i % 10}", "capacity": int(rng.integers(20, 80)), "load": 5,
         "territories": some("country", COUNTRIES, 12), "segments": [], "languages": some("language", LANGUAGES, 6),
         "skills": some("product", PRODUCTS, 10), "min_share": 0.0, "max_share": 1.0}
        for i, rep_id in enumerate(rep_ids)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=REPS), rep_ids


if __name__ == "__main__":
    main()
