"""`python -m handful`: the command line, as launchers such as torchrun start it."""

from handful.cli import main

main()
