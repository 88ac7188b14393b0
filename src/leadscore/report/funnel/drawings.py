"""Figures for a page whose policy allows no inline style, in the page's light or dark colours."""

from __future__ import annotations

import re


def inline(svg: str) -> str:
    """An SVG with attributes in place of inline styles, so that the page's style rules win.

    >>> inline('<path style="fill: #1f2937; stroke-width: 2"/>')
    '<path fill="#1f2937" stroke-width="2"/>'
    """
    return re.sub(r'style="([^"]*)"', _write_attributes, svg)


def _write_attributes(style: re.Match[str]) -> str:
    attributes = []
    for declaration in style[1].split(";"):
        name, _, value = declaration.partition(":")
        if name.strip():
            attributes += _write_attribute(name.strip(), value.strip())
    return " ".join(attributes)


def _write_attribute(name: str, value: str) -> list[str]:
    """An attribute; of the shorthand `font`, which SVG has none for, its size and weight."""
    if name != "font":
        return [f'{name}="{value}"']
    attributes = []
    size = re.search(r"[\d.]+px", value)
    if size:
        attributes.append(f'font-size="{size[0]}"')
    is_bold = re.search(r"\b(bold|700)\b", value)
    if is_bold:
        attributes.append('font-weight="bold"')
    return attributes
