"""The sandbox's 360Learning: its API v2."""

from sandbox.learning360.options import Learning360Options
from sandbox.learning360.state import LaunchRefusedError, Learning360

__all__ = ["LaunchRefusedError", "Learning360", "Learning360Options"]
