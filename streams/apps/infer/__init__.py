"""The `infer` app: events in, rows and state out."""
