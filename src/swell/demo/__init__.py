"""The embedded target: a small programming-contest site to run a first load test against."""
