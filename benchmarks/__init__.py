"""Figures as ratios in one run; `python -m benchmarks` prints a table."""
