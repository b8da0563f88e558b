"""Transform + assign with scikit-learn: log1p, StandardScaler and KMeans as one Pipeline, under the same
fitted values. Reads a description as JSON from standard input, prints figures as JSON."""

import json
import sys
import time

import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

about = json.load(sys.stdin)
shape = (about["rows"], about["columns"])
X = np.fromfile(about["data"], dtype=np.float64).reshape(shape)
labels = np.fromfile(about["labels"], dtype=np.uint8)

pipeline = Pipeline(
    [
        ("log1p", FunctionTransformer(np.log1p)),
        ("standard", StandardScaler()),
        ("kmeans", KMeans(len(about["centers"]), n_init=1, max_iter=1)),
    ]
)
# Fitted on a few rows for the attributes to be there, then given the model's own values.
pipeline.fit(X[:1000])
pipeline["standard"].mean_ = np.array(about["means"])
pipeline["standard"].scale_ = np.array(about["scales"])
pipeline["kmeans"].cluster_centers_ = np.array(about["centers"], dtype=np.float64)


def seconds(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


batches = [seconds(lambda: pipeline.predict(X)) for _ in range(about["repeat"])]
singles = [seconds(lambda i=i: pipeline.predict(X[i : i + 1])) for i in range(300)]
json.dump(
    {
        "version": sklearn.__version__,
        "batchSeconds": batches,
        "singleSeconds": float(np.median(singles)),
        "otherLabels": int((pipeline.predict(X) != labels).sum()),
    },
    sys.stdout,
)
