"""The steps of a run, as Prefect tasks around plain functions."""

from tasks.runtime.memory import be_frugal

be_frugal()
