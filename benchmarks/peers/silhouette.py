"""The exact silhouette with scikit-learn. Reads a description as JSON from standard input, prints figures as
JSON."""

import json
import resource
import sys
import time

import numpy as np
import sklearn
from sklearn.metrics import silhouette_score

about = json.load(sys.stdin)
# One column after the other, as Strata stores them.
X = np.ascontiguousarray(np.fromfile(about["data"], dtype=np.float32).reshape(about["columns"], about["rows"]).T)
labels = np.fromfile(about["labels"], dtype=np.uint8)


def kilobytes():
    """Peak resident memory of this process: kilobytes on Linux, bytes on macOS."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)


before = kilobytes()
seconds = []
for _ in range(about["repeat"]):
    started = time.perf_counter()
    mean = silhouette_score(X, labels)
    seconds.append(time.perf_counter() - started)
json.dump(
    {
        "version": sklearn.__version__,
        "seconds": seconds,
        "mean": float(mean),
        "megabytes": (kilobytes() - before) / 1024,
    },
    sys.stdout,
)
