"""Panels as Grafana's JSON. `render.dashboard_json` is the way in."""
