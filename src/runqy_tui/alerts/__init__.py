"""Alert rules: the rule file, alert states, and exports for Prometheus and Grafana."""
