"""The `sink` app: topics in, the store written."""
