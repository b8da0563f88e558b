"""k-means of all rows from given centres with scikit-learn, whole and by small batches. Reads a description as JSON from
standard input, prints figures as JSON."""

import json
import sys
import time

import numpy as np
import sklearn
from sklearn.cluster import KMeans, MiniBatchKMeans

about = json.load(sys.stdin)
k = about["k"]
# One column after the other, as Strata stores them.
X = np.ascontiguousarray(np.fromfile(about["data"], dtype=np.float32).reshape(about["columns"], about["rows"]).T)
centers = np.array(about["centers"], dtype=np.float32).reshape(k, -1)


def exact_inertia(found):
    """Of all rows, in double precision."""
    total = 0.0
    for start in range(0, len(X), 100_000):
        block = X[start : start + 100_000].astype(np.float64)
        squares = ((block[:, None, :] - found.astype(np.float64)[None]) ** 2).sum(axis=2)
        total += squares.min(axis=1).sum()
    return float(total)


def measured(make):
    seconds = []
    make().fit(X[:10_000])
    for _ in range(about["repeat"]):
        started = time.perf_counter()
        model = make().fit(X)
        seconds.append(time.perf_counter() - started)
    return {"seconds": seconds, "inertia": exact_inertia(model.cluster_centers_)}


figures = {
    "version": sklearn.__version__,
    "kMeans": measured(lambda: KMeans(k, init=centers, n_init=1)),
    "miniBatch": measured(lambda: MiniBatchKMeans(k, init=centers, n_init=1, random_state=0)),
}
json.dump(figures, sys.stdout)
