"""The base class of all sections, and the types of value that several sections share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
)
from pydantic_core import core_schema

from leadscore.settings.limits import (
    LONGEST_WORD,
    MOST_AMOUNT,
    MOST_DAYS,
    MOST_POINTS,
    NAME,
    path_problem,
)
from leadscore.wording import listed, nearest, shortened

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")


def _make_strict(schema: Any) -> None:
    """Make every number and switch within a schema strict, however deep."""
    if isinstance(schema, dict):
        if schema.get("type") in ("int", "float", "bool"):
            schema["strict"] = True
        schema = [part for name, part in schema.items() if name not in ("metadata", "default")]
    if isinstance(schema, list | tuple):
        for part in schema:
            _make_strict(part)


class Frozen(BaseModel):
    """A section: it cannot be changed, refuses unknown keys, and takes nothing else for a number."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,  # a user may have written an address with a password
    )

    @classmethod
    def __get_pydantic_core_schema__(
        cls,
        source: Any,
        handler: GetCoreSchemaHandler,
    ) -> core_schema.CoreSchema:
        """The schema of pydantic, where nothing else stands for a number, or for true and false."""
        schema = handler(source)
        _make_strict(schema)
        return schema


def _check_path(path: Path) -> Path:
    if problem := path_problem(path):
        raise ValueError(problem)
    return path


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as e:  # OSError: no file can have that name
        raise ValueError(
            f"no such time zone: {shortened(name)}; an example is 'Europe/Berlin'"
        ) from e
    return name


def _as_list(value: object) -> object:
    """One text stands for a list of one."""
    return (value,) if isinstance(value, str) else value


Name = Annotated[
    str,
    Field(pattern=NAME, max_length=LONGEST_WORD, description="lower-case letters, digits and _"),
]


def _as_location(value: object) -> object:
    return value.as_posix() if isinstance(value, Path) else value


def _check_location(location: str) -> str:
    """A path, or an address that fsspec reads, as it is; a password in it is refused unseen."""
    scheme, is_address, rest = location.partition("://")
    if not is_address:
        return _check_path(Path(location)).as_posix()
    user = rest.partition("/")[0].rpartition("@")[0]
    if ":" in user:
        raise ValueError("holds a password; storages read theirs from the environment")
    if not SCHEME.fullmatch(scheme) or not rest.strip("/"):
        raise ValueError("must be a path, or an address like s3://bucket/deals.csv")
    return location


FilePath = Annotated[Path, AfterValidator(_check_path)]
Location = Annotated[str, BeforeValidator(_as_location), AfterValidator(_check_location)]
Zone = Annotated[str, AfterValidator(_check_zone)]
OneOrMore = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
Match = dict[str, OneOrMore]  # column -> values

Amount = Annotated[float, Field(ge=-MOST_AMOUNT, le=MOST_AMOUNT)]
Days = Annotated[float, Field(ge=0, le=MOST_DAYS)]
Points = Annotated[float, Field(ge=0, le=MOST_POINTS)]  # log-odds
Share = Annotated[float, Field(ge=0, le=1)]

Letter = Literal["budget", "authority", "need", "timeline"]  # of BANT


def hint(word: str, known: Sequence[str]) -> str:
    """The end of a message about a mistyped word: the nearest known word, else all known words.

    >>> hint("horizon", ["horizon_days", "cadence_days"]), hint("x", ["by", "a"])
    ("; did you mean 'horizon_days'?", "; known are 'by', 'a'")
    """
    near = nearest(word, known)
    if near:
        return f"; did you mean {shortened(near, most=100)}?"
    return f"; known are {listed(known)}"
