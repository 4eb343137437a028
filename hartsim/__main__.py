"""`python -m hartsim` is the `hartsim` command."""

from hartsim.cli import main

main()
