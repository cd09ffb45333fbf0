"""Running Tieline."""
