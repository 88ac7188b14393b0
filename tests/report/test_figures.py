import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.report.figures.canvas import (
    BLUE,
    BOTTOM,
    HEIGHT,
    LEFT,
    ORANGE,
    PALE,
    RIGHT,
    TOP,
    WIDTH,
    Words,
    card_style,
    count_ticks,
    draw_key,
    draw_missing,
    new_figure,
    percent,
    percent_ticks,
    round_ticks,
    round_up,
    write_note,
    write_svg,
)
from leadscore.report.figures.history import plot_dates, plot_learning, plot_maturity
from leadscore.report.figures.probabilities import (
    MOST_ROWS,
    plot_distribution,
    plot_groups,
    plot_reliability,
)
from leadscore.report.figures.ranking import (
    plot_captured,
    plot_lift,
    plot_precision_recall,
    plot_roc,
)
from leadscore.report.figures.records import usable
from leadscore.results import DaysToWin, Interval

SVG = "{http://www.w3.org/2000/svg}"
COLUMNS = {
    plot_reliability: ("mean_probability", "win_rate", "low", "high"),
    plot_roc: ("false_positive_rate", "true_positive_rate"),
    plot_precision_recall: ("recall", "precision"),
    plot_lift: ("share", "captured", "lift"),
    plot_distribution: ("low", "high", "won", "other"),
    plot_maturity: ("days", "share"),
}
PLOTS = [pytest.param(plot, id=plot.__name__) for plot in COLUMNS]
PLACE = 0.01  # how exactly a place is drawn


def rising(plot, n=11):
    return [dict.fromkeys(COLUMNS[plot], i / (n - 1)) for i in range(n)]


def parse(text):
    return ElementTree.fromstring(text)  # noqa: S314  (our own text)


def styled(root, kind, style):
    """Elements of a kind with all parts of a style."""
    return [
        each
        for each in root.iter(SVG + kind)
        if all(part in each.get("style", "").split("; ") for part in style)
    ]


def places_of(path):
    numbers = [float(number) for number in re.findall(r"[-\d.]+", path.get("d"))]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def lines(root, colour):
    """The places of each line of a colour."""
    return [places_of(path) for path in styled(root, "path", ["fill: none", f"stroke: {colour}"])]


def dashed_lines(root):
    return [
        places_of(path)
        for path in styled(root, "path", ["fill: none"])
        if "stroke-dasharray" in path.get("style")
    ]


def dots(root, colour):
    """The places of the markers of a colour."""
    return [
        (float(use.get("x")), float(use.get("y")))
        for use in styled(root, "use", [f"fill: {colour}"])
    ]


def bars(root, colour):
    """The lowest and the highest y of each bar of a colour, without the key's."""
    shapes = [[y for _, y in places_of(path)] for path in styled(root, "path", [f"fill: {colour}"])]
    return [(max(heights), min(heights)) for heights in shapes if max(heights) > TOP]


def written(root):
    return [text.text for text in root.iter(SVG + "text")]


def at(x, y):
    """Where shares of the whole width and height are, as near as they are drawn."""
    return pytest.approx((LEFT + x * (RIGHT - LEFT), BOTTOM - y * (BOTTOM - TOP)), abs=PLACE)


def check(text):
    """A figure that any browser and screen reader can take."""
    root = parse(text)
    assert root.tag == SVG + "svg"
    assert root.get("viewBox") == f"0 0 {WIDTH} {HEIGHT}"
    assert root.get("role") == "img"
    title, description = root[0], root[1]
    assert (title.tag, description.tag) == (SVG + "title", SVG + "desc")
    assert root.get("aria-labelledby").split() == [title.get("id"), description.get("id")]
    assert title.text
    assert description.text
    assert not re.search(r"\bnan\b|\binf\b|None", text)
    assert "<script" not in text
    assert "<style" not in text  # it would reach beyond the figure
    return root


values = st.one_of(st.none(), st.floats(), st.floats(0, 1), st.floats(0, 1e4))


@given(record=st.fixed_dictionaries({"a": values, "b": values}))
def test_record_when_it_is_usable_then_its_numbers_are_finite_and_not_negative(record):
    rows = usable([record], "a", "b")
    drawable = [value is not None and 0 <= value <= 1e12 for value in record.values()]
    assert rows == ([record] if all(drawable) else [])


@pytest.mark.parametrize("plot", PLOTS)
@given(data=st.data())
@settings(deadline=None, max_examples=8)
def test_figure_when_given_anything_then_is_well_formed(plot, data):
    record = st.fixed_dictionaries(dict.fromkeys(COLUMNS[plot], values))
    check(plot(data.draw(st.lists(record, max_size=12))))


@pytest.mark.parametrize("value", [0.0, 1e-300, 1e12])
@pytest.mark.parametrize("plot", PLOTS)
def test_figure_when_numbers_are_extreme_then_is_well_formed(plot, value):
    check(plot([dict.fromkeys(COLUMNS[plot], value)] * 2))


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("plot", PLOTS)
def test_figure_when_there_is_too_little_to_draw_then_says_so_in_a_frame(plot, n):
    root = check(plot(rising(plot)[:n]))
    assert "not enough data" in written(root)
    assert root[1].text == "not enough data"
    assert lines(root, BLUE) + dots(root, BLUE) == []


@pytest.mark.parametrize("plot", PLOTS)
def test_figure_when_drawn_again_then_is_the_same_text(plot):
    assert plot(rising(plot)) == plot(rising(plot))
    check(plot(rising(plot)))


@pytest.mark.parametrize("plot", PLOTS)
def test_figure_when_values_are_missing_then_draws_the_others(plot):
    first = COLUMNS[plot][0]
    broken = [
        dict.fromkeys(COLUMNS[plot], 0.5) | {first: bad}
        for bad in (None, float("nan"), float("inf"), -0.1)
    ]
    assert plot([*rising(plot), *broken]) == plot(rising(plot))


def test_figure_when_drawn_in_another_process_with_other_settings_then_is_the_same_text(tmp_path):
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 9\nsvg.fonttype: path\nfont.size: 30")
    script = (
        "from leadscore.report.figures.ranking import plot_roc\n"
        "rows = [{'false_positive_rate': i, 'true_positive_rate': i} for i in (0.0, 0.5, 1.0)]\n"
        "print(plot_roc(rows), end='')"
    )
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stdout == plot_roc(rising(plot_roc, n=3))
    assert result.stderr == ""


def test_figures_when_on_one_page_then_share_no_id():
    ids = [
        each.get("id")
        for plot in COLUMNS
        for each in parse(plot(rising(plot))).iter()
        if each.get("id")
    ]
    assert len(ids) > 12
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("plot", [plot_roc, plot_precision_recall])
def test_curve_when_drawn_then_passes_through_its_points(plot):
    x, y = COLUMNS[plot]
    points = [(0.0, 0.0), (0.13, 0.42), (0.5, 0.77), (1.0, 1.0)]
    (curve,) = lines(parse(plot([{x: a, y: b} for a, b in points])), BLUE)
    assert curve == [at(*point) for point in points]


def test_reliability_when_drawn_then_has_a_dot_on_its_interval_for_each_bin():
    bins = [(0.1, 0.05, 0.0, 0.2), (0.4, 0.5, 0.35, 0.6), (0.9, 0.8, 0.7, 1.0)]
    records = [dict(zip(COLUMNS[plot_reliability], each, strict=True)) for each in bins]
    root = parse(plot_reliability(records))
    assert dots(root, BLUE) == [at(p, rate) for p, rate, _, _ in bins]
    assert lines(root, BLUE) == [[at(p, low), at(p, high)] for p, _, low, high in bins]


def test_reliability_when_intervals_are_unknown_then_draws_the_dots():
    bins = [{"mean_probability": p, "win_rate": p, "low": None, "high": None} for p in (0.2, 0.6)]
    root = check(plot_reliability(bins))
    assert len(dots(root, BLUE)) == 2
    assert lines(root, BLUE) == []


def test_lift_when_drawn_then_says_what_the_top_brings():
    points = [(0.05, 0.3), (0.1, 0.4), (0.5, 0.8), (1.0, 1.0)]
    root = parse(plot_lift([{"share": a, "captured": b} for a, b in points]))
    assert "first 10%: 40% of wins, lift 4.0" in written(root)
    assert "first 30%: 60% of wins, lift 2.0" in written(root)  # half-way from 40 to 80%
    assert dots(root, ORANGE) == [at(0.1, 0.4), at(0.3, 0.6)]


def test_precision_and_recall_when_drawn_then_show_the_win_rate_of_all():
    records = [{"recall": 0.5, "precision": 0.8}, {"recall": 1.0, "precision": 0.25}]
    root = parse(plot_precision_recall(records))
    assert "dashed: the whole list, 25% won" in written(root)
    assert dashed_lines(root) == [[at(0, 0.25), at(1, 0.25)]]


def test_distribution_when_drawn_then_bars_are_as_high_as_their_share_and_stand_on_each_other():
    bins = [
        {"low": 0.0, "high": 0.5, "won": 1.0, "other": 5.0},
        {"low": 0.5, "high": 1.0, "won": 3.0, "other": 1.0},
    ]
    root = parse(plot_distribution(bins))
    full = BOTTOM - TOP  # of 60%, the higher bar
    won = [(BOTTOM, BOTTOM - full * 0.1 / 0.6), (BOTTOM, BOTTOM - full * 0.3 / 0.6)]
    assert bars(root, BLUE) == [pytest.approx(ends, abs=PLACE) for ends in won]
    other = [(won[0][1], TOP), (won[1][1], BOTTOM - full * 0.4 / 0.6)]
    assert bars(root, PALE) == [pytest.approx(ends, abs=PLACE) for ends in other]


def test_maturity_when_drawn_then_is_steps_with_its_days_and_the_horizon():
    points = [
        {"days": 0.0, "share": 0.0},
        {"days": 10.0, "share": 0.2},
        {"days": 50.0, "share": 0.4},
    ]
    text = plot_maturity(
        points, days_to_win=DaysToWin(half=10.0, nine_tenths=50.0), horizon_days=30
    )
    root = check(text)
    (steps,) = lines(root, BLUE)
    assert steps == [at(0, 0), at(0.2, 0), at(0.2, 0.5), at(1, 0.5), at(1, 1)]
    labels = {"half of the wins by day 10", "9 of 10 wins by day 50", "horizon: 30 days"}
    assert labels <= set(written(root))
    assert dots(root, ORANGE) == [at(0.2, 0.5), at(1, 1)]
    assert dashed_lines(root) == [[at(0.6, 0), at(0.6, 1)]]


def test_maturity_when_the_horizon_is_never_reached_then_leaves_it_out():
    points = [{"days": 0.0, "share": 0.0}, {"days": 10.0, "share": 0.2}]
    unknown = DaysToWin(half=None, nine_tenths=None)
    assert plot_maturity(points, days_to_win=unknown, horizon_days=30) == plot_maturity(points)


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (Interval(value=0.784, low=0.751, high=0.812), "pooled AUC 0.78 (0.75 to 0.81)"),
        (Interval(value=0.784), "pooled AUC 0.78"),
        (None, "pooled AUC not known"),
    ],
)
def test_roc_when_drawn_then_says_its_area(estimate, words):
    assert words in written(parse(plot_roc(rising(plot_roc), auc=estimate)))


@pytest.mark.parametrize(
    "text", ["</text><script>alert(1)</script>\"'&", "$1k-$5k", "$\\frac{", "東京 Ω é"]
)
def test_words_when_they_look_like_markup_or_a_formula_then_stay_words(text):
    words = Words(text, text, text, text)
    with card_style():
        figure, axes = new_figure(words, x_title=text, y_title=text)
        axes.plot([0, 1], [0, 1], label=text)
        write_note(axes, text, (0.5, 0.5), offset=(8, 8))
        draw_key(axes)
        drawn = write_svg(figure, words)
    root = parse(drawn)
    assert "<script" not in drawn
    assert root[0].text == root[1].text == text
    assert written(root).count(text) == 6
    assert text in written(parse(draw_missing(words)))


@given(st.floats(1e-9, 1e9))
@settings(deadline=None)
def test_axis_when_rounded_up_then_has_a_few_round_ticks_and_holds_the_value(largest):
    end = round_up(largest)
    assert largest * (1 - 1e-9) <= end <= largest * 2.1
    ticks = round_ticks().tick_values(0, end)
    assert 3 <= len(ticks) <= 7
    step = float(f"{ticks[1]:.6e}".split("e")[0])
    assert round(step, 6) in {1.0, 2.0, 5.0}


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (percent_ticks()(0.2), "20%"),
        (percent_ticks()(0.005), "0.5%"),
        (percent_ticks()(0.15000000000000002), "15%"),
        (percent(0.0), "0%"),
        (count_ticks()(1500), "1,500"),
    ],
)
def test_number_when_written_then_has_the_digits_that_it_needs(label, expected):
    assert label == expected


def plot_tiers(records):
    return plot_groups(records, name="tiers", title="Tiers", reading="")


def group(name, predicted, won, low, high):
    return {
        "name": name,
        "mean_probability": predicted,
        "win_rate": won,
        "low": low,
        "high": high,
    }


@pytest.mark.parametrize(
    ("drawn", "records"),
    [
        (lambda rows: plot_captured(rows, unit="EUR"),
         [{"share": s, "leadscore": s, "scorecard": s / 2, "random": s, "oracle": 1.0} for s in (0.1, 0.5)]),
        (lambda rows: plot_learning(rows, finding="more would help"),
         [{"leads": n, "log_loss": 1 / n} for n in (10, 20, 40)]),
        (plot_dates, [{"name": name, "auc": 0.7, "low": 0.6, "high": 0.8} for name in ("2012-01-01", "2012-02-01")]),
        (plot_tiers, [group(name, 0.7, 0.6, 0.5, 0.8) for name in "AB"]),
    ],
    ids=["captured", "learning", "dates", "groups"],
)  # fmt: skip
def test_figure_when_drawn_then_is_a_document_and_with_too_little_says_so(drawn, records):
    for rows in (records, records[:1], [], [dict.fromkeys(records[0])]):
        text = drawn(rows)
        check(text)
        assert ("not enough data" in text) == (len(rows) < 2)
    assert drawn(records) == drawn(records)


def test_groups_when_drawn_then_each_has_its_name_and_its_places():
    records = [group("A & co", 0.5, 0.25, 0.0, 1.0), group("B" * 60, 0.0, 1.0, 1.0, 1.0)]
    root = check(plot_tiers(records))
    first, second = [place for place in dots(root, BLUE) if place[1] > TOP]
    assert first[0] == pytest.approx(LEFT + (RIGHT - LEFT) / 4)
    assert second[0] == RIGHT
    assert TOP < first[1] < (TOP + BOTTOM) / 2 < second[1] < BOTTOM
    predicted = [x for x, y in dots(root, ORANGE) if y > TOP]
    assert predicted == [(LEFT + RIGHT) / 2, LEFT]
    assert {"A & co", "B" * 39 + "\u2026"} <= set(written(root))
    assert "A & co: predicted 50%, won 25%" in root[1].text


def test_groups_when_more_than_can_be_read_then_the_last_are_drawn():
    records = [group(f"2012-{i:02}", 0.1, 0.1, 0.1, 0.2) for i in range(1, 13)]
    text = plot_tiers(records)
    assert len(dots(parse(text), BLUE)) == MOST_ROWS + 1  # one in the key
    assert "2012-02" not in text
    assert "2012-03" in text


@pytest.mark.parametrize(
    ("losses", "ticks"),
    [
        ((0.41, 0.69), ["0.4", "0.5", "0.6", "0.7"]),
        ((0.4, 0.42), ["0.40", "0.41", "0.42", "0.43", "0.44", "0.45"]),
    ],
)
def test_learning_when_drawn_then_the_axis_has_round_ends_and_is_never_a_magnifying_glass(
    losses, ticks
):
    records = [{"leads": 100 * i, "log_loss": loss} for i, loss in enumerate(losses, 1)]
    labels = written(parse(plot_learning(records, finding="")))
    assert [label for label in labels if re.fullmatch(r"0\.\d+", label)] == ticks
