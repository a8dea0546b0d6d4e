"""Hopfield networks: memories that are looked up by content.

A memory holds patterns :math:`x_1, \\dots, x_K`. A state :math:`\\xi` is compared with all of them,
and moves to a mean of those that are like it,

.. math:: \\xi \\leftarrow \\sum_k p_k x_k, \\qquad p = \\nabla\\Omega^*(\\beta X \\xi),
    \\qquad E(\\xi) = -\\tfrac{1}{\\beta} \\Omega^*(\\beta X \\xi) + \\tfrac12 \\lVert\\xi\\rVert^2,

which never raises the energy :math:`E`. With the separation :math:`\\Omega^*` = log-sum-exp, one
update is the attention of transformers [1]_; other separations give weights that are exactly zero
for most patterns [2]_.

References
----------
.. [1] Hubert Ramsauer et al., "Hopfield Networks is All You Need", ICLR 2021.
.. [2] Saul Santos, Vlad Niculae, Daniel McNamee, André Martins, "Hopfield-Fenchel-Young Networks:
   A Unified Framework for Associative Memory Retrieval", arXiv:2411.08590, 2024.
"""

from skdyn.hopfield._bag_transformer import BagTransformer
from skdyn.hopfield._classifier import HopfieldClassifier
from skdyn.hopfield._forecaster import HopfieldForecaster
from skdyn.hopfield._hebbian import DenseHebbianClassifier
from skdyn.hopfield._imputer import HopfieldImputer
from skdyn.hopfield._index import FaissIndex
from skdyn.hopfield._interactions import PolynomialInteraction
from skdyn.hopfield._long_tables import bags_from_table
from skdyn.hopfield._memory import HopfieldMemory
from skdyn.hopfield._outlier_detector import HopfieldOutlierDetector
from skdyn.hopfield._pooling_classifier import HopfieldPoolingClassifier
from skdyn.hopfield._pooling_regressor import HopfieldPoolingRegressor
from skdyn.hopfield._regressor import HopfieldRegressor
from skdyn.hopfield._separations import EntmaxSeparation, TopKSeparation
from skdyn.hopfield._sequence_memory import SequenceMemory

__all__ = [
    "BagTransformer",
    "DenseHebbianClassifier",
    "EntmaxSeparation",
    "FaissIndex",
    "HopfieldClassifier",
    "HopfieldForecaster",
    "HopfieldImputer",
    "HopfieldMemory",
    "HopfieldOutlierDetector",
    "HopfieldPoolingClassifier",
    "HopfieldPoolingRegressor",
    "HopfieldRegressor",
    "PolynomialInteraction",
    "SequenceMemory",
    "TopKSeparation",
    "bags_from_table",
]
