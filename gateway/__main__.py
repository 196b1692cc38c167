"""`python -m gateway` is `shuqiao`."""

from gateway.cli import main

main()
