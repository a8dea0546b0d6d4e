"""
What happens under inputs never seen?
=====================================

A machine is pushed about while its position and velocity are recorded, and the question is what it
will do under other pushes. A model of states alone cannot tell; one that is given the inputs
learns how they act. The machine here is a Duffing oscillator, :math:`x'' = -0.3 x' - x - x^3 + u`,
under random forces.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import solve_ivp

from skdyn import NeuralODE

rng = np.random.default_rng(0)
t = np.linspace(0, 8, 81)


def record(force):
    """Solve the equation under straight lines between the values of a force."""

    def spring(s, x):
        return [x[1], -0.3 * x[1] - x[0] - x[0] ** 3 + np.interp(s, t, force)]

    return solve_ivp(spring, (0, 8), [0.0, 0.0], t_eval=t, max_step=0.1).y


def random_force():
    """Straight lines through random values each half time unit."""
    return np.interp(t, np.arange(0, 8.5, 0.5), rng.normal(0, 1.5, 17))


U = np.stack([[random_force()] for _ in range(10)])
X = np.stack([record(u[0]) for u in U])

# %%
# The inputs come as ``u``, in the layout of ``X``: cases, channels, times.

model = NeuralODE((32,), max_iter=60, tol=1e-3, random_state=0).fit(X, t=t, u=U)
print(f"R2 on the training data: {model.score(X, t=t, u=U):.4f}")

# %%
# A push of another kind: silence, a step, and a sine that grows.

force = np.where(t < 1, 0.0, np.where(t < 4, 1.5, 0.5 * (t - 4) * np.sin(4 * t)))
truth = record(force)
foretold = model.simulate([0.0, 0.0], t, u=force)
error = np.mean((foretold.T - truth) ** 2) / truth.var()
print(f"mean squared error under the new force: {error:.1e} of the variance")

figure, axes = plt.subplots(2, 1, figsize=(8, 5), sharex=True, layout="constrained")
axes[0].plot(t, force, color="0.4")
axes[0].set(ylabel="force")
axes[1].plot(t, truth[0], label="truth", lw=4, alpha=0.4)
axes[1].plot(t, foretold[:, 0], label="foretold")
axes[1].plot(t, model.simulate([0.5, 0.0], t, u=0 * t)[:, 0], ":", label="left alone from 0.5")
axes[1].set(xlabel="time", ylabel="position")
axes[1].legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()
