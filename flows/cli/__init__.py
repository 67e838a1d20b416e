"""The command line: `main` is what `coursera-sync` starts."""

from flows.cli.app import main

__all__ = ["main"]
