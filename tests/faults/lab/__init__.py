"""What the fault tests are done with: machines, cables, clocks and disks that fail on purpose, and the account."""
