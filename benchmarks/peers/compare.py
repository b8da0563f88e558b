"""One fit of every clustering algorithm that scikit-learn shares with Strata. Reads a description as JSON from standard
input, prints figures as JSON."""

import json
import sys
import time

import numpy as np
import sklearn
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, Birch, KMeans, MiniBatchKMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

about = json.load(sys.stdin)
k = about["k"]
# One column after the other, as Strata stores them.
X = np.ascontiguousarray(np.fromfile(about["data"], dtype=np.float32).reshape(about["columns"], about["rows"]).T)
groups = np.fromfile(about["groups"], dtype=np.uint8)

ESTIMATORS = {
    "KMeans": lambda rows: KMeans(k, n_init=10, random_state=0),
    "MiniBatchKMeans": lambda rows: MiniBatchKMeans(k, n_init=3, random_state=0),
    "AgglomerativeClustering": lambda rows: AgglomerativeClustering(k, linkage="ward"),
    "Birch": lambda rows: Birch(n_clusters=k),
    "GaussianMixture diag": lambda rows: GaussianMixture(k, covariance_type="diag", random_state=0),
    "GaussianMixture full": lambda rows: GaussianMixture(k, covariance_type="full", random_state=0),
    "HDBSCAN": lambda rows: HDBSCAN(min_cluster_size=max(5, int(0.02 * rows)), copy=True),
}


def measured(task):
    rows = np.arange(len(X)) if task["rows"] is None else np.array(task["rows"])
    own = X[rows]
    seconds = []
    for _ in range(about["repeat"]):
        estimator = ESTIMATORS[task["estimator"]](len(rows))
        started = time.perf_counter()
        labels = estimator.fit_predict(own)
        seconds.append(time.perf_counter() - started)
    return {"seconds": seconds, "adjustedRand": float(adjusted_rand_score(groups[rows], labels))}


json.dump(
    {
        "version": sklearn.__version__,
        "candidates": {task["name"]: measured(task) for task in about["tasks"]},
    },
    sys.stdout,
)
