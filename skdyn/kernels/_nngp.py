"""The kernel of a wide network with random weights."""

from skdyn.kernels._wide_network import WideNetworkKernel

__all__ = ["NNGPKernel"]


class NNGPKernel(WideNetworkKernel):
    """Covariance of wide networks with random weights (neural network Gaussian process).

    A network whose weights are drawn at random is a random function; the wider its layers, the
    closer it is to a Gaussian process [1]_ with the covariance [2]_

    .. math:: K^0(x, x') = b + \\frac{w}{d} x^\\top x', \\qquad
        K^{l+1}(x, x') = b + w \\, E[\\phi(u) \\phi(v)], \\qquad (u, v) \\sim
        N\\bigl(0, K^l \\text{ of } x \\text{ and } x'\\bigr),

    in closed form for relu [3]_, erf [4]_ and sin [5]_. It is a kernel object of scikit-learn: for
    ``GaussianProcessRegressor`` and ``GaussianProcessClassifier``, which choose the variances by
    the marginal likelihood, for ``KernelRidge`` and ``SVC``, and in sums and products with others.

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
    NTKKernel : What such a network becomes when gradient descent trains all of its layers.

    Notes
    -----
    Columns should be of one scale, as for any kernel: put a ``StandardScaler`` before it. One
    hidden layer of sines with large ``bias_var`` is an RBF kernel, up to its constant.

    References
    ----------
    .. [1] R. M. Neal, "Bayesian Learning for Neural Networks", Springer, 1996.
    .. [2] J. Lee, Y. Bahri, R. Novak, S. S. Schoenholz, J. Pennington, J. Sohl-Dickstein, "Deep
       Neural Networks as Gaussian Processes", ICLR 2018.
    .. [3] Y. Cho, L. K. Saul, "Kernel Methods for Deep Learning", NIPS 2009.
    .. [4] C. K. I. Williams, "Computing with Infinite Networks", NIPS 1996.
    .. [5] T. Pearce, R. Tsuchida, M. Zaki, A. Brintrup, A. Neely, "Expressive Priors in Bayesian
       Neural Networks: Kernel Combinations and Periodic Functions", UAI 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.gaussian_process import GaussianProcessRegressor
    >>> from skdyn.kernels import NNGPKernel
    >>> X = np.random.default_rng(0).uniform(-1, 1, (80, 2))
    >>> y = np.exp(X[:, 0]) * X[:, 1]
    >>> kernel = NNGPKernel(activation="erf", input_var=[1.0, 1.0])
    >>> model = GaussianProcessRegressor(kernel, alpha=1e-8, normalize_y=True).fit(X[:60], y[:60])
    >>> bool(model.score(X[60:], y[60:]) > 0.999)
    True
    """

    _with_tangent = False
