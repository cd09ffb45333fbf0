"""What the dashboards show, defined once: rendered for Grafana (`deploy.grafana`) and on the board (`deploy.board`)."""
