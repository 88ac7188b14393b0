"""The figures of the model card and of back-tests, drawn by matplotlib as SVG text."""

import logging

# Otherwise it writes to stderr when it builds its cache of fonts, or has no place to store it.
logging.getLogger("matplotlib").setLevel(logging.ERROR)
