"""
A rollout that is told its coefficients
=======================================

Waves of Burgers' equation, each with a viscosity of its own: one state does not tell how fast its
fronts wear off. ``context=`` tells each step the viscosity of its case. The rollouts are compared
with the last value and with a linear step.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import Ridge

from skdyn import AutoregressiveOperator, FNORegressor
from skdyn.datasets import make_burgers
from skdyn.inspection import RolloutDisplay

times = np.linspace(0.0, 0.6, 16)
viscosities = np.geomspace(0.01, 0.1, 24)
trajectories = []
for seed, nu in enumerate(viscosities):
    first, later = make_burgers(3, 48, nu=nu, times=times[1:], random_state=seed)
    trajectories.append(np.concatenate([first[:, None], later], axis=1)[:, None])
X = np.concatenate(trajectories)
nu = np.log(viscosities).repeat(3)[:, None]
test = np.arange(len(X)) % 12 >= 9  # every fourth viscosity is new
print("trajectories (cases, channels, times, points):", X.shape)

# %%
# The same network is told the logarithm of the viscosity, or is not; a linear step is told it, too.

step = FNORegressor(
    12, hidden_channels=16, n_layers=3, periodic=True, max_iter=25, learning_rate=0.01,
    random_state=0,
)  # fmt: skip
told = AutoregressiveOperator(step, target="change").fit(X[~test], context=nu[~test])
untold = AutoregressiveOperator(step, target="change").fit(X[~test])
linear = AutoregressiveOperator(Ridge(1e-3), target="change").fit(X[~test], context=nu[~test])

start, truth = X[test][:, :, 0], X[test][:, :, 1:]
n_steps = truth.shape[2]
rollouts = {
    "last value": start[:, :, None].repeat(n_steps, axis=2),
    "linear step": linear.rollout(start, n_steps, context=nu[test]),
    "network, untold": untold.rollout(start, n_steps),
    "network, told": told.rollout(start, n_steps, context=nu[test]),
}
for name, rolled in rollouts.items():
    wrong = np.linalg.norm(rolled[:, :, -1] - truth[:, :, -1], axis=(1, 2))
    error = np.median(wrong / np.linalg.norm(truth[:, :, -1], axis=(1, 2)))
    print(f"{name}: relative error after {n_steps} steps {error:.3f}")

# %%
# The errors against time, on viscosities that are new; and one start under two viscosities, as the
# network says that it goes on.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for name, rolled in rollouts.items():
    RolloutDisplay.from_predictions(truth, rolled, times=times[1:], name=name, ax=left)

case = start[[-1]]
x = np.arange(case.shape[-1]) / case.shape[-1]
right.plot(x, case[0, 0], color="0.7", label="start")
for value in (0.01, 0.1):
    rolled = told.rollout(case, n_steps, context=[[np.log(value)]])
    right.plot(x, rolled[0, 0, -1], label=f"viscosity {value}")
right.set(xlabel="x", ylabel="u", title=f"time {times[-1]}")
right.legend()
plt.show()
