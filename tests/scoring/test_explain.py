import numpy as np
import pandas as pd
import pytest

import histories
from leadscore.features.feature import Around, Feature
from leadscore.features.finish import Learned
from leadscore.features.matrix import Matrix, build_features
from leadscore.features.phrases import Phrase
from leadscore.model.apply import encode
from leadscore.model.contributions.evidence import find_similar
from leadscore.model.fit import fit_scorer
from leadscore.scoring.contributions import Contributions
from leadscore.scoring.encoded import Encoded
from leadscore.scoring.reasons import LEAST, explain

SIDES = {"up": 1, "down": -1}
PLACES = (1, 2, 3)


@pytest.fixture(scope="module")
def world():
    return histories.trained()


@pytest.fixture(scope="module")
def features(world):
    return build_features(world.history.settings)


@pytest.fixture(scope="module")
def reasons(world, features):
    return explain(Contributions.of(Encoded.of(world.model, histories.open_matrix()), features))


def said(reasons, side, row):
    return [reasons[f"reason_{side}_{place}"][row] for place in PLACES]


def group_totals(features, contributions):
    totals = {}
    for feature, contribution in zip(features, contributions, strict=False):
        totals[feature.group] = totals.get(feature.group, 0.0) + contribution
    return totals


def own_sentences(features, values, contributions, encoded, *, sign, evidence):
    """For each group every sentence that a known value of the lead, speaking on this side, could give.

    Of a value that nearly all leads have, or with which they did otherwise, there is none. A feature
    that sums up others of its group speaks only where none of those does.
    """
    direct, summaries = {}, {}
    for at, feature in enumerate(features):
        value = values[feature.name]
        known = value is not None and not (isinstance(value, float) and np.isnan(value))
        if not known or sign * contributions[at] <= 0:
            continue
        sentence = feature.reason(value, speaks_for=sign > 0, around=around(values))
        of_value = value if feature.is_category else encoded[at]
        similar = find_similar(evidence, feature, of_value)
        if sentence and similar is not None:
            usual = evidence["usual"]["rate"]
            more = sign * (similar.rate - usual)
            is_odd = more < max(0.01, 0.15 * usual) or similar.share > 0.8
            sentence = "" if is_odd else f"{sentence} ({similar})"
        if sentence:
            sentences = summaries if feature.is_summary else direct
            sentences.setdefault(feature.group, []).append(sentence)
    return summaries | direct


def around(values):
    return Around(
        stage=values["stage_current"],
        spent=values["stage_days_in_current"],
        age=values["stage_age"],
    )


def lead_values(world, features, row):
    """The lead's own values; what is usual in its stage is worked out from the encoder's table."""
    columns = histories.open_matrix().columns
    values = {}
    for feature in features:
        value = columns[feature.name][row]
        if feature.usual_for:
            of, by = feature.usual_for
            entry = next(e for e in world.model.document["encoder"] if e["name"] == feature.name)
            usual = entry["usual"].get(columns[by][row])
            value = np.nan if usual is None else columns[of][row] / usual
        values[feature.name] = value if value is None or isinstance(value, str) else float(value)
    return values


def test_a_sentence_when_what_it_counts_from_never_happened_then_says_so(world, features):
    matrix = histories.open_matrix()
    encoded = world.model.encode(matrix.columns)
    added = np.zeros(encoded.shape)
    contributions = Contributions(features, matrix.columns, encoded, added)
    at = [feature.name for feature in features].index("engagement_meeting_days_since")
    [*never] = np.flatnonzero(np.isnan(matrix.columns["engagement_meeting_days_since"]))
    assert never
    assert {contributions.describe_known(row, at) for row in never} == {"No meetings so far"}


@pytest.mark.parametrize("side", SIDES)
def test_reasons_when_checked_against_contributions_then_are_the_largest_groups_of_their_side(
    world, features, reasons, side
):
    sign = SIDES[side]
    contributions = world.model.contributions(histories.open_matrix().columns)
    evidence = world.model.document["evidence"]
    encoded = world.model.encode(histories.open_matrix().columns)
    n = len(contributions)
    assert n > 100
    assert {len(rows) for rows in reasons.values()} == {n}
    for row in range(n):
        totals = group_totals(features, contributions[row, :-1])
        values = lead_values(world, features, row)
        possible = own_sentences(
            features, values, contributions[row], encoded[row], sign=sign, evidence=evidence
        )
        ranked = sorted(totals, key=lambda group: -sign * totals[group])
        speaking = [
            group for group in ranked if sign * totals[group] >= LEAST and group in possible
        ]
        found = [text for text in said(reasons, side, row) if text]
        skipped = walk(found, speaking, possible)
        assert len(found) == min(3, len(speaking) - skipped)


def walk(found, speaking, possible):
    """How many speaking groups the reasons leave out; each has evidence that was given before it."""
    remaining = iter(speaking)
    given = []
    skipped = 0
    for text in found:
        for group in remaining:
            if text in possible[group] and evidence_of(text) not in given:
                break
            assert any(evidence_of(other) in given for other in possible[group])
            skipped += 1
        else:
            raise AssertionError(text)
        given.append(evidence_of(text))
    if len(found) == 3:
        return skipped
    rest = list(remaining)
    for group in rest:
        assert any(evidence_of(other) in given for other in possible[group])
    return skipped + len(rest)


def evidence_of(text):
    *_, evidence = text.rpartition(" (")
    return evidence if "similar leads were won" in evidence else text


def test_two_reasons_when_their_evidence_is_the_same_then_are_one(reasons):
    for side in SIDES:
        for row in range(len(reasons["reason_up_1"])):
            given = [evidence_of(text) for text in said(reasons, side, row) if text]
            assert len(given) == len(set(given))


def test_reasons_when_given_then_never_repeat_themselves_and_leave_no_gap(reasons):
    n = len(reasons["reason_up_1"])
    texts = []
    for row in range(n):
        for side in SIDES:
            found = said(reasons, side, row)
            filled = [text for text in found if text]
            assert found == filled + [""] * (3 - len(filled))
            assert len(set(filled)) == len(filled)
            texts += filled
    assert len(set(texts)) > 50
    assert not any("nan" in text.lower() or "none}" in text or "{" in text for text in texts)


def test_reasons_when_the_answer_to_a_question_is_unknown_then_do_not_quote_one(features, reasons):
    columns = histories.open_matrix().columns
    unknown = np.flatnonzero(np.isnan(columns["bant_budget"]))
    no_size = np.flatnonzero(np.isnan(columns["profile_size"]))
    assert len(unknown) > 10
    assert len(no_size) > 5
    for rows, start in ((unknown, "Budget"), (no_size, "Size: ")):
        for row in rows:
            texts = [
                text
                for side in SIDES
                for text in said(reasons, side, row)
                if text.startswith(start)
            ]
            assert texts == [], (row, texts)


def made(n=600, *, seed=0):
    """A model of three groups: money (strong), size with its log (one group, weaker), and pure noise."""
    rng = np.random.default_rng(seed)
    money, size = rng.uniform(0, 1, n), rng.uniform(0, 10, n)
    columns = {
        "money": money,
        "size": size,
        "size_again": size * 2,
        "place": rng.choice(["a", "b"], n).astype(object),
    }
    leaning = 9 * (money - 0.5) + 0.4 * (size - 5) + (columns["place"] == "a")
    label = (rng.random(n) < 1 / (1 + np.exp(-leaning))).astype(float)
    rows = pd.DataFrame(
        {
            "lead_id": [f"{i:03d}" for i in range(n)],
            "as_of_us": 0,
            "label": label,
            "weight": np.ones(n),
        }
    )
    kinds = [("money", "number", "money"), ("size", "number", "size"), ("size_again", "number", "size"),
             ("place", "category", "place")]  # fmt: skip
    features = [
        Feature(
            name,
            {},
            Learned(),
            unit,
            group,
            Phrase(name, f"{name} up {{value}}", f"{name} down {{value}}"),
        )
        for name, unit, group in kinds
    ]
    matrix = Matrix(rows[["lead_id", "as_of_us"]], columns)
    return fit_scorer(matrix, rows, features=features, seed=0, threads=1), features


def ask(model, features, **columns):
    n = len(columns["money"])
    keys = pd.DataFrame({"lead_id": [str(i) for i in range(n)], "as_of_us": 0})
    columns = {
        name: np.array(values, dtype=object if name == "place" else float)
        for name, values in columns.items()
    }
    return explain(Contributions.of(Encoded.of(model, Matrix(keys, columns)), features))


def test_reasons_when_one_lead_has_all_and_one_nothing_then_speak_for_and_against_in_order():
    model, features = made()
    found = ask(
        model, features, money=[0.98, 0.02], size=[9, 1], size_again=[18, 2], place=["a", "b"]
    )
    assert said(found, "up", 0)[0] == "Money up 0.98"
    assert said(found, "up", 0)[1] in ("Size up 9", "Size_again up 18")
    assert said(found, "up", 0)[2] == "Place up a"
    assert said(found, "down", 0) == ["", "", ""]
    assert said(found, "down", 1)[0] == "Money down 0.02"
    assert said(found, "down", 1)[1] in ("Size down 1", "Size_again down 2")
    assert said(found, "down", 1)[2] == "Place down b"
    assert said(found, "up", 1) == ["", "", ""]


def test_reasons_when_a_value_is_missing_then_another_of_its_group_or_none_speaks():
    model, features = made()
    nan = np.nan
    found = ask(
        model,
        features,
        money=[nan, 0.98],
        size=[9, nan],
        size_again=[nan, nan],
        place=[None, "a"],
    )
    for row, allowed in ((0, {"size"}), (1, {"money", "place"})):
        texts = [text for side in SIDES for text in said(found, side, row) if text]
        assert texts
        assert {text.split()[0].lower() for text in texts} <= allowed


def test_reasons_when_only_what_is_missing_speaks_for_a_lead_then_what_is_known_does_not_speak_in_its_place():
    # of one group, a missing visit is a good sign and a small size a bad one
    rng = np.random.default_rng(6)
    n = 800
    visit, size = np.where(rng.random(n) < 0.5, np.nan, rng.uniform(0, 1, n)), rng.uniform(0, 10, n)
    leaning = 4 * np.isnan(visit) - 2 + 0.3 * (size - 5)
    label = (rng.random(n) < 1 / (1 + np.exp(-leaning))).astype(float)
    keys = pd.DataFrame({"lead_id": [f"{i:03d}" for i in range(n)], "as_of_us": 0})
    features = [
        Feature(
            name,
            {},
            Learned(),
            "number",
            "one group",
            Phrase(name, f"{name} up {{value}}", f"{name} down {{value}}"),
        )
        for name in ("visit", "size")
    ]
    matrix = Matrix(keys, {"visit": visit, "size": size})
    rows = keys.assign(label=label, weight=1.0)
    model = fit_scorer(matrix, rows, features=features, seed=0, threads=1)
    asked = Matrix(keys[:2], {"visit": np.array([np.nan, 0.5]), "size": np.array([0.5, 9.5])})
    contributions = model.contributions(asked.columns)[:, :-1]
    assert contributions[0, 0] > 1
    assert contributions[0, 1] < -0.1
    found = explain(Contributions.of(Encoded.of(model, asked), features))
    assert (said(found, "up", 0), said(found, "down", 0)) == (["", "", ""], ["", "", ""])
    assert (said(found, "up", 1), said(found, "down", 1)[0]) == (["", "", ""], "Visit down 0.50")


def test_reasons_when_a_category_is_new_then_still_quote_the_leads_own():
    model, features = made()
    found = ask(
        model,
        features,
        money=[0.5] * 3,
        size=[5] * 3,
        size_again=[10] * 3,
        place=["Zürich", "a", "b"],
    )
    unseen = encode(
        model.document["encoder"][3:], {"place": np.array(["Zürich", "a", "b"], dtype=object)}
    )[:, 0]
    assert unseen[2] < unseen[0] < unseen[1]
    texts = [
        text
        for row in range(3)
        for side in SIDES
        for text in said(found, side, row)
        if text.startswith("Place")
    ]
    assert "Place up a" in texts
    assert "Place down b" in texts
    assert all(text.endswith(("Zürich", " a", " b")) for text in texts)


def test_reasons_when_there_is_no_lead_then_there_are_none(world, features):
    matrix = histories.open_matrix()
    nobody = Matrix(matrix.keys.iloc[:0], histories.take_columns(matrix.columns, slice(0, 0)))
    found = explain(Contributions.of(Encoded.of(world.model, nobody), features))
    assert {name: texts.tolist() for name, texts in found.items()} == {
        f"reason_{side}_{place}": [] for side in SIDES for place in PLACES
    }
