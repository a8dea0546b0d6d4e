"""
Roll Burgers' equation out in time
==================================

A step of time is learned from short pieces of solutions, and applied to its own answers. Two ways
to learn it are compared: the next state, or the change that leads to it.
"""

import matplotlib.pyplot as plt
import numpy as np

from skdyn import AutoregressiveOperator, FNORegressor
from skdyn.datasets import make_burgers
from skdyn.inspection import FieldDisplay, RolloutDisplay

times = np.linspace(0.02, 0.6, 30)
first, later = make_burgers(48, 64, nu=0.01, times=times, random_state=0)
X = np.concatenate([first[:, None], later], axis=1)[:, None]
print("trajectories (cases, channels, times, points):", X.shape)
train, test = X[:40, :, :16], X[40:]

# %%
# The domain is a circle: ``periodic=True`` makes the operator commute with shifts. Training sees
# the first half of the times only.

step = FNORegressor(
    16, hidden_channels=16, n_layers=3, periodic=True, max_iter=10, learning_rate=0.01,
    random_state=0,
)  # fmt: skip
models = {
    target: AutoregressiveOperator(step, target=target).fit(train) for target in ("state", "change")
}
for target, model in models.items():
    print(f"{target}: share of the variance of one step {model.score(test):.5f}")

# %%
# In one step of 0.02 little happens, so that most of what "state" learns is to copy. Rolled out
# from the first state, its errors add up:

ax = None
for target, model in models.items():
    display = RolloutDisplay.from_estimator(
        model, test, times=np.append(0.0, times), name=f"learns the {target}", ax=ax
    )
    ax = display.ax_
ax.axvline(times[14], color="0.7", lw=0.8)

# %%
# One of the test cases after thirty steps, where the training never went:

rolled = models["change"].rollout(test[:, :, 0], 30)
FieldDisplay.from_predictions(test[:, :, 30], rolled[:, :, -1], case=2)
plt.show()
