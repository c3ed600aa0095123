"""Distil a big English–Chinese translator into one that runs with no network."""

__version__ = "0.1.0"
