"""Grafana as code: dashboards, alert rules and what they stand on, rendered, exported and pushed."""
