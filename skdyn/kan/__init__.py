"""Kolmogorov-Arnold networks.

A perceptron has fixed functions at its nodes and learns weights on its edges; a Kolmogorov-Arnold
network has sums at its nodes and learns a function on every edge [1]_,

.. math:: x^{(l+1)}_j = b_j + \\sum_i \\phi_{ij}(x^{(l)}_i), \\qquad
    \\phi(x) = w \\, \\mathrm{silu}(x) + \\sum_k c_k B_k(x),

with B-splines or other functions :math:`B_k` (:mod:`skdyn.kan.bases`), and, where asked for, nodes
that multiply two such sums [2]_. An edge can be looked at, cut out, or called by its name:

- **tables**: :class:`KANRegressor` and :class:`KANClassifier` with their defaults;
- **formulas**: few nodes, a growing list of ``grid_sizes`` and ``optimizer="lm"``:
  Levenberg-Marquardt in float64, whose penalties on curvature and weights the data set themselves
  [3]_, follows exact data to errors of 1e-7 and does not follow noise;
- **reading**: ``lamb`` leaves few edges, ``prune`` cuts out the others, ``auto_symbolic`` finds the
  names of those that stay, ``formula`` is the expression with its constants fitted to the data.

References
----------
.. [1] Ziming Liu et al., "KAN: Kolmogorov-Arnold Networks", ICLR 2025.
.. [2] Z. Liu, P. Ma, Y. Wang, W. Matusik, M. Tegmark, "KAN 2.0: Kolmogorov-Arnold Networks Meet
   Science", arXiv:2408.10205, 2024.
.. [3] F. D. Foresee, M. T. Hagan, "Gauss-Newton Approximation to Bayesian Learning",
   International Conference on Neural Networks, 1997.
"""

from skdyn.kan._classifier import KANClassifier
from skdyn.kan._regressor import KANRegressor

__all__ = ["KANClassifier", "KANRegressor"]
