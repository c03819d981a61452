"""Whether one run was faster or slower than another, and how sure that is. `compare.py` is where to begin."""
