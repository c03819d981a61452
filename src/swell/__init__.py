"""swell: load tests in plain blocking Python."""
