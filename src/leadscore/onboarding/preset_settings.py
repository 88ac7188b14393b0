"""Settings that rest on a preset: the files of its sources, and the stages that leads went through."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from leadscore.errors import MissingColumnsError
from leadscore.ingest.mapping.moments import read_moments
from leadscore.ingest.view_trials import check_views, preview_view
from leadscore.onboarding.proposal import folder_line, source_lines, zone_lines
from leadscore.onboarding.recognise import Match
from leadscore.onboarding.stages import order_stages
from leadscore.onboarding.toml import array, quoted
from leadscore.settings.settings import Settings


def write_preset_settings(
    match: Match,
    *,
    project: str,
    base: Path,
    config: Path,
    stages: Sequence[str],
) -> str:
    """The settings as TOML, for files below `base`."""
    are_tables = any(profile.is_table for profile in match.files.values())
    lines = [
        f"# Written by `leadscore init`: {match.title}.",
        f"# See what the preset does: leadscore init --show-preset {match.name}",
        f"project = {quoted(project)}",
        f"preset = {quoted(match.name)}",
        *([] if are_tables else [folder_line(base, config)]),
        *zone_lines(list(match.files.values())),
        "",
        "[target]",
        'horizon_days = "auto" # a win within so many days is predicted',
    ]
    for source, profile in match.files.items():
        lines += ["", f"[sources.{source}]", *source_lines(profile, base)]
    if stages:
        lines += [
            "",
            "# CHECK the order: it is that in which leads went through them",
            "[stages]",
            f"open = {array(stages)}",
        ]
    return "\n".join(lines) + "\n"


def find_lacking(match: Match, settings: Settings) -> list[str]:
    """Columns that a view of a preset cannot do without, and the files do not have."""
    columns = {source: list(profile.columns) for source, profile in match.files.items()}
    try:
        check_views(settings, columns)
    except MissingColumnsError as e:
        return list(e.missing)
    return []


def find_stages(settings: Settings) -> list[str]:
    """The stages that leads went through, those that the settings order first."""
    of_stages = (entry for entry in settings.mapping if entry.table == "stages")
    entry = next(of_stages, None)
    if entry is None or entry.source not in settings.views:
        return []
    columns = [entry.columns[name] for name in ("lead_id", "event_at", "stage")]
    rows = preview_view(settings, entry.source, list(dict.fromkeys(columns)))
    refs, times, stages = (rows[column].combine_chunks() for column in columns)
    view = settings.views[entry.source]
    zone = view.timezone or settings.timezone
    us, ok = read_moments(times, zone=zone, dates=view.dates)
    us[~ok] = us.max(initial=0)
    leads = refs.to_pylist()
    ordered = order_stages(leads, us, stages.to_pylist(), settings.stages.open)
    closing = set(settings.stages.closing())
    return [stage for stage in ordered if stage not in closing]
