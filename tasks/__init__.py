"""The steps of a run, as Prefect tasks around plain functions."""

from tasks.memory import be_frugal

be_frugal()
