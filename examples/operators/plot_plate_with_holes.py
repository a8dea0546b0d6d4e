"""
How warm does a plate with holes get?
=====================================

Pipes of different temperatures run through a square plate, one to three of them, anywhere. A
:class:`~skdyn.PointCloudOperatorRegressor` learns from solved plates, each a mesh of its own, and
answers for plates that are new; no grid has to fit all of them.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.tri import Triangulation
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve
from scipy.spatial import Delaunay

from skdyn import PointCloudOperatorRegressor
from skdyn.datasets import FieldData

rng = np.random.default_rng(0)

# %%
# A mesh of a plate: points on a grid, moved a little, and points around the holes. Triangles whose
# centers lie in a hole are taken out.

side = np.linspace(0, 1, 13)
grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
rim = (np.abs(grid - 0.5) > 0.499).any(axis=1)
angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
circle = np.column_stack([np.cos(angles), np.sin(angles)])


def draw_holes():
    """Return centers and radii of holes that keep clear of each other and of the rim."""
    while True:
        n = rng.integers(1, 4)
        centers, radii = rng.uniform(0.2, 0.8, (n, 2)), rng.uniform(0.07, 0.13, n)
        gaps = np.linalg.norm(centers[:, None] - centers, axis=2) - radii[:, None] - radii
        if gaps[np.triu_indices(n, 1)].min(initial=1) > 0.08:
            return centers, radii


def make_plate():
    """Return points, triangles, which points are held at a temperature, and that temperature."""
    centers, radii = draw_holes()
    moved = np.where(rim[:, None], grid, grid + rng.uniform(-0.02, 0.02, grid.shape))
    clear = np.linalg.norm(moved[:, None] - centers, axis=2) > radii + 0.03
    inside = moved[clear.all(axis=1)]
    rings = centers[:, None] + radii[:, None, None] * circle
    points = np.concatenate([inside, rings.reshape(-1, 2)])
    cells = Delaunay(points).simplices
    middle = points[cells].mean(axis=1)
    within = np.linalg.norm(middle[:, None] - centers, axis=2) < radii
    corners = points[cells]
    area = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 2
    cells = cells[~within.any(axis=1) & (area > 1e-9)]
    held = np.append(rim[clear.all(axis=1)], np.ones(len(radii) * 16, bool))
    heat = np.repeat(rng.uniform(0.3, 1.0, len(radii)), 16)  # pipes are warm, the rim is cold
    return points, cells, held, np.append(np.zeros(len(inside)), heat)


# %%
# What stands in the plate after long solves Laplace's equation: by finite elements, each triangle
# adds the products of the gradients of its three corners.


def solve(points, cells, held, heat):
    """Return the temperature at each point."""
    corners = points[cells]
    opposite = np.roll(corners, -1, axis=1) - np.roll(corners, 1, axis=1)
    area = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 2
    stiff = opposite @ opposite.swapaxes(1, 2) / (4 * area[:, None, None])
    rows, columns = np.repeat(cells, 3, axis=1), np.tile(cells, 3)
    shape = (len(points), len(points))
    A = coo_array((stiff.ravel(), (rows.ravel(), columns.ravel())), shape=shape).tocsr()
    answer = heat.copy()
    answer[~held] = spsolve(A[~held][:, ~held], -A[~held][:, held] @ heat[held])
    return answer


plates = [make_plate() for _ in range(150)]
points, cells, held, heat = zip(*plates, strict=True)
X = FieldData.from_meshes(points, cells, heat)  # which points are of the edge the mesh tells
y = X.with_values(np.concatenate([solve(*plate) for plate in plates]))

# %%
# Learned from 120 plates, asked of 30.

model = PointCloudOperatorRegressor(hidden_channels=24, max_iter=15, random_state=0)
model.fit(X[:120], y[:120])
answers = model.predict(X[120:])
off = [np.linalg.norm(a.values - b.values) for a, b in zip(answers, y[120:], strict=True)]
size = [np.linalg.norm(b.values) for b in y[120:]]
print(f"relative error of new plates {np.mean(np.divide(off, size)):.3f}")

# %%
# One of one hole, one of three: the solution and how far the answer is off.

n_holes = [(one.sum() - rim.sum()) // 16 for one in held[120:]]
figure, axes = plt.subplots(2, 2, figsize=(7, 6), layout="constrained", sharex=True, sharey=True)
for (left, right), case in zip(axes, [n_holes.index(1), n_holes.index(3)], strict=True):
    mesh = Triangulation(*points[120 + case].T, cells[120 + case])
    truth, answer = y[120 + case].values[:, 0], answers[case].values[:, 0]
    for ax, values, title in [
        (left, truth, "temperature"),
        (right, np.abs(answer - truth), "error of the answer"),
    ]:
        drawn = ax.tripcolor(mesh, values, shading="gouraud")
        figure.colorbar(drawn, ax=ax)
        ax.set(title=title, aspect="equal")
plt.show()
