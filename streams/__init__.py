"""Streams: the inference and everything that feeds it."""
