"""Kernels of wide networks (NNGP, NTK) for scikit-learn, and Student-t processes.

A network with random weights becomes a Gaussian process as its layers widen, and training it by
gradient descent becomes regression with another kernel. Both kernels have closed forms
(:class:`NNGPKernel`, :class:`NTKKernel`), so that a network without end of width is fitted in one
solve, by scikit-learn's estimators that take kernels:

- **smooth functions, some hundred rows**: ``GaussianProcessRegressor`` with
  ``NNGPKernel(activation="erf")`` or ``"sin"``, which compete with the RBF kernel;
- **tables**: ``SVC``, ``KernelRidge`` or ``GaussianProcessClassifier`` with ``activation="relu"``;
- **few rows of unknown scale**: :class:`StudentTProcessRegressor`, a Gaussian process that does not
  take its own scale for known, with any kernel.
"""

from skdyn.kernels._nngp import NNGPKernel
from skdyn.kernels._ntk import NTKKernel
from skdyn.kernels._student_t import StudentTProcessRegressor

__all__ = ["NNGPKernel", "NTKKernel", "StudentTProcessRegressor"]
