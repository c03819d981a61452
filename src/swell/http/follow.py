def next_step(*a): return None
