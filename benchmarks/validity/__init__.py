"""Does it measure what it says? Studies on simulated work whose truth is known: docs/validity.md."""

import os

# Before numpy: its matrices are small here, and threads that wait for each other cost twenty times their work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
