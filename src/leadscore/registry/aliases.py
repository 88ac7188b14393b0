"""Which version an alias points to, and the log of how it came there.

Where an alias points is one row in MLflow's database, so a reader sees the old champion or the new
one, never none. Every move is logged before it is made: should the process die in between, the log
shows one move too many, and the alias tells that it was not made.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from leadscore.registry.connection import Connection
from leadscore.registry.versions import CHALLENGER, CHAMPION, PREVIOUS, Who

MOVE_TAG = "leadscore.move."  # + moment and alias
MOVE_KEYS = {"alias", "was", "now", "by", "at", "why"}


class Aliases:
    """The aliases of one registered model."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name

    def registered_model(self) -> Any:
        """MLflow's registered model, with aliases and tags; None before the first version."""
        try:
            return self._connection.client.get_registered_model(self._name)
        except self._connection.mlflow.MlflowException as e:
            if e.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None

    def numbers(self) -> dict[str, int]:
        """Alias -> number of the version that it points to."""
        model = self.registered_model()
        if model is None:
            return {}
        return {alias: int(number) for alias, number in model.aliases.items()}

    def moves(self) -> list[dict[str, Any]]:
        """All logged moves, newest first: alias, was, now (numbers or None), by, at, why."""
        model = self.registered_model()
        if model is None:
            return []
        keys = [key for key in model.tags if key.startswith(MOVE_TAG)]
        newest_first = sorted(keys, reverse=True)
        moves = [_read_move(model.tags[key]) for key in newest_first]
        return [move for move in moves if move is not None]

    def move(self, alias: str, number: int, who: Who) -> None:
        """Log a move, then make it."""
        move = {
            "alias": alias,
            "was": self.numbers().get(alias),
            "now": number,
            **asdict(who),
        }
        key = f"{MOVE_TAG}{who.at}.{alias}"
        client = self._connection.client
        client.set_registered_model_tag(self._name, key, json.dumps(move))
        client.set_registered_model_alias(self._name, alias, str(number))

    def promote(self, number: int, who: Who) -> None:
        """Let a version score; the champion until now becomes `previous`.

        `champion` moves last: if the process dies before, the old one still scores, and promoting
        can be repeated.
        """
        numbers = self.numbers()
        champion = numbers.get(CHAMPION)
        if champion is not None and champion != numbers.get(PREVIOUS):
            self.move(PREVIOUS, champion, who)
        if numbers.get(CHALLENGER) == number:
            self._connection.client.delete_registered_model_alias(self._name, CHALLENGER)
        self.move(CHAMPION, number, who)

    def has_served(self, number: int) -> bool:
        """Whether a version is champion or previous, or was champion once."""
        numbers = self.numbers()
        champion = numbers.get(CHAMPION)
        moves = self.moves()
        champions = [move["now"] for move in moves if move["alias"] == CHAMPION]
        if champions[:1] != [champion]:
            champions = champions[1:]  # the latest move was logged, but not made
        return number in {*champions, champion, numbers.get(PREVIOUS)}

    def champion_before(self) -> int | None:
        """The number of the champion before this one, or None."""
        numbers = self.numbers()
        previous = numbers.get(PREVIOUS)
        if previous != numbers.get(CHAMPION):
            return previous
        # a promotion ended halfway: what was previous before it?
        for move in self.moves():
            if move["alias"] == PREVIOUS and move["now"] == previous:
                return move["was"]  # type: ignore[no-any-return]
        return None


def _read_move(text: str) -> dict[str, Any] | None:
    """A move as it was logged; None if somebody changed the tag into something else."""
    try:
        move = json.loads(text)
    except (ValueError, RecursionError):
        return None
    is_move = isinstance(move, dict) and move.keys() >= MOVE_KEYS
    return move if is_move else None
