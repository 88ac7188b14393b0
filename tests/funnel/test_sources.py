"""Leads needed by source, held against exact negative binomial chances and counts by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from builders import day
from leadscore.funnel.needed import Race
from leadscore.funnel.sources import split_by_source, split_leads
from leadscore.funnel.spells import list_endings
from leadscore.results import LeadsNeeded

KNOWN, HORIZON, PER_LEAD, TARGET = 170, 30, 0.1, 25
WON = {"web": (300, 90), "fair": (100, 10), "cold": (40, 0)}  # leads, and those won
DRAWS = 40_000


@pytest.fixture(scope="module")
def spells():
    """Leads of three sources, all closed after ten days, and older ones that come too early to count."""
    rows = []
    for source, (leads, wins) in WON.items():
        rows += [(source, place % 100, place < wins) for place in range(leads)]
    rows += [("old", -700, True)] * 50
    opened = pd.DataFrame(rows, columns=["part", "start", "won"])
    opened = opened.assign(
        lead_id=[str(place) for place in range(len(rows))],
        spell=1,
        start_us=[day(start) for start in opened["start"]],
        close_us=[day(start + 10) for start in opened["start"]],
    )
    return list_endings(opened, known_us=day(KNOWN))


@pytest.fixture(scope="module")
def sources(spells):
    wins_per_lead = np.full(DRAWS, PER_LEAD)
    race = Race(np.zeros(DRAWS), wins_per_lead, 1.0, 0.0, 88.0, TARGET, "wins", seed=1)
    of_race = {name: race.leads_for(chance) for name, chance in CHANCES.items()}
    needed = LeadsNeeded(
        target=TARGET, unit="wins", by="2024-09-01T00:00:00Z", won=0, chance_of_missing=1,
        arriving=88, of_100_more=10, of_a_tenth_more=1, assumption="", **of_race,
    )  # fmt: skip
    split = split_by_source(needed, race, spells, known_us=day(KNOWN), within_days=HORIZON)
    return needed, {source.source: source for source in split}


CHANCES = {"leads_low": 0.1, "leads": 0.5, "leads_high": 0.9}


def test_leads_by_source_when_shares_stay_then_are_its_part_of_all_and_add_up(sources):
    needed, of_sources = sources
    assert list(of_sources) == ["web", "fair", "cold"]
    for source, (leads, wins) in WON.items():
        assert of_sources[source].share == leads / 440
        assert of_sources[source].arriving == pytest.approx(88 * leads / 440)
        assert of_sources[source].won.value == pytest.approx(wins / leads)
        assert of_sources[source].leads == pytest.approx(needed.leads * leads / 440, abs=1)
    for name in CHANCES:
        assert sum(getattr(source, name) for source in of_sources.values()) == getattr(needed, name)


@pytest.mark.parametrize("source", ["web", "fair"])
def test_leads_when_of_one_source_alone_then_are_the_fewest_with_the_exact_chance(sources, source):
    """Poisson wins at a gamma-distributed rate are negative binomial."""
    _, of_sources = sources
    leads, wins = WON[source]
    usual = 100 / 440
    mean = wins / leads / usual
    spread = (1 - wins / leads) / wins + (1 - usual) / 100
    shape = 1 / spread

    def chance(count):
        per_count = PER_LEAD * mean * count / shape
        return stats.nbinom(shape, 1 / (1 + per_count)).sf(TARGET - 1)

    alone = of_sources[source]
    for count, wanted in ((alone.alone_low, 0.1), (alone.alone, 0.5), (alone.alone_high, 0.9)):
        assert chance(count) > wanted - 0.01
        assert chance(count - 1) < wanted + 0.01


def test_leads_when_a_source_never_won_then_no_number_of_it_is_stated(sources):
    _, of_sources = sources
    assert (of_sources["cold"].alone, of_sources["cold"].alone_high) == (None, None)
    assert of_sources["web"].alone < of_sources["fair"].alone


def test_sources_when_nobody_came_of_late_then_are_none(spells, sources):
    needed, _ = sources
    race = Race(np.zeros(2), np.zeros(2), 1.0, 0.0, 0.0, TARGET, "wins", seed=1)
    later = day(KNOWN + 400)
    assert split_by_source(needed, race, spells, known_us=later, within_days=HORIZON) == []


@given(st.integers(0, 10**6), st.lists(st.integers(1, 1000), min_size=1, max_size=12))
def test_parts_of_a_number_of_leads_add_up_to_it_and_are_its_shares(total, weights):
    shares = np.array(weights) / sum(weights)
    parts = split_leads(total, shares)
    assert sum(parts) == total
    assert np.abs(np.array(parts) - total * shares).max() <= 1.001
    assert split_leads(None, shares) == [None] * len(weights)
