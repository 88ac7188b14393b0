"""One lead at a time: an HTTP service, and a server of tools for agents."""
