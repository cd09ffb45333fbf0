"""`python -m deploy.cli` is `tieline`."""

from deploy.cli import main

main()
