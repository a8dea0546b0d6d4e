"""Checks of the installed package: ``pytest --pyargs skdyn``."""
