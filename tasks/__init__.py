"""The steps of a run, as Prefect tasks around plain functions."""

from tasks.runtime.memory import configure_allocator

configure_allocator()
