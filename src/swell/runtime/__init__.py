"""Runs users in one process: their life cycle, the real clock, the ring that records, the folding of its records."""
