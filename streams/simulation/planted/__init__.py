"""Event logs of any size from planted tie qualities, with the truth beside them: docs/simulating.md."""
