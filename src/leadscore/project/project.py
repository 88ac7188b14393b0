"""The Python API: a project, and what can be done with it.

```python
from leadscore import Project

project = Project("data/sample-crm/leadscore.toml")
project.ingest()
training = project.train()
training.evaluation.to_pandas()
```
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from leadscore.progress import Progress, silent
from leadscore.project.moment import Moment
from leadscore.project.sales_pipeline import SalesPipeline
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from leadscore.history.split import History
    from leadscore.model.train import FitResult
    from leadscore.results import (
        Audited,
        AuditedHistory,
        Backtested,
        BulkScores,
        Deliveries,
        Explained,
        FailedRows,
        ForgottenLeads,
        Ingested,
        Judged,
        Monitored,
        Published,
        Registered,
        Replayed,
        Reported,
        Scored,
        Status,
        Trained,
        WrittenWorkbook,
    )


class Project(SalesPipeline):
    """A company's leads: its settings, and everything from reading exports to explaining a score.

    Args:
        config: the settings file, or settings that were read already.
        data: the folder of the exported files, if not as the settings say.

    Attributes:
        settings: frozen.
        progress: called as work goes on: what, done, and total.
    """

    def __init__(
        self,
        config: str | Path | Settings = "leadscore.toml",
        *,
        data: str | Path | None = None,
        progress: Progress = silent,
    ) -> None:
        folder = None if data is None else Path(data)
        if isinstance(config, Settings):
            self.settings = config
        else:
            self.settings = read_settings(Path(config), input_folder=folder)
        self.progress = progress

    def ingest(
        self,
        *,
        known_until: Moment = None,
        accept: Collection[str] = (),
        clock: Moment = None,
        forget_damaged: bool = False,
    ) -> Ingested:
        """A new store version, read from the sources (see `ingesting.ingest`)."""
        from leadscore.project import ingesting

        return ingesting.ingest(
            self.settings,
            accept=accept,
            known_until_us=self._us(known_until),
            clock_us=self._us(clock),
            forget_damaged=forget_damaged,
            progress=self.progress,
        )

    def audit(self) -> Audited:
        """Whether each field can be trusted at scoring time, and what training makes of it."""
        from leadscore.project import auditing

        return auditing.audit(self.settings)

    def audit_history(self) -> AuditedHistory:
        """Since when each field has a history, what is lost for good, and when it is enough to learn from."""
        from leadscore.project import recording

        return recording.audit_history(self.settings)

    def train(self, *, as_of: Moment = None) -> Trained:
        """A model trained as of a moment, written with its card; `register` makes it count."""
        from leadscore.project import training

        as_of_us = self._us(as_of)
        return training.train(self.settings, as_of_us=as_of_us, progress=self.progress)

    def register(
        self,
        trained: Trained,
        *,
        by: str,
        at: datetime,
        why: str = "trained",
        promote: bool = False,
    ) -> Registered:
        """What becomes of a training in MLflow; as `train` decided, or with `promote` in any case, it scores.

        `by`, `at` and `why` are logged with every alias that moves.
        """
        from leadscore.project import registering
        from leadscore.registry.versions import Who

        moment = at.isoformat().replace("+00:00", "Z")
        who = Who(by, moment, why)
        return registering.register(self.settings, Path(trained.folder), who=who, promote=promote)

    def score(self, *, as_of: Moment = None) -> Scored:
        """The leads open at a moment, scored by the champion; `publish` makes the list count."""
        from leadscore.project import scoring

        return scoring.score(self.settings, as_of_us=self._us(as_of), progress=self.progress)

    def score_bulk(self, *, as_of: Moment = None) -> BulkScores:
        """The scores of all open leads as Parquet files, however many (see `bulk.score_bulk`)."""
        from leadscore.project import bulk

        return bulk.score_bulk(self.settings, as_of_us=self._us(as_of))

    def publish(
        self,
        scored: Scored | str,
        *,
        replace_newer: bool = False,
        even_if_unlike: bool = False,
    ) -> Published:
        """Make a list, or the one whose id begins so, the current one (see `publishing.publish`)."""
        from leadscore.project import explaining, publishing

        asked = scored if isinstance(scored, str) else scored.publication_id
        return publishing.publish(
            self.settings,
            explaining.find_list_id(self.settings, asked),
            replace_newer=replace_newer,
            even_if_unlike=even_if_unlike,
        )

    def roll_back(self) -> Published:
        """Make the list before the current one current again (see `publishing.roll_back`)."""
        from leadscore.project import publishing

        return publishing.roll_back(self.settings)

    def deliver(
        self,
        publication_id: str | None = None,
        *,
        targets: Sequence[str] = (),
        mode: Literal["full", "delta"] | None = None,
    ) -> Deliveries:
        """Write the current list for the targets of the settings (see `delivering.deliver`)."""
        from leadscore.project import delivering

        return delivering.deliver(self.settings, publication_id, targets=targets, mode=mode)

    def rewrite_failed(self, target: str, results: str | Path) -> FailedRows:
        """What a CRM refused of a target's files, by reason, and these rows written again."""
        from leadscore.project import delivering

        return delivering.rewrite_failed(self.settings, target, Path(results))

    def backtest(self, *, first: Moment = None, last: Moment = None, dates: int = 6) -> Backtested:
        """Training and scoring replayed at past dates, and settled by what is known by now."""
        from leadscore.project import backtesting

        return backtesting.backtest(
            self.settings,
            from_us=self._us(first),
            to_us=self._us(last),
            dates=dates,
            progress=self.progress,
        )

    def monitor(self, as_of: Moment = None, *, by: str | None = None) -> Monitored:
        """Every published score settled by what was known at a moment (see `monitoring.monitor`)."""
        from leadscore.project import monitoring

        return monitoring.monitor(self.settings, as_of_us=self._us(as_of), segment=by)

    def judge(self, name: str, *, as_of: Moment = None) -> Judged:
        """Another score compared with leadscore's, on leads that both had scored before their close."""
        from leadscore.project import judging

        return judging.judge_score(self.settings, name, as_of_us=self._us(as_of))

    def explain(self, lead_id: str, *, publication_id: str | None = None) -> Explained:
        """One lead of a published list (default: the current one) in full."""
        from leadscore.project import explaining

        return explaining.explain(self.settings, lead_id, publication_id=publication_id)

    def report(
        self,
        publication_id: str | None = None,
        *,
        to: str | Path | None = None,
    ) -> Reported:
        """A published list (default: the current one) as one HTML file, and in five lines of Markdown."""
        from leadscore.project import reporting

        path = None if to is None else Path(to)
        return reporting.report(self.settings, publication_id, to=path)

    def digest(self, publication_id: str | None = None) -> str:
        """A published list in five lines of Markdown, with the names that people know leads by."""
        from leadscore.project import reporting

        return reporting.digest(self.settings, publication_id)

    def workbook(
        self,
        publication_id: str | None = None,
        *,
        to: str | Path | None = None,
    ) -> WrittenWorkbook:
        """A published list (default: the current one) as a workbook for people."""
        from leadscore.project import worklist

        path = None if to is None else Path(to)
        return worklist.write_worklist(self.settings, publication_id, to=path)

    def forget(self, lead_id: str | None = None, *, contact: str | None = None) -> ForgottenLeads:
        """Erase what people see of a lead, or of a contact's leads (see `showing.forget`)."""
        from leadscore.project import showing

        return showing.forget(self.settings, lead_id, contact=contact)

    def replay(self, publication_id: str, lead_id: str) -> Replayed:
        """A published list scored again from what was kept, compared byte by byte; and one lead of it in full."""
        from leadscore.project import explaining

        return explaining.replay(self.settings, publication_id, lead_id)

    def status(self, *, clock: Moment = None, prefect: str | None = None) -> Status:
        """The store, the published list and the models, with their ages at `clock` (see `status.describe_status`)."""
        from leadscore.project import status

        return status.describe_status(self.settings, clock_us=self._us(clock), prefect=prefect)

    # What a model learns from, as data frames

    @contextmanager
    def history(self) -> Iterator[History]:
        """The current store version, opened for looking back (see `history/`)."""
        from leadscore.project.opened import open_store

        with open_store(self.settings) as history:
            yield history

    def snapshot(self, as_of: Moment = None) -> pd.DataFrame:
        """The snapshots that a training as of a moment learns from, with labels and weights.

        A row a lead and past moment: lead_id, as_of_us, label (1 won, 0 not, NaN censored), weight and more.
        """
        with self.history() as history:
            return history.earlier_side(self._known_us(history, as_of)).rows

    def open_leads(self, as_of: Moment = None) -> pd.DataFrame:
        """The leads open at a moment, by what was known then: lead_id, as_of_us and more."""
        with self.history() as history:
            return history.open_list(self._as_of_us(history, as_of))

    def features(self, as_of: Moment = None, *, rows: pd.DataFrame | None = None) -> pd.DataFrame:
        """The raw features of snapshots, a column a feature, as they were known at each one's moment.

        Args:
            as_of: the moment; default known_until.
            rows: snapshots, such as `snapshot` or `open_leads` gives, in any order; the features follow
                their order and index. Default: the leads open at `as_of`.
        """
        from leadscore.project.frames import build_frame

        with self.history() as history:
            if rows is None:
                rows = history.open_list(self._as_of_us(history, as_of))
            return build_frame(history, rows)

    def fit(self, as_of: Moment = None) -> FitResult:
        """A model trained in memory, with its features and the predictions that evaluated it; no file is written."""
        from leadscore.project.frames import fit_in_memory

        with self.history() as opened:
            known_us = self._known_us(opened, as_of)
            return fit_in_memory(opened, known_us=known_us, progress=self.progress)

    def _known_us(self, history: History, as_of: Moment) -> int:
        return history.known_us(self._as_of_us(history, as_of))

    def _as_of_us(self, history: History, as_of: Moment) -> int:
        from leadscore.project.opened import checked_as_of

        return checked_as_of(history, self._us(as_of))
