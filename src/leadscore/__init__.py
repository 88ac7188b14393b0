"""leadscore learns from a company's own history which open leads will be won."""

__version__ = "0.2.0"
