import re
from html.parser import HTMLParser

import pytest

import histories
from builders import make_settings
from evaluations import NAMES, ONE_BIN, make_evaluation, part, side
from leadscore.features.feature import Feature
from leadscore.features.finish import Learned
from leadscore.features.phrases import Phrase
from leadscore.report import estimates, wording
from leadscore.report.card import build_card
from leadscore.report.figures.build import build_date_figures, build_figures
from leadscore.report.figures.canvas import BLUE, LEFT, RIGHT
from leadscore.results import ReplayedDate

EVIL = "<script>alert('x')</script>\"&"
VOID = {"meta", "br", "link", "img", "hr", "input"}
FIGURES = [
    "reliability.svg",
    "lift.svg",
    "roc.svg",
    "precision_recall.svg",
    "distribution.svg",
    "maturity.svg",
]


def feature(name, subject, *, unit="count", direction=0):
    return Feature(name, {}, Learned(), unit, name, Phrase(subject, "", ""), direction=direction)


FEATURES = [
    feature("bant_budget", "budget", unit="share", direction=1),
    feature("engagement_emails_7d", "e-mails in the last 7 days"),
    feature("stage_order", "place in the pipeline", unit="number"),
    feature("profile_age", "age", unit="days", direction=-1),
]


def make_card(
    evaluation=None,
    *,
    features=FEATURES,
    version="abc123",
    settings=None,
    project="sales",
    figures=None,
):
    evaluation = evaluation or make_evaluation()
    manifest = {
        "project": project,
        "known_until": "2024-03-01T00:00:00Z",
        "store_version": "store-77",
        "seed": 42,
    }
    return build_card(
        evaluation=evaluation,
        features=features,
        manifest=manifest,
        settings=settings or make_settings(),
        figures=build_figures(evaluation) if figures is None else figures,
        version=version,
    )


class Page(HTMLParser):
    """The words of a page, cell by cell of its tables, and whether every element is closed where it should be."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.links, self.words, self.rows = [], [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [
            value for name, value in attrs if name in {"src", "href", "srcset", "action", "data"}
        ]
        self.links += [name for name, _ in attrs if name.startswith("on")]
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag == "br" and self.rows:
            self.rows[-1][-1] += " "
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)
        if "tr" in self.open and self.open[-1] != "tr":
            self.rows[-1][-1] += data

    @property
    def text(self):
        return " ".join(" ".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())

    def row(self, start):
        """The cells of the only row that begins so."""
        cells = [[" ".join(cell.split()) for cell in row] for row in self.rows]
        (found,) = [row for row in cells if row and row[0].startswith(start)]
        return found


POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')


def test_card_when_built_then_its_policy_forbids_all_but_its_own_styles():
    text = make_card()
    rules = dict(rule.split(" ", 1) for rule in POLICY.search(text).group(1).split("; "))
    assert rules == {
        "default-src": "'none'", "style-src": "'unsafe-inline'", "img-src": "data:", "base-uri": "'none'",
        "form-action": "'none'",
    }  # fmt: skip
    before = text[: POLICY.search(text).start()]
    assert "<style" not in before  # what comes before a policy escapes it
    assert "style=" not in before
    assert not re.search(r"\son[a-z]+=", text)  # no handler: a policy without scripts would drop it


def test_card_when_built_then_is_one_closed_page_that_needs_nothing_else():
    text = make_card()
    page = Page(text)
    assert text.startswith("<!doctype html>")
    assert {"script", "link", "img", "iframe", "object"} & set(page.tags) == set()
    assert page.links == []
    assert not re.search(r"url\(|@import|javascript:", text)
    assert set(re.findall(r"https?://[^\"'\s<]+", text)) == {"http://www.w3.org/2000/svg"}
    assert 'name="viewport"' in text


def test_card_when_built_again_then_is_the_same_text():
    assert make_card() == make_card()


def test_card_when_built_then_tells_every_metric_with_its_interval_and_a_sentence():
    page = Page(make_card())
    told = [row[0].split() for row in page.rows if row]
    assert [name for name in NAMES if not any(name in words for words in told)] == []
    assert page.row("AUC auc") == [
        "AUC auc How often a won lead is ranked above another on the same list (date, test block or fold) "
        "that is not won: 0.5 is chance, above 0.95 look for a leak.",
        "0.710",
        "0.660 to 0.760",
    ]
    assert page.row("Capture, first 10% capture_10")[1:] == ["71.0%", "66.0% to 76.0%"]
    assert page.row("Calibration error, raw calibration_error_raw")[1:] == ["0.710", "—"]
    assert page.row("Log loss gain log_loss_gain")[1:] == ["0.090", "0.040 to 0.140"]
    assert [row for row in page.rows if row and row[0] == "AUC"] == [
        ["AUC", "0.610 (0.560 to 0.660)", "0.760 (0.710 to 0.810)"]
    ]


def test_card_when_lists_lack_an_outcome_then_tells_how_many_the_auc_leaves_out():
    blocks = {"auc_blocks": 11, "auc_blocks_left_out": 2}
    text = make_card(make_evaluation(metrics={"all": part(0.71) | blocks}))
    assert text.count("2 of 13 lists lack one of the two outcomes and are left out.") == 1
    assert "lists lack" not in make_card()


def test_card_when_a_metric_is_not_explained_then_lists_it_too(monkeypatch):
    # not deleted from the dictionary: it would come back at another place, for all tests that follow
    known = {name: words for name, words in wording.METRICS.items() if name != "brier"}
    monkeypatch.setattr(estimates, "METRICS", known)
    page = Page(make_card())
    assert page.row("brier brier")[1:] == ["0.710", "0.660 to 0.760"]


def test_card_when_built_then_tells_every_feature_with_unit_and_direction():
    page = Page(make_card())
    assert page.row("budget")[1:] == ["share", "never lowers the probability as it grows"]
    assert page.row("age")[1:] == ["days", "never raises the probability as it grows"]
    assert page.row("e-mails in the last 7 days engagement_emails_7d")[1:] == ["count", "free"]
    assert page.row("place in the pipeline stage_order")
    assert all(
        family in page.text
        for family in ("BANT: 1 feature", "Engagement: 1 feature", "Profile: 1 feature")
    )


def test_card_when_built_then_tells_what_it_rests_on():
    page = Page(make_card())
    assert page.row("store version")[1] == "store-77"
    assert page.row("known until")[1] == "2024-03-01 00:00 UTC"
    assert page.row("leads")[1] == "567"
    assert page.row("snapshots")[1].startswith("4,321,")
    assert page.row("censored")[1].startswith("76 snapshots")
    assert (
        page.row("time to a win")[1]
        == "half of the wins seen had come by day 12, 9 of 10 by day 45"
    )
    assert page.row("2024-02-01 23:00 UTC")[1:] == ["567", "4,321", "890", "76", "24.7%"]
    for said in (
        "within the next 30 days", "model version abc123", "Against giving every lead 13.6%",
        "sigmoid: a smooth, rising curve", "none 0.512, sigmoid 0.499.", "Evaluated on 2,222 snapshots",
        "On 1,234 snapshots of 321 held-out leads", "Young are those open for less than 1 day.",
    ):  # fmt: skip
        assert said in page.text


def test_card_when_words_look_like_markup_then_they_stay_words():
    features = [feature(f"profile_{EVIL}", f"{EVIL} {{value}}", unit="number")]
    settings = make_settings(fields={"need": {"label": EVIL}})
    evaluation = make_evaluation(not_learned_from=["need"], no_signal=EVIL)
    text = make_card(evaluation, features=features, version=EVIL, settings=settings, project=EVIL)
    page = Page(text)
    assert "<script" not in text
    assert page.links == []
    assert page.text.count(EVIL) == 7  # title, heading, version, warning, label, phrase and name


def test_card_when_there_is_no_signal_then_says_so_before_any_number():
    why = "no signal: against giving every lead the base rate of 0.136 the model's log loss is better by 0.0010"
    text = Page(make_card(make_evaluation(no_signal=why), version=None)).text
    assert text.index(f"Do not use this model. Training ended with {why}.") < text.index("0.710")
    assert "model version" not in text
    assert "Do not use this model" not in Page(make_card()).text


def test_card_when_fields_name_our_own_people_then_says_that_they_were_not_learned_from():
    settings = make_settings(fields={"need": {}})
    evaluation = make_evaluation(not_learned_from=["owner_id", "need"], not_asked_for=["owner_id"])
    page = Page(make_card(evaluation, settings=settings))
    people, undated = page.text.split("These name your own people")[1].split(
        "It is not known when these were filled in"
    )
    assert "owner" in people
    assert "need" in undated
    assert "owner" not in undated.partition("A history of their changes")[0]


def test_card_when_fields_were_not_learned_from_then_says_which_and_why():
    settings = make_settings(fields={"need": {"label": "what they need"}})
    page = Page(make_card(make_evaluation(not_learned_from=["amount", "need"]), settings=settings))
    assert "It is not known when these were filled in." in page.text
    assert "amount what they need need" in page.text
    assert "No field was left out" not in page.text
    assert "No field was left out" in Page(make_card()).text


def test_card_when_the_audit_speaks_against_fields_then_says_which_and_what_was_made_of_them():
    kinds = {
        "status": ("leak", True),
        "score": ("leak", False),
        "owner": ("suspect", False),
        "size": ("ok", False),
    }
    audit = [
        {
            "field": name,
            "verdict": verdict,
            "evidence": f"what {name} did",
            "auc": None,
            "left_out": out,
        }
        for name, (verdict, out) in kinds.items()
    ]
    settings = make_settings(fields={name: {} for name in kinds})
    text = Page(make_card(make_evaluation(audit=audit), settings=settings)).text
    assert "These reveal how a lead ended, and were left out: Leak. status: what status did" in text
    assert "because the settings keep them: Leak, kept. score: what score did" in text
    assert "check them: Suspect. owner: what owner did" in text
    assert "size" not in text
    assert "check them" not in Page(make_card()).text


def test_card_when_history_was_too_short_then_says_how_it_was_judged_instead():
    calibrator = {
        "kind": "none",
        "why": "fewer than 3 splits have enough follow-up on both sides",
    }
    changes = {"basis": "cross-validated by lead", "splits": [], "calibrator": calibrator}
    text = Page(make_card(make_evaluation(**changes))).text
    assert "The numbers are cross-validated by lead" in text
    assert "Why: fewer than 3 splits have enough follow-up on both sides." in text
    assert "learned until" not in text


def test_card_when_numbers_are_unknown_then_says_so_and_shows_no_odd_ones():
    unknown = {"value": None, "low": None, "high": None}
    evaluation = make_evaluation(
        metrics={},
        gain={"log_loss_gain": unknown, "brier_skill": unknown},
        days_to_win={"half": None, "nine_tenths": None},
        history=side(base_rate=None),
    )
    page = Page(make_card(evaluation))
    assert "Too few outcomes of both kinds to compute them." in page.text
    assert page.row("Log loss gain log_loss_gain")[1:] == ["—", "—"]
    assert not re.search(r"\bnan\b|\binf\b|None", page.text)


def test_figures_when_there_is_no_data_then_are_all_there_and_say_so():
    figures = build_figures(make_evaluation(metrics={}, curves=ONE_BIN))
    assert list(figures) == FIGURES
    assert all("not enough data" in svg for svg in figures.values())


def test_card_when_given_figures_then_shows_them_in_their_order():
    evaluation = make_evaluation()
    figures = build_figures(evaluation)
    text = make_card(evaluation)
    places = [text.index(svg.strip()) for svg in figures.values()]
    assert places == sorted(places)
    assert text.count('<figure tabindex="0">') == len(FIGURES)
    assert "<figure" not in make_card(figures={})


@pytest.fixture(scope="module")
def result():
    return histories.fitted()


def test_card_of_a_training_when_built_then_tells_all_of_it_but_no_lead_and_no_category(result):
    settings = histories.sales_settings(histories.scratch())
    evaluation = result.evaluation
    before = evaluation.to_dict()
    text = make_card(
        evaluation, features=result.features, settings=settings, project=settings.project
    )
    assert evaluation.to_dict() == before
    page = Page(text)
    assert all(
        any(feature.name in row[0].split() for row in page.rows if row)
        for feature in result.features
    )
    assert not re.search(r"\bnan\b|\binf\b|None", page.text)
    assert "not enough data" not in page.text
    assert not re.search(r"\b00\d\d\d\b|referral|\bfair\b|\bweb\b", page.text)
    named = set(evaluation.overall.intervals())
    assert all(any(name in row[0].split() for row in page.rows if row) for name in named)


def test_card_when_there_are_tiers_segments_and_broken_limits_then_tells_them():
    group = {"name": "A<b", "n": 9, "leads": 7, "mean_probability": 0.42, "win_rate": 0.4, "low": 0.3, "high": 0.5,
             "auc": None, "gap": {"value": 0.02, "low": 0.0, "high": 0.1}}  # fmt: skip
    evaluation = make_evaluation(
        tiers=[group],
        brier={"brier": 0.1, "reliability": 0.01, "resolution": 0.02, "uncertainty": 0.12, "within": -0.01},
        never_worked={"leads": 20, "of": 447, "by_tier": {"A": 0, "B": 4, "C": 15, "D": 3}},
        limits_broken=["calibration error 0.100 (0.080 to 0.120), at most 0.05 is allowed"],
        learning={"points": [], "summary": "more closed leads of the same kind would change little"},
        horizon_why="90% of wins arrive within 45 days",
    )  # fmt: skip
    card = make_card(evaluation)
    for words in ("Tier by tier", "A&lt;b", "42.0", "0.100 = 0.010", "minus 0.010 within", "20 of the 447", "B 4, C 15",
                  "breaks the limits of the settings", "would change little",
                  "because 90% of wins arrive within 45 days"):  # fmt: skip
        assert words in card
    assert Page(card).row("A<b")[1:3] == ["9", "7"]


SPLITS = "The splits before the last learned from samples of leads drawn at random: 200,000 snapshots at most."
SOME = SPLITS.replace("The", "Some", 1)
TRIALS = "The size of the trees was chosen on samples of leads: 99,000 snapshots at most."


@pytest.mark.parametrize(
    ("sampled", "shown", "not_shown"),
    [
        pytest.param(
            {"splits": [200_000] * 2, "trials": [99_000]}, [SPLITS, TRIALS], [SOME], id="both"
        ),
        pytest.param({"splits": [150, 200_000]}, [SOME], [SPLITS, TRIALS], id="some splits"),
        pytest.param({"trials": [98, 99_000]}, [TRIALS], [SPLITS, SOME], id="trials"),
        pytest.param(None, [], [SPLITS, SOME, TRIALS, "samples"], id="all learned"),
    ],
)
def test_card_when_samples_learned_then_says_how_many_snapshots(sampled, shown, not_shown):
    scorer = make_evaluation().to_dict()["scorer"]
    scorer |= {"sampled": sampled} if sampled else {}
    page = Page(make_card(make_evaluation(scorer=scorer)))
    assert all(sentence in page.text for sentence in shown)
    assert not any(sentence in page.text for sentence in not_shown)


def test_card_when_groups_carry_the_score_then_lists_them_the_largest_first_and_none_that_moves_nothing():
    shares = {"bant_need": 0.5, "engagement_email": 0.0625, "stage": 0.4375, "profile_size": 0.0}
    groups = [{"group": name, "share": share} for name, share in sorted(shares.items(), key=lambda item: -item[1])]  # fmt: skip
    evaluation = make_evaluation(carriers={"rows": 10, "groups": groups, "summary": "Most comes from need"})  # fmt: skip
    card = make_card(evaluation)
    page = Page(card)
    groups_table = [row for row in page.rows if len(row) == 3 and not row[2]]
    listed = [row for row in groups_table if row[1].endswith("%")]
    assert [row[1] for row in listed] == ["50%", "44%", "6%"]
    assert listed[0][0].endswith(": need")
    assert re.findall(r'<rect width="([\d.]+)"', card) == ["100.0", "87.5", "12.5"]


def test_figures_when_there_are_many_segments_then_the_largest_are_drawn_by_name():
    groups = [
        {
            "name": f"segment {letter}",
            "n": leads,
            "leads": leads,
            "mean_probability": 0.2,
            "win_rate": 0.2,
            "low": 0.1,
            "high": 0.3,
        }
        for leads, letter in enumerate("abcdefghijkl")
    ]
    figures = build_figures(make_evaluation(tiers=groups[:2], segments=groups))
    drawn = re.findall(r">segment (.)<", figures["segments.svg"])
    assert drawn == list("cdefghijkl")
    assert re.findall(r">segment (.)<", figures["tiers.svg"]) == ["a", "b"]


def make_dates(bias):
    """Two replayed dates, whose win rate is 40%."""
    ours = part(0.7) | {"bias": bias, "win_rate": 0.4}
    counts = {"open": 9, "settled": 9, "won": 3, "trained_on": 99, "splits": 3}
    rest = {"calibrator": "none", "shift": 0.0, "notes": [], "models": {"leadscore": ours}}
    return [
        ReplayedDate.from_dict({"as_of": f"2012-0{i}-01T00:00:00Z", **counts, **rest})
        for i in (1, 2)
    ]


def test_date_figures_when_drawn_then_the_bars_are_the_interval_of_predicted_less_won():
    bias = {"value": 0.1, "low": -0.1, "high": 0.2}
    figures = build_date_figures(make_dates(bias))
    assert "2012-01-01: 0.70 (0.65 to 0.75); 2012-02-01" in figures["dates.svg"]
    assert "2012-02-01: predicted 50%, won 40%" in figures["dates_predicted.svg"]
    line = r'<path d="M ([\d.]+) [\d.]+ \nL ([\d.]+) [\d.]+ \n"[^>]*stroke: ' + BLUE
    bars = re.findall(line, figures["dates_predicted.svg"])
    ends = [LEFT + (RIGHT - LEFT) * share / 0.6 for share in (0.5 - 0.2, 0.5 + 0.1)]
    assert [[float(x) for x in bar] for bar in bars] == [pytest.approx(ends)] * 2
    unknown = make_dates(bias | {"low": None})
    assert "not enough data" in build_date_figures(unknown)["dates_predicted.svg"]
