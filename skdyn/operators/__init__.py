"""Operator learning: from functions to functions.

Given pairs of functions :math:`(a_i, u_i)`, a permeability and the pressure it leads to, or a state
and the one a moment later, an operator :math:`G: a \\mapsto u` is learned from their values on a
grid. A Fourier neural operator [1]_ is a network of layers

.. math:: v \\leftarrow \\sigma\\Bigl(W v + b + \\sum_{\\lvert k \\rvert < K} W_k \\hat v_k
    e^{2 \\pi i k \\cdot x}\\Bigr), \\qquad \\hat v_k = \\int v(x) e^{-2 \\pi i k \\cdot x} dx,

whose weights belong to frequencies rather than to points, so that they fit every grid [2]_.

References
----------
.. [1] Zongyi Li et al., "Fourier Neural Operator for Parametric Partial Differential Equations",
   ICLR 2021.
.. [2] Nikola Kovachki et al., "Neural Operator: Learning Maps Between Function Spaces With
   Applications to PDEs", Journal of Machine Learning Research 24, 2023.
"""

from skdyn.operators._autoregressive import AutoregressiveOperator
from skdyn.operators._conformal import ConformalOperatorRegressor
from skdyn.operators._deeponet import DeepONetRegressor
from skdyn.operators._fno import FNORegressor
from skdyn.operators._functional import AdaFNNClassifier, AdaFNNRegressor
from skdyn.operators._kernel_operator import KernelOperatorRegressor
from skdyn.operators._mgno import MgNORegressor
from skdyn.operators._point_cloud import PointCloudOperatorRegressor

__all__ = [
    "AdaFNNClassifier",
    "AdaFNNRegressor",
    "AutoregressiveOperator",
    "ConformalOperatorRegressor",
    "DeepONetRegressor",
    "FNORegressor",
    "KernelOperatorRegressor",
    "MgNORegressor",
    "PointCloudOperatorRegressor",
]
