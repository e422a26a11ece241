"""`python -m tickstream.cli` is the `tickstream` command."""

from tickstream.cli.main import main

main()
