"""The analytics service.

Linear algebra runs on one thread, which has to be said before NumPy is loaded: matrices are small, two threads take ten
times the CPU time, and the last bits of a result would follow from the number of cores.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
