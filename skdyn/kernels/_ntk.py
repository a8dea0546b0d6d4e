"""The kernel of a wide network in training."""

from skdyn.kernels._wide_network import WideNetworkKernel

__all__ = ["NTKKernel"]


class NTKKernel(WideNetworkKernel):
    """Kernel of wide networks that gradient descent trains (neural tangent kernel).

    The gradients of a network's output by all its weights have, the wider its layers, the same
    products for any pair of rows, whatever the weights and however long they were trained [1]_:

    .. math:: \\Theta^0 = K^0, \\qquad \\Theta^{l+1}(x, x') = K^{l+1}(x, x') +
        \\Theta^l(x, x') \\, w \\, E[\\phi'(u) \\phi'(v)],

    with the kernels K of :class:`NNGPKernel`. To train such a network to the end is regression with
    this kernel: ``KernelRidge(kernel=NTKKernel(), alpha=1e-6)`` is a network without end of width,
    in one solve. It is a kernel object of scikit-learn, as :class:`NNGPKernel` is.

    Parameters
    ----------
    depth : int, default=1
        Number of hidden layers.
    activation : {"relu", "erf", "sin"}, default="relu"
        Function of the hidden nodes. "relu" makes functions with kinks everywhere, which suits
        tables; "erf" smooth ones that level off; "sin" smooth ones that keep waving, as those of
        an RBF kernel do.
    weight_var : float, default=2.0
        Variance of the weights of each layer, times the number of its inputs.
    bias_var : float, default=1.0
        Variance of the biases of each layer. Zero is a network without biases, and stays zero.
    input_var : float, array-like of shape (n_features,) or None, default=None
        Variance of the first layer's weights, times the number of columns, where it is not that of
        the others. It says how fast functions vary; one number for each column finds out which
        columns matter (ARD). None is ``weight_var``.
    weight_var_bounds : pair of floats or "fixed", default=(1e-05, 100000.0)
        Between what a Gaussian process may choose it.
    bias_var_bounds : pair of floats or "fixed", default=(1e-05, 100000.0)
        Between what a Gaussian process may choose it.
    input_var_bounds : pair of floats, array or "fixed", default=(1e-05, 100000.0)
        Between what a Gaussian process may choose it; an array has a pair for each column.

    See Also
    --------
    NNGPKernel : The same network before training, or with its last layer trained alone.

    Notes
    -----
    Columns should be of one scale, as for any kernel: put a ``StandardScaler`` before it.

    References
    ----------
    .. [1] A. Jacot, F. Gabriel, C. Hongler, "Neural Tangent Kernel: Convergence and Generalization
       in Neural Networks", NeurIPS 2018.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from skdyn.kernels import NTKKernel
    >>> model = make_pipeline(StandardScaler(), SVC(kernel=NTKKernel()))
    >>> search = GridSearchCV(model, {"svc__kernel__depth": [1, 3], "svc__C": [1, 10]}, cv=5)
    >>> bool(search.fit(*load_iris(return_X_y=True)).best_score_ > 0.95)
    True
    """

    _with_tangent = True
