"""Several servers that are one chat, real ones: what people saw, checked; faults, at random."""
