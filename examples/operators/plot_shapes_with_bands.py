"""
How sure is a solution on a shape that is new?
==============================================

Poisson's equation on star-shaped domains, each a cloud of some 150 points of its own. A
:class:`~skdyn.PointCloudOperatorRegressor` learns the solution from the shape, its edge values and
its source; a :class:`~skdyn.ConformalOperatorRegressor` around it holds some shapes back and draws
bands that hold new solutions as often as promised.
"""

import matplotlib.pyplot as plt
import numpy as np

from skdyn import ConformalOperatorRegressor, PointCloudOperatorRegressor
from skdyn.datasets import make_poisson_shapes

X, y = make_poisson_shapes(120, random_state=0)
operator = PointCloudOperatorRegressor(hidden_channels=24, max_iter=12, random_state=0)
model = ConformalOperatorRegressor(operator, confidence=0.8, random_state=0)
model.fit(X[:90], y[:90])

# %%
# Bands of eight of ten new solutions, on every point of a shape at once.

answers = model.predict(X[90:])
low, high = model.predict_interval(X[90:])
within = [
    bool(np.all((a.values <= truth.values) & (truth.values <= b.values)))
    for a, truth, b in zip(low, y[90:], high, strict=True)
]
off = [np.linalg.norm(a.values - b.values) for a, b in zip(answers, y[90:], strict=True)]
size = [np.linalg.norm(truth.values) for truth in y[90:]]
print(f"relative error {np.mean(np.divide(off, size)):.3f}")
print(f"{sum(within)} of {len(within)} solutions lie within their bands everywhere")

# %%
# A new shape: the solution, the answer, and how far off it is, beside the width of the band.

case = 3
truth, answer = y[90 + case], answers[case]
wrong = np.abs(answer.values - truth.values)
half = np.mean(high[case].values - low[case].values) / 2
figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained", sharey=True)
for ax, values, title in zip(
    axes,
    [truth.values, answer.values, wrong],
    ["solution", "answer", f"error; band of ±{half:.2f}"],
    strict=True,
):
    drawn = ax.tripcolor(*truth.coords.T, values[:, 0], shading="gouraud")
    figure.colorbar(drawn, ax=ax)
    ax.set(title=title, aspect="equal")
plt.show()
