"""A seeded world of two processes, for demonstrations and end-to-end tests; every figure in it is planted."""
