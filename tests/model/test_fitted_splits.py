from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from leadscore.model import training
from leadscore.model.training import Training


@pytest.mark.parametrize("rows", [[], [5], [1, 2, 3], [1, 5, 2], [5, 1, 6, 2], [9, 8, 7]])
@pytest.mark.parametrize("kind", ["boosted", "logistic"])
def test_splits_when_few_or_many_rows_come_in_any_order_then_each_has_its_model_in_its_place(
    monkeypatch, rows, kind
):
    monkeypatch.setattr(training, "THREADED_ROWS", 4)
    settings = SimpleNamespace(engine=SimpleNamespace(threads=2))
    made = object.__new__(Training)
    learned = [pd.DataFrame({"label": np.ones(n)}) for n in rows]
    object.__setattr__(made, "learned", learned)
    object.__setattr__(made, "history", SimpleNamespace(settings=settings))
    assert made._fit_splits(len, kind=kind) == rows
