"""`python -m leadscore.cli`."""

from leadscore.cli import main

main()
