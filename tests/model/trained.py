"""Small histories, opened and trained on."""

from histories import open_stored, sales_facts, sales_settings, write_store
from leadscore.model.train import fit_model
from leadscore.progress import silent


def open_facts(facts, *, known_until):
    write_store(facts, known_until=known_until)
    return open_stored(facts.settings)


def open_sales(folder, *, leads, days, seed=3, signal=1.8, **changes):
    facts = sales_facts(
        sales_settings(folder, **changes), leads=leads, days=days, seed=seed, signal=signal
    )
    return open_facts(facts, known_until=days)


def fit(history, *, known_us=None):
    return fit_model(history, known_us=known_us or history.version.known_until_us, progress=silent)
