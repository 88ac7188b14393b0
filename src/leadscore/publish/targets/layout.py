"""A target of the settings with its kind and all defaults filled in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from leadscore.errors import UserError
from leadscore.publish.targets.columns import COLUMNS
from leadscore.publish.targets.dynamics import DYNAMICS, ENTITY_TYPE
from leadscore.publish.targets.generic import GENERIC
from leadscore.publish.targets.hubspot import HUBSPOT
from leadscore.publish.targets.kind import Kind, Layout, TargetField
from leadscore.publish.targets.odoo import ODOO
from leadscore.publish.targets.pipedrive import PIPEDRIVE
from leadscore.publish.targets.salesforce import SALESFORCE
from leadscore.settings.targets import TargetSettings
from leadscore.wording import listed

KINDS = {kind.name: kind for kind in (SALESFORCE, HUBSPOT, DYNAMICS, ODOO, PIPEDRIVE, GENERIC)}
SCORED_ENTITY = "lead"  # what Dynamics scores, by default
ALWAYS = {"win_percent", "reasons", "score_valid_until", "publication_id", "status"}


def build_layout(
    target: str,
    settings: TargetSettings,
    *,
    preset: str | None,
    available: Collection[str],
) -> Layout:
    """The layout of a target.

    Args:
        target: its name.
        settings: of it.
        preset: the preset with which the leads were read; if it is of the same CRM, `lead_id` is
            the CRM's own record id.
        available: the columns of the scores.

    Raises:
        UserError: the settings name a column that the list does not have, or a field twice.
    """
    kind = KINDS[settings.kind]
    is_own = (preset or "").partition("/")[0] == kind.name
    key = settings.key or (kind.own_key if is_own else kind.key)
    fields = _choose_fields(target, settings, kind, available=available)
    _check_key(target, key, fields)
    return Layout(
        target=target,
        kind=kind,
        object=_choose_object(settings, kind, is_own=is_own),
        key=key,
        key_prefix=settings.id_prefix if kind is ODOO and key == "id" else "",
        constants=_choose_constants(settings, kind),
        fields=fields,
        text_length=min(settings.text_length or kind.text_length, _longest(kind)),
        max_bytes=settings.max_bytes or kind.max_bytes,
        empty_erases=_empty_erases(target, settings, kind, is_own_key=key == kind.own_key),
        bom=kind.bom if settings.bom is None else settings.bom,
        moment=settings.date_format or kind.moment,
        tolerance=settings.tolerance,
        valid_days=settings.valid_days,
    )


def _check_key(target: str, key: str, fields: Collection[TargetField]) -> None:
    names = {field.name.casefold() for field in fields}
    if key.casefold() in names:
        raise UserError(f"targets.{target}: {key!r} is the key and cannot be a field, too")


def _choose_constants(settings: TargetSettings, kind: Kind) -> dict[str, str]:
    """Columns with one value in every row: of Dynamics the type of record that has the score."""
    if kind is not DYNAMICS:
        return {}
    return {ENTITY_TYPE: settings.object or SCORED_ENTITY}


def _choose_object(settings: TargetSettings, kind: Kind, *, is_own: bool) -> str:
    """The type of record that is written; of Dynamics always the table of scores."""
    if kind is DYNAMICS:
        return kind.object
    usual = kind.preset_object if is_own else kind.object
    return settings.object or usual


def _longest(kind: Kind) -> int:
    """What no setting may go beyond."""
    return kind.text_length if kind is DYNAMICS else GENERIC.text_length


def _empty_erases(target: str, settings: TargetSettings, kind: Kind, *, is_own_key: bool) -> bool:
    """What an empty cell does; where it keeps, requests must be able to clear."""
    if settings.empty_cell is None or kind.clear:
        return kind.empty_erases
    if settings.empty_cell == "erases":
        return True
    if kind.requests is None or (kind is PIPEDRIVE and not is_own_key):
        raise UserError(
            f"targets.{target}: with empty_cell = 'keeps' nothing could clear a field of "
            f"{kind.name}" + ("; set key = 'ID'" if kind is PIPEDRIVE else "")
        )
    return False


def _choose_fields(
    target: str,
    settings: TargetSettings,
    kind: Kind,
    *,
    available: Collection[str],
) -> tuple[TargetField, ...]:
    """The default fields that the list can fill, and those of the settings."""
    missing = [
        column
        for column, name in settings.fields.items()
        if name and column not in ALWAYS and column not in available
    ]
    if missing:
        raise UserError(
            f"targets.{target}.fields: this list has no column {listed(missing)}; "
            "rep_id, route_reason and exploration_probability need [routing]"
        )
    chosen = {**kind.fields, **settings.fields}
    fields = []
    for column, name in chosen.items():
        is_present = column in ALWAYS or column in available
        is_sentence = COLUMNS[column].type == "sentence"
        if name and is_present and not (is_sentence and settings.texts == "omit"):
            fields.append(TargetField(column, name))
    names = [field.name for field in fields]
    counts = Counter(name.casefold() for name in names)
    twice = sorted(name for name in names if counts[name.casefold()] > 1)
    if twice:
        raise UserError(f"targets.{target}: several columns are written to {listed(twice)}")
    return tuple(fields)
