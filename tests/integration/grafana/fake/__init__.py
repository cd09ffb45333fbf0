"""A Grafana to push to: keeps state, behaves as Grafana does, and refuses what Grafana's API does not know."""
