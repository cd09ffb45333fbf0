"""What Tieline costs: events per CPU-second, peak memory, latency. `python -m benchmarks --help`."""
