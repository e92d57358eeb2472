"""A world under one seed: whole servers, people on every wire, the disk, the clock, the network.

`python -m tests.world --seed 7 --steps 100000` runs it; see `--help`.
"""
