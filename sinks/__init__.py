"""Writing and reading the store."""
