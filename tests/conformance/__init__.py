"""One suite per port, run by every backend of it."""
