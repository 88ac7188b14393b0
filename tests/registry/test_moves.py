"""Aliases that move: promotions and rollbacks, whole or broken off halfway, and how versions are found."""

import dataclasses
import itertools

import pytest

import histories
from leadscore.errors import (
    UnavailableError,
    UnknownVersionError,
    UserError,
)
from leadscore.registry.registry import Registry
from registry.registered import REASON, mlflow_of, projects, register, served, state, who


def test_promote_when_another_scores_then_it_becomes_previous_and_the_moves_tell_of_it(settings):
    for n in range(3):
        register(settings, n)
    told = who("it ranks better")
    promoted = Registry(settings).promote("3", told)
    assert (promoted.number, promoted.aliases) == (3, ("champion",))
    assert state(settings)[0] == {1: ("previous",), 2: (), 3: ("champion",)}
    assert served(settings) == 3
    moves = Registry(settings).moves()
    assert [move["at"] for move in moves] == sorted((move["at"] for move in moves), reverse=True)
    newest = {move["alias"]: move for move in moves[:2]}
    assert newest == {
        "previous": {"alias": "previous", "was": None, "now": 1, **dataclasses.asdict(told)},
        "champion": {"alias": "champion", "was": 1, "now": 3, **dataclasses.asdict(told)},
    }
    assert [(move["alias"], move["was"], move["now"], move["by"]) for move in moves[2:]] == [
        ("challenger", 2, 3, "ada"), ("challenger", None, 2, "ada"), ("champion", None, 1, "ada"),
    ]  # fmt: skip


def test_promote_when_it_is_not_the_challenger_then_that_one_stays(settings):
    for n in range(3):
        register(settings, n)
    Registry(settings).promote("2", who())
    assert state(settings)[0] == {1: ("previous",), 2: ("champion",), 3: ("challenger",)}


def test_promote_when_it_is_champion_already_then_nothing_moves(settings):
    register(settings)
    before, moves = state(settings), Registry(settings).moves()
    with pytest.raises(UserError, match="version 1 is the champion already"):
        Registry(settings).promote("champion", who())
    assert (state(settings), Registry(settings).moves()) == (before, moves)


def test_rollback_when_repeated_then_it_goes_there_and_back(settings):
    for n in range(2):
        register(settings, n)
    with pytest.raises(UserError, match="no previous champion"):
        Registry(settings).rollback(who())
    Registry(settings).promote("2", who())
    for number, other in ((1, 2), (2, 1), (1, 2)):
        assert Registry(settings).rollback(who("it was better")).number == number
        assert state(settings)[0] == {number: ("champion",), other: ("previous",)}
        assert served(settings) == number
        assert Registry(settings).moves()[0]["why"] == "it was better"


def test_find_when_there_are_versions_then_number_beginning_and_alias_lead_to_them(settings):
    for n in range(3):
        register(settings, n)
    Registry(settings).promote("2", who())
    registry = Registry(settings)
    assert [registry.find(str(n)).number for n in (1, 2, 3)] == [1, 2, 3]
    aliases = {"champion": 2, "previous": 1, "challenger": 3}
    assert {alias: registry.find(alias).number for alias in aliases} == aliases
    for version in registry.versions():
        for digits in (4, 9, 16):
            assert registry.find(version.version[:digits]) == version
        assert registry.read_evaluation(version).no_signal is None
    for which in ("9", "", registry.versions()[0].version[:3], "zzzz", "Champion", "0" * 17, "-1"):
        with pytest.raises(UnknownVersionError) as caught:
            registry.find(which)
        assert all(
            f"{each.number} ({each.version})" in str(caught.value) for each in registry.versions()
        )


def test_find_when_nothing_is_registered_then_words_say_what_to_do(settings):
    with pytest.raises(UnknownVersionError, match="there is none yet; run `leadscore train` first"):
        Registry(settings).find("1")


LOGGED = [
    "create_run",
    "log_batch",
    "log_inputs",
    "log_dict",
    "log_artifact",
    "log_text",
    "set_terminated",
]
REGISTERED = [
    "create_registered_model", "create_model_version", "set_registered_model_tag", "set_registered_model_alias",
    "delete_registered_model_alias",
]  # fmt: skip


class Faults:
    """MLflow fails at its n-th write, before it does what was asked or after."""

    def __init__(self, monkeypatch, settings, *, at, after=False, writes=(*LOGGED, *REGISTERED)):
        self.seen, self.at, self.after = 0, at, after
        with mlflow_of(settings) as mlflow:
            self.error = mlflow.MlflowException
            monkeypatch.setattr(mlflow.pyfunc, "log_model", self.failing(mlflow.pyfunc.log_model))
            for name in writes:
                monkeypatch.setattr(
                    mlflow.MlflowClient, name, self.failing(getattr(mlflow.MlflowClient, name))
                )

    def complete(self, operate, *what):
        """Whether all of it was done without a fault."""
        try:
            operate(*what)
        except UnavailableError as e:
            self.told = str(e)
            return False
        return self.seen < self.at

    def failing(self, call):
        def fail(*args, **kwargs):
            self.seen += 1
            if self.seen != self.at:
                return call(*args, **kwargs)
            if self.after:
                call(*args, **kwargs)
            raise self.error("the connection was lost")

        return fail


def alias_numbers(settings):
    return {alias: each.number for each in Registry(settings).versions() for alias in each.aliases}


OPERATIONS = {  # name -> what is done with the n-th training, and the aliases after, of those before
    "the first": (register, lambda was, n: {"champion": 1}),
    "a later one": (register, lambda was, n: was | {"challenger": n}),
    "no signal": (lambda s, n: register(s, n, no_signal=REASON), lambda was, n: was),
    "promote": (
        lambda s, n: Registry(s).promote(str(n), who()),
        lambda was, n: {"champion": n, "previous": was["champion"]},
    ),
    "rollback": (
        lambda s, n: Registry(s).rollback(who()),
        lambda was, n: {"champion": was["previous"], "previous": was["champion"]},
    ),
}


def project_before(name, folder, settings, n):
    """The project as it is before an operation: a new one, or the one that the last fault left mended."""
    if name == "the first":
        project = f"project-{next(projects)}"
        return histories.sales_settings(folder, project=project, models_folder=folder / "models")
    if n == 2:
        register(settings, 1)
    if name == "promote" or (name == "rollback" and n == 2):
        assert register(settings, n).number == n
    if name == "rollback" and n == 2:
        Registry(settings).promote("2", who())
    return settings


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least", "after"),
    [
        ("the first", 4, False),
        ("a later one", 3, True),
        ("promote", 5, True),
        ("rollback", 4, False),
        pytest.param("the first", 4, True, marks=pytest.mark.slow),
        pytest.param("a later one", 12, False, marks=pytest.mark.slow),
        pytest.param("no signal", 8, False, marks=pytest.mark.slow),
        pytest.param("promote", 5, False, marks=pytest.mark.slow),
        pytest.param("rollback", 4, True, marks=pytest.mark.slow),
    ],
)
def test_operation_when_mlflow_fails_at_any_write_then_a_whole_champion_scores_and_repeating_it_ends_the_same(
    folder, settings, monkeypatch, name, least, after
):
    operate, expect = OPERATIONS[name]
    writes = LOGGED + REGISTERED if least > 5 else REGISTERED
    for at in itertools.count(1):
        n = at + 1
        settings = project_before(name, folder, settings, n)
        was, runs = alias_numbers(settings), state(settings)[1]
        expected = expect(was, n)
        with monkeypatch.context() as patched:
            faults = Faults(patched, settings, at=at, after=after, writes=writes)
            if faults.complete(operate, settings, n):
                assert at > least
                return
        assert "the connection was lost" in faults.told
        if was:
            assert served(settings) in {was["champion"], expected["champion"]}
        if (
            name in {"promote", "rollback"}
            and alias_numbers(settings)["champion"] == expected["champion"]
        ):
            assert after  # only the answer was lost; to repeat a rollback now is to go back again
        else:
            operate(settings, n)
        assert alias_numbers(settings) == expected, at
        assert served(settings) == expected["champion"]
        versions = [each.version for each in Registry(settings).versions()]
        assert (
            len(versions)
            == len(set(versions))
            == {"the first": 1, "no signal": 1, "rollback": 2}.get(name, n)
        )
        assert state(settings)[1] == runs + (name in {"the first", "a later one", "no signal"}), at


def test_rollback_when_a_promotion_ended_halfway_then_goes_to_the_champion_before(
    settings, monkeypatch
):
    for n in range(3):
        register(settings, n)
    Registry(settings).promote("2", who())
    with monkeypatch.context() as patched:
        Faults(patched, settings, at=3)
        with pytest.raises(UnavailableError):
            Registry(settings).promote("3", who())
    assert state(settings)[0][2] == ("champion", "previous")
    assert Registry(settings).rollback(who()).number == 1
    assert state(settings)[0] == {1: ("champion",), 2: ("previous",), 3: ("challenger",)}


def test_rollback_when_the_first_promotion_ended_halfway_then_there_is_nothing_to_go_back_to(
    settings, monkeypatch
):
    for n in range(2):
        register(settings, n)
    with monkeypatch.context() as patched:
        Faults(patched, settings, at=3)
        with pytest.raises(UnavailableError):
            Registry(settings).promote("2", who())
    with pytest.raises(UserError, match="no previous champion"):
        Registry(settings).rollback(who())
    assert served(settings) == 1


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "{}", '{"alias": "champion"}', "moved by hand"]
)
def test_moves_when_a_tag_was_written_by_hand_then_the_others_are_told_and_all_goes_on(
    settings, text
):
    register(settings)
    registry = Registry(settings)
    before = registry.moves()
    registry.connection.client.set_registered_model_tag(
        registry.name, "leadscore.move.9999.champion", text
    )
    assert registry.moves() == before
    assert registry.load_champion()[2] == registry.champion().version
