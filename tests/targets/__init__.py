"""Real servers that tests use as targets: each started on a free port of loopback, each stopped by its own id."""
