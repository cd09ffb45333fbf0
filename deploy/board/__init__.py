"""The board: the dashboards of `deploy.dashboards` as pages of our own, for where no Grafana runs."""
