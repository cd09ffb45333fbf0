"""One thread for linear algebra: matrices of effects are small, and threads on a busy machine wait for each other."""

from __future__ import annotations

import os

for _library in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_library, "1")
