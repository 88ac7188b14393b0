import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.report.figures.evidence import (
    LISTED,
    plot_captured,
    plot_dates,
    plot_learning,
    plot_promised,
)
from leadscore.report.figures.plots import (
    plot_distribution,
    plot_lift,
    plot_maturity,
    plot_precision_recall,
    plot_reliability,
    plot_roc,
)
from leadscore.report.figures.svg import (
    BLUE,
    BOTTOM,
    HEIGHT,
    LEFT,
    ORANGE,
    PALE,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Words,
    build_scale,
    draw_chart,
    draw_missing,
    label,
    percent,
    plain,
    x_scale,
    y_between,
    y_scale,
)

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


def rising(plot, n=11):
    return [dict.fromkeys(COLUMNS[plot], i / (n - 1)) for i in range(n)]


def parse(text):
    return ElementTree.fromstring(text)  # noqa: S314  (our own text)


def shapes(root, kind, **attributes):
    return [
        each
        for each in root.iter(SVG + kind)
        if all(each.get(k) == v for k, v in attributes.items())
    ]


def places_of(shape):
    return [tuple(float(part) for part in pair.split(",")) for pair in shape.get("points").split()]


def all_places(root):
    for kind in ("polyline", "polygon"):
        for shape in shapes(root, kind):
            yield from places_of(shape)
    for circle in shapes(root, "circle"):
        yield float(circle.get("cx")), float(circle.get("cy"))
    for rect in shapes(root, "rect")[1:]:  # the first is the page
        x, y = float(rect.get("x")), float(rect.get("y"))
        yield x, y
        yield x + float(rect.get("width")), y + float(rect.get("height"))


def said(root):
    return ["".join(each.itertext()) for each in root.iter(SVG + "text")]


def check(text):
    """A chart that any browser and screen reader can take."""
    root = parse(text)
    assert root.tag == SVG + "svg"
    assert root.get("viewBox") == f"0 0 {WIDTH} {HEIGHT}"
    assert root.get("role") == "img"
    title, described = root[0], root[1]
    assert (title.tag, described.tag) == (SVG + "title", SVG + "desc")
    assert root.get("aria-labelledby").split() == [title.get("id"), described.get("id")]
    assert title.text
    assert described.text
    assert not re.search(r"\bnan\b|\binf\b|None", text)
    assert "<script" not in text
    for x, y in all_places(root):
        assert LEFT <= x <= RIGHT
        assert TOP <= y <= BOTTOM
    return root


values = st.one_of(st.none(), st.floats(), st.floats(0, 1), st.floats(0, 1e4))


@pytest.mark.parametrize("plot", PLOTS)
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_chart_when_given_anything_then_is_well_formed_and_stays_in_its_frame(plot, data):
    record = st.fixed_dictionaries(dict.fromkeys(COLUMNS[plot], values))
    check(plot(data.draw(st.lists(record, max_size=12))))


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("plot", PLOTS)
def test_chart_when_there_is_too_little_to_draw_then_says_so_in_a_frame(plot, n):
    root = check(plot(rising(plot)[:n]))
    assert said(root)[-1] == "not enough data"
    assert len(shapes(root, "rect")) == 2
    assert shapes(root, "polyline") + shapes(root, "circle") == []


@pytest.mark.parametrize("plot", PLOTS)
def test_chart_when_drawn_again_then_is_the_same_text(plot):
    assert plot(rising(plot)) == plot(rising(plot))
    check(plot(rising(plot)))


@pytest.mark.parametrize("plot", PLOTS)
def test_chart_when_values_are_missing_then_draws_the_others(plot):
    first = COLUMNS[plot][0]
    broken = [
        dict.fromkeys(COLUMNS[plot], 0.5) | {first: bad}
        for bad in (None, float("nan"), float("inf"), -0.1)
    ]
    assert plot([*rising(plot), *broken]) == plot(rising(plot))


def test_charts_when_on_one_page_then_share_no_id():
    ids = [
        each.get("id")
        for plot in COLUMNS
        for each in parse(plot(rising(plot))).iter()
        if each.get("id")
    ]
    assert len(ids) == 12
    assert len(set(ids)) == 12


@pytest.mark.parametrize("plot", [plot_roc, plot_precision_recall])
def test_curve_when_drawn_then_passes_through_its_points(plot):
    x, y = COLUMNS[plot]
    points = [(0.0, 0.0), (0.13, 0.42), (0.5, 0.77), (1.0, 1.0)]
    drawn = shapes(parse(plot([{x: a, y: b} for a, b in points])), "polyline", stroke=BLUE)
    assert len(drawn) == 1
    expected = [(LEFT + a * (RIGHT - LEFT), BOTTOM - b * (BOTTOM - TOP)) for a, b in points]
    assert places_of(drawn[0]) == [pytest.approx(place, abs=0.051) for place in expected]


def test_reliability_when_drawn_then_has_a_dot_on_its_interval_for_each_bin():
    bins = [(0.1, 0.05, 0.0, 0.2), (0.4, 0.5, 0.35, 0.6), (0.9, 0.8, 0.7, 1.0)]
    root = parse(
        plot_reliability([dict(zip(COLUMNS[plot_reliability], each, strict=True)) for each in bins])
    )
    dots = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in shapes(root, "circle")]
    whiskers = [places_of(line) for line in shapes(root, "polyline", stroke=BLUE)]
    for (p, rate, low, high), dot, ends in zip(bins, dots, whiskers, strict=True):
        x = LEFT + p * (RIGHT - LEFT)
        heights = [BOTTOM - share * (BOTTOM - TOP) for share in (rate, low, high)]
        assert dot == pytest.approx((x, heights[0]), abs=0.051)
        assert ends == [
            pytest.approx((x, heights[1]), abs=0.051),
            pytest.approx((x, heights[2]), abs=0.051),
        ]


def test_reliability_when_intervals_are_unknown_then_draws_the_dots():
    bins = [{"mean_probability": p, "win_rate": p, "low": None, "high": None} for p in (0.2, 0.6)]
    root = check(plot_reliability(bins))
    assert len(shapes(root, "circle")) == 2
    assert shapes(root, "polyline", stroke=BLUE) == []


def test_lift_when_drawn_then_says_what_the_top_brings():
    points = [(0.05, 0.3), (0.1, 0.4), (0.5, 0.8), (1.0, 1.0)]
    root = parse(plot_lift([{"share": a, "captured": b} for a, b in points]))
    assert "first 10 %: 40 % of wins, lift 4.0" in said(root)
    assert "first 30 %: 60 % of wins, lift 2.0" in said(root)  # half-way from 40 to 80 %
    dots = [
        (float(dot.get("cx")), float(dot.get("cy"))) for dot in shapes(root, "circle", fill=ORANGE)
    ]
    expected = [
        (LEFT + a * (RIGHT - LEFT), BOTTOM - b * (BOTTOM - TOP))
        for a, b in ((0.1, 0.4), (0.3, 0.6))
    ]
    assert dots == [pytest.approx(place, abs=0.051) for place in expected]


def test_precision_and_recall_when_drawn_then_show_the_win_rate_of_all():
    root = parse(
        plot_precision_recall(
            [{"recall": 0.5, "precision": 0.8}, {"recall": 1.0, "precision": 0.25}]
        )
    )
    assert "dashed: the whole list, 25 % won" in said(root)
    dashed = [places_of(line) for line in shapes(root, "polyline") if line.get("stroke-dasharray")]
    height = BOTTOM - 0.25 * (BOTTOM - TOP)
    assert dashed == [
        [pytest.approx((LEFT, height), abs=0.051), pytest.approx((RIGHT, height), abs=0.051)]
    ]


def test_distribution_when_drawn_then_bars_are_as_high_as_their_share_and_stand_on_each_other():
    bins = [
        {"low": 0.0, "high": 0.5, "won": 1.0, "other": 5.0},
        {"low": 0.5, "high": 1.0, "won": 3.0, "other": 1.0},
    ]
    root = parse(plot_distribution(bins))
    heights = {
        colour: [float(bar.get("height")) for bar in shapes(root, "rect", fill=colour)]
        for colour in (BLUE, PALE)
    }
    full = BOTTOM - TOP  # of 60 %, the higher bar
    assert heights[BLUE] == pytest.approx([full * 0.1 / 0.6, full * 0.3 / 0.6], abs=0.11)
    assert heights[PALE] == pytest.approx([full * 0.5 / 0.6, full * 0.1 / 0.6], abs=0.11)
    for won, other in zip(
        shapes(root, "rect", fill=BLUE), shapes(root, "rect", fill=PALE), strict=True
    ):
        assert float(other.get("y")) + float(other.get("height")) == pytest.approx(
            float(won.get("y")), abs=0.11
        )
        assert float(won.get("y")) + float(won.get("height")) == pytest.approx(BOTTOM, abs=0.11)


def test_maturity_when_drawn_then_is_steps_with_its_days_and_the_horizon():
    points = [
        {"days": 0.0, "share": 0.0},
        {"days": 10.0, "share": 0.2},
        {"days": 50.0, "share": 0.4},
    ]
    text = plot_maturity(points, days_to_win={"half": 10.0, "nine_tenths": 50.0}, horizon_days=30)
    root = check(text)
    steps = places_of(shapes(root, "polyline", stroke=BLUE)[0])
    assert [y for _, y in steps] == sorted((y for _, y in steps), reverse=True)
    assert steps[1] == (steps[2][0], steps[0][1])  # along, then up
    assert {"half of the wins by day 10", "9 of 10 wins by day 50", "horizon: 30 days"} <= set(
        said(root)
    )
    dots = [float(dot.get("cx")) for dot in shapes(root, "circle")]
    assert dots == pytest.approx([LEFT + (RIGHT - LEFT) / 5, RIGHT], abs=0.051)


def test_maturity_when_the_horizon_is_never_reached_then_leaves_it_out():
    points = [{"days": 0.0, "share": 0.0}, {"days": 10.0, "share": 0.2}]
    unknown = {"half": None, "nine_tenths": None}
    assert plot_maturity(points, days_to_win=unknown, horizon_days=30) == plot_maturity(points)


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        ({"value": 0.784, "low": 0.751, "high": 0.812}, "pooled AUC 0.78 (0.75 to 0.81)"),
        ({"value": 0.784, "low": None, "high": None}, "pooled AUC 0.78"),
        (None, "pooled AUC not known"),
    ],
)
def test_roc_when_drawn_then_says_its_area(estimate, words):
    assert words in said(parse(plot_roc(rising(plot_roc), auc=estimate)))


def test_words_when_they_look_like_markup_then_stay_words():
    evil = "</text><script>alert(1)</script>\"'&"
    words = Words(evil, evil, evil, evil)
    axes = Axis(x_scale(1.0), evil), Axis(y_scale(1.0), evil)
    for text in (
        draw_chart(words, *axes, [label((100, 100), evil)], key=[(evil, BLUE)]),
        draw_missing(words, evil),
    ):
        assert "<script" not in text
        root = parse(text)
        assert root[0].text == root[1].text == evil
        assert evil in said(root)


@given(st.floats(1e-9, 1e9), st.booleans())
@settings(deadline=None)
def test_scale_when_built_then_has_a_few_round_ticks_and_holds_every_value(largest, whole):
    scale = build_scale(largest, start=0, end=100, whole=whole)
    assert scale.high >= largest * (1 - 1e-9)
    assert 2 <= len(scale.ticks()) <= 7
    assert round(float(f"{scale.tick:.6e}".split("e")[0]), 6) in {1.0, 2.0, 5.0}
    assert [scale.at(value) for value in (-1, 0, scale.high, scale.high * 2)] == [0, 0, 100, 100]
    if whole:
        assert scale.ticks()[-1] == pytest.approx(scale.high)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (percent(0.2, 0.2), "20 %"),
        (percent(0.005, 0.005), "0.5 %"),
        (percent(0.0), "0 %"),
        (percent(-1e-9), "0 %"),
        (plain(1500, 500), "1,500"),
        (plain(2.5, 0.5), "2.5"),
    ],
)
def test_number_on_an_axis_when_written_then_has_the_digits_that_it_needs(written, expected):
    assert written == expected


def plot_tiers(records):
    return plot_promised(records, name="tiers", title="Tiers", reading="")


@pytest.mark.parametrize(
    ("drawn", "records"),
    [
        (lambda rows: plot_captured(rows, unit="EUR"),
         [{"share": s, "leadscore": s, "scorecard": s / 2, "random": s, "oracle": 1.0} for s in (0.1, 0.5)]),
        (lambda rows: plot_learning(rows, said="more would help"),
         [{"leads": n, "log_loss": 1 / n} for n in (10, 20, 40)]),
        (plot_dates, [{"name": name, "auc": 0.7, "low": 0.6, "high": 0.8} for name in ("2012-01-01", "2012-02-01")]),
        (plot_tiers,
         [{"name": name, "mean_probability": 0.7, "win_rate": 0.6, "low": 0.5, "high": 0.8} for name in "AB"]),
    ],
    ids=["captured", "learning", "dates", "promised"],
)  # fmt: skip
def test_evidence_when_drawn_then_is_a_document_and_with_too_little_says_so(drawn, records):
    for rows in (records, records[:1], [], [dict.fromkeys(records[0])]):
        text = drawn(rows)
        ElementTree.fromstring(text)  # noqa: S314  (our own text)
        assert ("not enough data" in text) == (len(rows) < 2)
    assert drawn(records) == drawn(records)


def test_groups_when_drawn_then_each_has_its_name_and_its_places():
    records = [
        {"name": "A & co", "mean_probability": 0.5, "win_rate": 0.25, "low": 0.0, "high": 1.0},
        {"name": "B" * 60, "mean_probability": 0.0, "win_rate": 1.0, "low": 1.0, "high": 1.0},
    ]
    text = plot_tiers(records)
    document = ElementTree.fromstring(text)  # noqa: S314  (our own text)
    dots = [
        (float(each.get("cx")), float(each.get("cy"))) for each in document.iter(f"{SVG}circle")
    ]
    assert [x for x, _ in dots] == [pytest.approx(LEFT + (RIGHT - LEFT) / 4, abs=0.1), RIGHT]
    assert TOP < dots[0][1] < (TOP + BOTTOM) / 2 < dots[1][1] < BOTTOM
    promised = [
        each.get("points")
        for each in document.iter(f"{SVG}polyline")
        if each.get("stroke") == ORANGE
    ]
    assert [float(points.split(",")[0]) for points in promised] == [(LEFT + RIGHT) / 2, LEFT]
    written = [each.text for each in document.iter(f"{SVG}text")]
    assert "A & co" in written
    assert "B" * 39 + "\u2026" in written
    assert "promised 50 %, won 25 %" in text


def test_groups_when_more_than_can_be_read_then_the_last_are_drawn():
    records = [
        {"name": f"2012-{i:02}", "mean_probability": 0.1, "win_rate": 0.1, "low": 0.1, "high": 0.2}
        for i in range(1, 13)
    ]
    text = plot_tiers(records)
    assert text.count("<circle") == LISTED
    assert "2012-02" not in text
    assert "2012-03" in text


@pytest.mark.parametrize(
    ("smallest", "largest", "expected"),
    [(0.41, 0.69, (0.4, 0.7, 0.1)), (0.4, 0.42, (0.4, 0.45, 0.01)), (0.0, 0.0, (0.0, 0.2, 0.2))],
)
def test_scale_between_when_built_then_has_round_ends_and_is_never_a_magnifying_glass(
    smallest, largest, expected
):
    scale = y_between(smallest, largest)
    assert (scale.low, scale.high, scale.tick) == pytest.approx(expected)
    assert scale.low <= smallest <= largest <= scale.high
