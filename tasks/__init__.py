"""The steps of a run, as Prefect tasks around plain functions."""
