"""Tests of the demo target."""
