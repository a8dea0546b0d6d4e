"""
Which features tell irregular series apart?
===========================================

Two hundred patients with a pulse and a breathing rate, measured when somebody came by: at times of
their own, not always both, for as long as they stayed. In some the breathing follows the pulse, in
some it is the other way round; and some go through their waves faster than others. What is a good
description of such a series is a question for a grid search, as anything else in a pipeline is.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skdyn import (
    AugmentedCovariance,
    HiPPOTransformer,
    LagTransformer,
    SignatureTransformer,
)


def patient(rng, pulse_leads, fast):
    """Measure two waves, one of which follows the other by an hour."""
    t = np.sort(rng.uniform(0, rng.uniform(8, 16), rng.integers(25, 50)))  # hours
    lag = np.array([0.0, 1.0] if pulse_leads else [1.0, 0.0])[:, None]
    phase, pace = rng.uniform(0, 6, 2), rng.uniform(0.9, 1.1) * (1.5 if fast else 1.0)
    waves = sum(np.sin(k * pace * (t - lag) + phase[k - 1]) for k in (1, 2))
    values = np.array([[80.0], [15.0]]) + np.array([[8.0], [2.0]]) * waves
    values += rng.normal(size=values.shape) * [[2.0], [0.5]]
    values[rng.random(values.shape) < 0.3] = np.nan
    return values, t


rng = np.random.default_rng(0)
y = np.arange(200) % 4
X, t = zip(*(patient(rng, label % 2, label > 1) for label in y), strict=True)

figure, axes = plt.subplots(2, 2, figsize=(9, 4.5), sharex="col", layout="constrained")
for case, column in enumerate(axes.T):
    for ax, channel, name in zip(column, X[case], ["pulse", "breaths"], strict=True):
        ax.plot(t[case], channel, "o", ms=4)
        ax.set(ylabel=f"{name} a minute")
    column[0].set(title=["breathing leads", "pulse leads"][case] + ", slow waves")
    column[1].set(xlabel="hours")

# %%
# Series go into ``fit`` as a list, with their times beside them. A pipeline hands the times on
# where a step requests them, and cuts them into folds as it cuts the series.

sklearn.set_config(enable_metadata_routing=True)


def timed(transformer):
    """Request times for a transformer."""
    return transformer.set_fit_request(t=True).set_transform_request(t=True)


candidates = {
    "lags": LagTransformer(20),
    "HiPPO": HiPPOTransformer(16),
    "augmented covariance": AugmentedCovariance(3, step=0.5),
    "signature, order of values alone": SignatureTransformer(augment=("basepoint",)),
    "signature, with times": SignatureTransformer(augment=("time", "basepoint")),
    "signature, with times and lags": SignatureTransformer(),
    "the same to depth 2, of halves": SignatureTransformer(2, window=1),
}
model = Pipeline(
    [
        ("features", timed(SignatureTransformer())),
        ("scale", StandardScaler()),
        ("classify", LogisticRegression(C=0.1, max_iter=1000)),
    ]
)
search = GridSearchCV(model, {"features": [timed(step) for step in candidates.values()]}, cv=5)
parts = train_test_split(X, t, y, test_size=0.3, random_state=0)
X_train, X_test, t_train, t_test, y_train, y_test = parts
search.fit(X_train, y_train, t=t_train)

table = pd.DataFrame(
    {
        "features": [len(step.fit(X, t=t).get_feature_names_out()) for step in candidates.values()],
        "accuracy of folds": search.cv_results_["mean_test_score"].round(3),
    },
    index=list(candidates),
)
print(table.to_string())
print(f"accuracy on new patients: {search.score(X_test, y_test, t=t_test):.3f}")

# %%
# Values and shapes say nothing here, for every patient's waves begin somewhere else. Covariances
# of delayed channels and signatures do not ask where: the first tell who swings with whom and how
# fast, the second who moved first, and with times and lags also at which pace. Without times the
# pace is lost, as it should be: only the order of the values is left.
#
# The times count wherever the model is asked, so that it cannot be asked without.

try:
    search.predict(X_test)
except ValueError as error:
    print(error)

sklearn.set_config(enable_metadata_routing=False)
plt.show()
