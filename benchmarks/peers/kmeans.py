"""k-means with scikit-learn, and with faiss where it is installed. Reads a description as JSON from standard input,
prints figures as JSON."""

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


def timed(work):
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def exact_inertia(found):
    """Of all rows, in double precision: libraries sum in their own ways."""
    total = 0.0
    for start in range(0, len(X), 100_000):
        block = X[start : start + 100_000].astype(np.float64)
        squares = ((block[:, None, :] - found.astype(np.float64)[None]) ** 2).sum(axis=2)
        total += squares.min(axis=1).sum()
    return float(total)


def steps(iterations):
    return timed(lambda: KMeans(k, init=centers, n_init=1, max_iter=iterations, tol=0).fit(X))


KMeans(k, n_init=1, random_state=0).fit(X[:1000])
starts = [timed(lambda seed=seed: KMeans(k, n_init=1, random_state=seed).fit(X)) for seed in range(10)]
best = min((model for _, model in starts), key=lambda model: model.inertia_)
one = [steps(1)[0] for _ in range(about["repeat"])]
many = [steps(1 + about["iterations"]) for _ in range(about["repeat"])]
batches = [timed(lambda seed=seed: MiniBatchKMeans(k, random_state=seed, n_init=3).fit(X)) for seed in range(3)]
figures = {
    "version": sklearn.__version__,
    "startSeconds": [seconds for seconds, _ in starts],
    "bestInertia": exact_inertia(best.cluster_centers_),
    "iterationSeconds": (np.median([seconds for seconds, _ in many]) - np.median(one)) / about["iterations"],
    "iterationInertia": float(many[0][1].inertia_),
    "miniBatch": {
        "seconds": [seconds for seconds, _ in batches],
        "inertia": min(exact_inertia(model.cluster_centers_) for _, model in batches),
    },
}
try:
    import faiss
except ImportError:
    figures["faiss"] = None
else:
    def faiss_fit(seed):
        model = faiss.Kmeans(about["columns"], k, niter=25, seed=seed, max_points_per_centroid=len(X))
        model.train(X)
        return model.centroids

    runs = [timed(lambda seed=seed: faiss_fit(seed)) for seed in range(1, 4)]
    figures["faiss"] = {
        "version": faiss.__version__,
        "seconds": [seconds for seconds, _ in runs],
        "inertia": min(exact_inertia(found) for _, found in runs),
    }
json.dump(figures, sys.stdout)
