"""`python -m flows.cli`: the same as `coursera-sync`."""

from flows.cli import main

main()
