"""
Can the law be read from ten percent of noise?
==============================================

Predators and prey chase each other in closed orbits, which Lotka and Volterra's equations describe.
We see twenty such hunts through ten percent of noise and ask :class:`~skdyn.NeuralODE` for the law
behind them: is its field the true one, and do its orbits close?
"""

import matplotlib.pyplot as plt
import numpy as np

from skdyn import NeuralODE
from skdyn.datasets import make_lotka_volterra
from skdyn.inspection import LossCurveDisplay, VectorFieldDisplay

X, t = make_lotka_volterra(n_cases=20, noise=0.1, random_state=0)
model = NeuralODE(random_state=0).fit(X, t=t)
share = model.noise_ / X.std(axis=(0, 2))
print(f"Noise it found: {share[0]:.1%} and {share[1]:.1%} of the channels' deviation.")

# %%
# The learned field, with the noisy observations it was learned from, and how the training went:
# velocities first, then windows of growing length.

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
VectorFieldDisplay.from_estimator(model, X[:8], ax=axes[0])
axes[0].set(xlabel="prey", ylabel="predators")
LossCurveDisplay.from_estimator(model, ax=axes[1])

# %%
# Initial states that it has never seen, and three times the horizon it was trained on. The error is
# measured against the exact equations.

x0 = np.array([[2.0, 1.0], [3.5, 2.0], [4.5, 1.0]])
truth, t_long = make_lotka_volterra(n_timepoints=600, t_span=(0, 30), x0=x0)
predicted = model.predict(x0, t_long)
for states, color in ((truth, "0.7"), (predicted, None)):
    figure = plt.figure(figsize=(5, 4), layout="constrained") if color else figure
    axis = figure.gca()
    for x, y in states:
        axis.plot(x, y, color=color, lw=4 if color else 1)
axis.set(xlabel="prey", ylabel="predators", title="truth (gray) and learned (thin), 30 time units")
for end in (10, 30):
    seen = t_long <= end
    error = np.mean((predicted - truth)[:, :, seen] ** 2) / truth.var()
    print(f"Until t = {end}: mean squared error {error:.2%} of the variance.")

plt.show()
