"""What Coursera holds: programs, contents, learners, enrollment reports; seeded or made by hand."""

from sandbox.world.model import Showcase, Sizes, World
from sandbox.world.people import Learner

__all__ = ["Learner", "Showcase", "Sizes", "World"]
