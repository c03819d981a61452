"""What the counts mean: whether the numbers may be used, how the generator fared, what the exit code is. Pure."""
