"""GitHub: issues, pull requests, comments and reviews."""

from streams.gateway.connectors.github.connector import GitHub

__all__ = ["GitHub"]
