"""The sandbox's Coursera for Business."""

from sandbox.coursera.options import CourseraOptions
from sandbox.coursera.state import Coursera

__all__ = ["Coursera", "CourseraOptions"]
