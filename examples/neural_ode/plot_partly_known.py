"""
What if half of the equation is known?
======================================

A pendulum falls back by gravity: that much is known, up to a constant. How the air slows it down is
not. The formula goes in as text with its constant to be fitted, a network learns what it leaves,
and what the network has learned can be looked at, until the law is whole.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import solve_ivp

from skdyn import NeuralODE

rng = np.random.default_rng(0)
t = np.linspace(0, 6, 61)


def swing(start):
    """Solve x'' = -2 sin x - 0.4 x' |x'|."""

    def moves(s, x):
        return [x[1], -2.0 * np.sin(x[0]) - 0.4 * x[1] * abs(x[1])]

    return solve_ivp(moves, (0, 6), start, t_eval=t, rtol=1e-8).y


X = np.stack([swing(start) for start in rng.uniform(-2, 2, (8, 2))])

# %%
# A formula for each channel, in the names of the channels. The velocity of the angle is the second
# channel; of its acceleration only gravity is known.

law = {"known": ["x1", "-g sin(x0)"], "parameters": {"g": 1.0}}
options = {"max_iter": 60, "tol": 1e-3, "random_state": 0}
model = NeuralODE((32,), **law, **options).fit(X, t=t)
print(f"g = {model.parameters_['g']:.3f} (truth 2); R2 {model.score(X, t=t):.5f}")

# %%
# The constant is off: along these swings the drag looks a little like gravity, and what a formula
# can imitate is not left to the network. The field as a whole is right all the same. Where the
# angle is zero gravity does nothing, and the acceleration is the drag, which nobody told the model.

velocity = np.linspace(-2, 2, 81)
states = np.stack([0 * velocity, velocity], axis=1)
drag = model.vector_field(states)[:, 1]
figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.plot(velocity, -0.4 * velocity * np.abs(velocity), lw=5, alpha=0.35, label="truth")
ax.plot(velocity, drag, label="what the network found")
ax.set(xlabel="velocity", ylabel="drag")
ax.legend()
plt.show()

# %%
# It looks like a square with a sign. With that in the law, next to nothing is left to the network,
# and the constants are those of the pendulum.

law = {"known": ["x1", "-g sin(x0) - d x1 Abs(x1)"], "parameters": {"g": 1.0, "d": 0.0}}
whole = NeuralODE((32,), **law, **options).fit(X, t=t)
print(", ".join(f"{name} = {value:.3f}" for name, value in whole.parameters_.items()))

left_over = {"part of the law": drag, "whole law": whole.vector_field(states)[:, 1]}
figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for name, values in left_over.items():
    ax.plot(velocity, values + 0.4 * velocity * np.abs(velocity), label=name)
ax.set(xlabel="velocity", ylabel="error of the drag")
ax.legend()
plt.show()
