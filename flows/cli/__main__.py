"""`python -m flows.cli`: the same as `coursera-sync`."""

from flows.cli.app import main

main()
