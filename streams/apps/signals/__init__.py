"""The `signals` app: says what is worth acting on now, once, and when it has ended."""
