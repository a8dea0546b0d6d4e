"""
How much may be missing?
========================

Real records have gaps: sensors are read at odd times, channels fail one by one. A neural ODE does
not mind, since it has a state at every time. We lose up to seventy percent of the values of a
damped oscillation, observed at random times that differ from case to case, and ask what remains of
the law.
"""

import matplotlib.pyplot as plt
import numpy as np

from skdyn import NeuralODE
from skdyn.datasets import make_damped_oscillator
from skdyn.inspection import TrajectoryDisplay

options = {"n_cases": 8, "n_timepoints": 50, "t_span": (0.0, 15.0), "random_state": 0}
truth, t_truth = make_damped_oscillator(**options)

# %%
# NaN marks what is missing; ``t`` has one row for each case. Nothing has to be filled in.

shares, scores, models = [0.0, 0.3, 0.6, 0.7], [], {}
for missing in shares:
    X, t = make_damped_oscillator(irregular=True, noise=0.05, missing=missing, **options)
    models[missing] = NeuralODE((32,), max_iter=60, tol=1e-3, random_state=0).fit(X, t=t)
    scores.append(models[missing].score(truth, t=t_truth))
    print(f"{missing:.0%} missing: {np.isfinite(X).sum()} values, R2 on the truth {scores[-1]:.4f}")

# %%
# What the model had to go by with sixty percent missing, in one case, and what it made of it. The
# curve starts at the first time at which both channels happened to be read.

X, t = make_damped_oscillator(irregular=True, noise=0.05, missing=0.6, **options)
case = int(np.argmax(np.isfinite(X).all(axis=1).sum(axis=1)))
figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
TrajectoryDisplay.from_estimator(models[0.6], X, t=t, case=case, ax=axes[0])
axes[0].plot(t_truth, truth[case].T, "k:", lw=1)
axes[1].plot([f"{share:.0%}" for share in shares], scores, "o-")
axes[1].set(xlabel="missing", ylabel="R2 on the truth", ylim=(min(0.9, *scores), 1.005))

plt.show()
