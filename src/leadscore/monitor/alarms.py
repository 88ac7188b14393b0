"""When a change is an alarm: larger than chance explains, and large enough to matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from leadscore.evaluation.stability import compare_shares
from leadscore.results.drift import Alarm, AlarmKind, CalibrationTest, FeatureDrift
from leadscore.times import format_us

SURE = 0.001  # chance of a false alarm at one look at all features together
LEAST_LEADS = 30  # on a list; the tests below are of many leads
LEAST_SHARE = 0.01  # of the score, that must rest on a feature for its change to matter
LARGE_PSI = 0.25  # the usual border between a moderate and a large shift
LARGE_MISSING = 0.10  # more leads without a value than before
LARGE_NEW = 0.05  # more leads with values that training did not know
LARGE_OUTSIDE = 0.02  # of the values, beyond all of training's
LEAST_A_WEEK = 10  # facts; of rarer ones a week says little
FEW = 0.3  # of the usual number a week
MANY = 3.0
LATE_DAYS = 7  # a close that an export shows longer than this after its date is late
LARGE_LATE = 0.10  # more of the closes late than before
LATE_WEEKS = 4  # in which that is looked at

DO = {
    "values": "look at the export of this field; if the leads did change, train again",
    "missing": "find out why the field is no longer filled or exported; until then it says nothing",
    "new values": "map the new values to those that the model knows, or train again",
    "range": "look for another unit or currency in the export; if the values are right, train again",
    "score": "look at the features above first; if the leads did change, train again",
    "volume": "ask whoever exports this source; scores rest on facts that are not there",
    "delay": "ask why closes are entered later; until that ends the newest leads look worse than they are",
    "calibration": "train again, and compare with `leadscore models compare`",
}


def find_feature_alarms(
    drifts: Sequence[FeatureDrift],
    *,
    leads_before: float,
    leads: int,
) -> list[Alarm]:
    """The alarms of features, those on which most of the score rests first; none of a short list."""
    if leads < LEAST_LEADS:
        return []
    limit = SURE / max(len(drifts), 1)
    alarms: list[Alarm] = []
    for drift in drifts:
        if drift.share is not None and drift.share < LEAST_SHARE:
            continue
        alarms += _check_feature(drift, limit, leads_before=leads_before, leads=leads)
    return sorted(alarms, key=lambda alarm: -(alarm.share or 0.0))


def _check_feature(
    drift: FeatureDrift,
    limit: float,
    *,
    leads_before: float,
    leads: int,
) -> Iterator[Alarm]:
    """The most telling alarm of a feature, if there is one."""
    p_missing = compare_shares(
        drift.missing_before, drift.missing, n_before=leads_before, n_now=leads
    )
    if drift.missing - drift.missing_before >= LARGE_MISSING and p_missing < limit:
        what = f"{drift.missing:.0%} of the leads have no value, {drift.missing_before:.0%} in training"
        yield _alarm("missing", drift, what, p_missing)
    elif (drift.new or 0.0) >= LARGE_NEW and drift.p_value < limit:
        what = f"{drift.new:.0%} more leads than in training have values that were rare or unknown then"
        yield _alarm("new values", drift, what, drift.p_value)
    elif (drift.outside or 0.0) >= LARGE_OUTSIDE:
        what = f"{drift.outside:.0%} of the values are beyond all that training saw"
        p_outside = compare_shares(0.0, drift.outside or 0.0, n_before=leads_before, n_now=leads)
        if p_outside < limit:
            yield _alarm("range", drift, what, p_outside)
    elif drift.psi >= LARGE_PSI and drift.p_value < limit:
        what = f"its values are distributed otherwise than in training (PSI {drift.psi:.2f})"
        yield _alarm("values", drift, what, drift.p_value)


def _alarm(kind: AlarmKind, drift: FeatureDrift, what: str, p_value: float) -> Alarm:
    return Alarm(
        kind=kind,
        subject=drift.feature,
        what=what,
        since=None,
        sure=describe_chance(p_value),
        share=drift.share,
        do=DO[kind],
    )


def describe_chance(p_value: float) -> str:
    """How likely a change is by chance, in words."""
    if p_value < 1e-6:
        return "less than one in a million by chance"
    return f"one in {1 / p_value:,.0f} by chance" if p_value < 1 else "by chance"


def find_score_alarm(psi: float, p_value: float) -> list[Alarm]:
    """An alarm if the scores of a list are distributed otherwise than when it was trained."""
    if psi < LARGE_PSI or p_value >= SURE:
        return []
    what = f"scores are distributed otherwise than at the last evaluation (PSI {psi:.2f})"
    alarm = Alarm(
        kind="score",
        subject="score",
        what=what,
        since=None,
        sure=describe_chance(p_value),
        share=1.0,
        do=DO["score"],
    )
    return [alarm]


def find_volume_alarms(counts: pd.DataFrame, *, weeks: int) -> list[Alarm]:
    """Sources of facts of which the last week brought far fewer, or far more, than the weeks before.

    It must also be beyond every week before it, so that a source that comes and goes is none.

    Args:
        counts: what `count_weeks` gave.
        weeks: how many weeks were counted.
    """
    alarms = []
    for (source, what), rows in counts.groupby(["source", "what"], sort=True):
        by_week = rows.set_index("weeks_ago")["facts"].reindex(range(weeks), fill_value=0)
        now, before = int(by_week[0]), by_week[1:]
        usual = float(before.mean())
        is_few = now < FEW * usual and now < before.min()
        is_many = now > MANY * usual and now > MANY * before.median() and now > before.max()
        if usual >= LEAST_A_WEEK and (is_few or is_many):
            subject = f"{source}: {what}"
            alarms.append(_volume_alarm(subject, now, usual, before, int(rows["last_us"].max())))
    return alarms


def _volume_alarm(
    subject: str,
    now: int,
    usual: float,
    before: pd.Series[int],
    last_us: int,
) -> Alarm:
    return Alarm(
        kind="volume",
        subject=subject,
        what=f"{now:,} in the last week instead of about {usual:,.0f}; the last one {format_us(last_us)}",
        since=format_us(last_us) if now == 0 else None,
        sure=f"the {len(before)} weeks before had {before.min():,} to {before.max():,}",
        share=None,
        do=DO["volume"],
    )


def find_delay_alarm(counts: pd.DataFrame) -> list[Alarm]:
    """An alarm if more closes are shown late than in the weeks before.

    Args:
        counts: what `count_closes` gave.
    """
    is_new = counts["weeks_ago"] < LATE_WEEKS
    late, n = _late_share(counts[is_new])
    late_before, n_before = _late_share(counts[~is_new])
    if min(n, n_before) < LEAST_LEADS or late - late_before < LARGE_LATE:
        return []
    p_value = compare_shares(late_before, late, n_before=n_before, n_now=n)
    if p_value >= SURE:
        return []
    what = (
        f"{late:.0%} of the closes of the last {LATE_WEEKS} weeks were shown more than "
        f"{LATE_DAYS} days after their date, {late_before:.0%} before"
    )
    alarm = Alarm(
        kind="delay",
        subject="outcomes",
        what=what,
        since=None,
        sure=describe_chance(p_value),
        share=None,
        do=DO["delay"],
    )
    return [alarm]


def _late_share(counts: pd.DataFrame) -> tuple[float, int]:
    """The share of closes that were late, and how many closes there are."""
    closes = int(counts["closes"].sum())
    return float(counts["late"].sum()) / max(closes, 1), closes


def find_calibration_alarm(test: CalibrationTest) -> list[Alarm]:
    """An alarm if the evidence against the calibration ever reached its limit."""
    if test.raised is None:
        return []
    return [
        Alarm(
            kind="calibration",
            subject="win_probability",
            what=f"{test.expected_wins:,.0f} wins were due by now on the lists since then, "
            f"{test.wins:,} came",
            since=test.since,
            sure=f"evidence {test.highest:,.0f} to 1, where a calibrated model ever reaches "
            f"{test.limit:.0f} with {1 / test.limit:.0%} chance",
            share=1.0,
            do=DO["calibration"],
        )
    ]
