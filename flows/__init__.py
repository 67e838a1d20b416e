"""The jobs people run, and the command that runs them."""
