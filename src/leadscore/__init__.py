"""leadscore learns from a company's own history which open leads will be won."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadscore.project.project import Project

__version__ = "0.2.0"
__all__ = ["Project", "__version__"]


def __getattr__(name: str) -> Any:
    """`Project`, imported when it is first asked for, so that `leadscore --version` stays quick."""
    if name == "Project":
        from leadscore.project.project import Project

        return Project
    raise AttributeError(f"module 'leadscore' has no attribute {name!r}")
