"""Figures as ratios in one run; `python -m benchmarks` prints a table."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the program's workers; read when numpy is loaded
