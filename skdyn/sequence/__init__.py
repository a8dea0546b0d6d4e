"""Labeled series: features of what happened when, and models that learn from them.

A series is a path through its channels, of straight lines from point to point, so that its times
may be irregular, values missing, and no two series of one length. Transformers make a row of
numbers of a path x with the last time T, for any estimator, and none is trained:

- :class:`SignatureTransformer`: iterated integrals :math:`\\int dx_{i_1} \\cdots dx_{i_k}`, what
  happened in which order;
- :class:`HiPPOTransformer`: projections :math:`\\int x P_n` on Legendre polynomials, the shape of
  each channel;
- :class:`LagTransformer`: :math:`x(T), x(T - h), x(T - 2h), \\dots`;
- :class:`AugmentedCovariance`: covariances of channels and their delays, laid out flat.

Two kinds of models are trained, each a classifier and a regressor:

- :class:`SSMClassifier`, :class:`SSMRegressor`: layers of linear memories
  :math:`\\dot x = A x + B u`, solved exactly from point to point;
- :class:`NeuralCDEClassifier`, :class:`NeuralCDERegressor`: an equation that the path drives,
  :math:`dz = f_\\theta(z)\\, dX`.

:func:`signature_kernel` multiplies signatures without end of depth, for kernel methods, and
:func:`series_from_frame` reads series from frames of pandas.
"""

from skdyn.sequence._augmented_covariance import AugmentedCovariance
from skdyn.sequence._cde_classifier import NeuralCDEClassifier
from skdyn.sequence._cde_regressor import NeuralCDERegressor
from skdyn.sequence._frames import series_from_frame
from skdyn.sequence._hippo_transformer import HiPPOTransformer
from skdyn.sequence._lag_transformer import LagTransformer
from skdyn.sequence._signature_kernel import signature_kernel
from skdyn.sequence._signature_transformer import SignatureTransformer
from skdyn.sequence._ssm_classifier import SSMClassifier
from skdyn.sequence._ssm_regressor import SSMRegressor

__all__ = [
    "AugmentedCovariance",
    "HiPPOTransformer",
    "LagTransformer",
    "NeuralCDEClassifier",
    "NeuralCDERegressor",
    "SSMClassifier",
    "SSMRegressor",
    "SignatureTransformer",
    "series_from_frame",
    "signature_kernel",
]
