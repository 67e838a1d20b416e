"""Stateful stand-ins of Coursera for Business and of 360Learning, over real HTTP on loopback."""
