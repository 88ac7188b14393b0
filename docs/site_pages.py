"""What MkDocs runs for the site: adds the pages that live outside docs/, and bends links between all of them.

On GitHub a link is relative to the file that holds it. On the site docs/ is the root, so links out of it or into it
change. A link to what is no page (a settings file, a folder) leads to the repository.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
DOCS = "docs/"
OUTSIDE = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "examples/*/README.md")
REPOSITORY = "https://github.com/leadscore/leadscore/blob/main/"
LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)")
CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)


def outside_pages() -> list[str]:
    """The pages beside docs/, as paths in the repository."""
    return [
        path.relative_to(ROOT).as_posix()
        for pattern in OUTSIDE
        for path in sorted(ROOT.glob(pattern))
    ]


def bend_links(text: str, source: str) -> str:
    """The Markdown of a page with links as they are on the site.

    Args:
        text: the Markdown as it is in the repository.
        source: the page's path in the repository.
    """

    def bend(match: re.Match[str]) -> str:
        folder = posixpath.dirname(source)
        target = posixpath.normpath(posixpath.join(folder, match[1]))
        if not target.startswith(DOCS) and target not in outside_pages():
            return REPOSITORY + target
        page_folder = posixpath.dirname(source.removeprefix(DOCS)) or "."
        return posixpath.relpath(target.removeprefix(DOCS), page_folder)

    parts = CODE.split(text)  # every second one is code
    parts[::2] = [LINK.sub(bend, part) for part in parts[::2]]
    return "".join(parts)


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that live outside docs/."""
    from mkdocs.structure.files import File

    for name in outside_pages():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Bend the links of a page."""
    name = page.file.src_uri
    source = name if name in outside_pages() else DOCS + name
    return bend_links(markdown, source)
