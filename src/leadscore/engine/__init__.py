"""Where SQL runs. Other rooms see the `Engine` protocol only."""

from leadscore.engine.protocol import Engine

__all__ = ["Engine"]
