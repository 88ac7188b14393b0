"""Stop what `make up` has started, and nothing else: make down."""

from __future__ import annotations

from stack import stop_stack

if __name__ == "__main__":
    for name in stop_stack():
        print(f"stopped: {name}")
