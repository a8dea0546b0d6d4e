"""Regression and classification of functions."""

from skdyn._tabular import TabularClassifier, TabularRegressor
from skdyn.operators._adaptive_basis import AdaptiveBasisEstimator

__all__ = ["AdaFNNClassifier", "AdaFNNRegressor"]


class AdaFNNClassifier(AdaptiveBasisEstimator, TabularClassifier):
    """Classifier of functions, by integrals that are learned.

    A function is integrated with few functions :math:`\\beta_k`, each a network of the coordinates,
    and a perceptron scores the classes from the integrals [1]_:

    .. math:: c_k(a) = \\int \\beta_k(x) \\cdot a(x)\\, dx, \\qquad \\hat y = h(c_1, \\dots, c_K).

    The integrals are learned for the task, unlike principal components. They are sums over the
    grid, by the trapezoidal rule, so that any grid will do.

    Parameters
    ----------
    n_basis : int, default=8
        Number of functions :math:`\\beta_k`.
    basis_layer_sizes : array-like of int, default=(64, 64)
        Widths of the hidden layers of the network of coordinates.
    hidden_layer_sizes : array-like of int, default=(64,)
        Widths of the hidden layers of the perceptron h.
    orthogonality : float, default=0.0
        Weight of the mean absolute product of two of the functions, beside the loss.
    sparsity : float, default=0.0
        Weight of their mean absolute value, beside the loss; it lets them vanish where they can.
    grid_shape : int, tuple of int or None, default=None
        Grid that the rows of a flat `X` were flattened from; None is one axis, or those of X.
    periodic : bool, default=False
        Whether the last point of each axis is followed by the first.
    resolution : {"resample", "native"}, default="resample"
        How to predict on another grid: interpolate to the training grid, by cubic splines or, if
        periodic, by waves; or integrate on the other grid.
    optimizer : {"adam", "adamw", "sgd", "lbfgs"}, default="adamw"
        Optimizer of the weights. "lbfgs" always uses the full batch.
    max_iter : int, default=200
        Number of epochs at most.
    max_time : float or None, default=None
        Seconds after which training stops with a warning, at the end of an epoch. None sets no
        limit.
    learning_rate : float, default=0.003
        Step size of the optimizer; "lbfgs" finds its own.
    learning_rate_schedule : {"constant", "cosine", "exponential", "one_cycle", "plateau"}, \
            default="cosine"
        How the step size changes over ``max_iter`` epochs. "plateau" divides it by five when the
        loss no longer falls, and stops only when that no longer helps.
    batch_size : int or "auto", default=32
        Cases per batch; "auto" is ``min(200, n_samples)``.
    alpha : float, default=0.1
        Strength of the L2 penalty on the weights; it is divided by the number of samples (the total
        of their weights) when added to the mean loss, as scikit-learn's networks do.
    clip_norm : float or None, default=None
        Largest norm of the gradient; larger gradients are scaled down to it.
    tol : float, default=1e-05
        Smallest decrease of the loss that counts as an improvement.
    early_stopping : bool, default=False
        Whether to stop when the loss on validation data no longer improves, and to keep the weights
        that were best there.
    validation_fraction : float, default=0.1
        Share of the training data set aside for early stopping when ``X_val`` is not given.
    n_iter_no_change : int, default=30
        Epochs without improvement after which training stops.
    warm_start : bool, default=False
        Whether ``fit`` continues from the present weights.
    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, the validation split and the order of the cases. Pass an int
        for the same model every time.
    device : str, default="auto"
        Where to train: "auto" is CUDA where it pays, else the CPU; or a torch device such as "cpu".
    dtype : {"float32", "float64"}, default="float32"
        Precision of the training. Predictions are computed in the precision of their input.
    verbose : int, default=0
        1 prints a tenth of the epochs, 2 every epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of columns of a flat `X`, else of channels.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.
    module_ : torch.nn.Module
        The trained network, on standardized channels.
    n_iter_ : int
        Number of epochs run.
    loss_curve_ : list of float
        Training loss of each epoch.
    validation_scores_ : list of float or None
        Minus the validation loss of each epoch (higher is better).
    best_loss_ : float
        Lowest validation loss, or training loss where nothing was held out.
    device_ : str
        Device the network is on.

    See Also
    --------
    AdaFNNRegressor : The same for numbers.

    References
    ----------
    .. [1] Junwen Yao, Jonas Mueller, Jane-Ling Wang, "Deep Learning for Functional Data Analysis
       with Adaptive Basis Layers", ICML 2021.

    Examples
    --------
    >>> from skdyn import AdaFNNClassifier
    >>> from skdyn.datasets import make_gaussian_random_field
    >>> X = make_gaussian_random_field(200, 32, random_state=0)
    >>> y = abs(X[:, :16].mean(axis=1)) > 0.4
    >>> model = AdaFNNClassifier(n_basis=4, max_iter=40, learning_rate=0.02, random_state=0)
    >>> model.fit(X[:150], y[:150]).score(X[150:], y[150:]) > 0.9
    True
    """


class AdaFNNRegressor(AdaptiveBasisEstimator, TabularRegressor):
    """Regressor of numbers on functions, by integrals that are learned.

    A function is integrated with few functions :math:`\\beta_k`, each a network of the coordinates,
    and a perceptron answers to the integrals [1]_:

    .. math:: c_k(a) = \\int \\beta_k(x) \\cdot a(x)\\, dx, \\qquad \\hat y = h(c_1, \\dots, c_K).

    The integrals are learned for the task, unlike principal components. They are sums over the
    grid, by the trapezoidal rule, so that any grid will do.

    Parameters
    ----------
    n_basis : int, default=8
        Number of functions :math:`\\beta_k`.
    basis_layer_sizes : array-like of int, default=(64, 64)
        Widths of the hidden layers of the network of coordinates.
    hidden_layer_sizes : array-like of int, default=(64,)
        Widths of the hidden layers of the perceptron h.
    orthogonality : float, default=0.0
        Weight of the mean absolute product of two of the functions, beside the loss.
    sparsity : float, default=0.0
        Weight of their mean absolute value, beside the loss; it lets them vanish where they can.
    grid_shape : int, tuple of int or None, default=None
        Grid that the rows of a flat `X` were flattened from; None is one axis, or those of X.
    periodic : bool, default=False
        Whether the last point of each axis is followed by the first.
    resolution : {"resample", "native"}, default="resample"
        How to predict on another grid: interpolate to the training grid, by cubic splines or, if
        periodic, by waves; or integrate on the other grid.
    optimizer : {"adam", "adamw", "sgd", "lbfgs"}, default="adamw"
        Optimizer of the weights. "lbfgs" always uses the full batch.
    max_iter : int, default=200
        Number of epochs at most.
    max_time : float or None, default=None
        Seconds after which training stops with a warning, at the end of an epoch. None sets no
        limit.
    learning_rate : float, default=0.003
        Step size of the optimizer; "lbfgs" finds its own.
    learning_rate_schedule : {"constant", "cosine", "exponential", "one_cycle", "plateau"}, \
            default="cosine"
        How the step size changes over ``max_iter`` epochs. "plateau" divides it by five when the
        loss no longer falls, and stops only when that no longer helps.
    batch_size : int or "auto", default=32
        Cases per batch; "auto" is ``min(200, n_samples)``.
    alpha : float, default=0.1
        Strength of the L2 penalty on the weights; it is divided by the number of samples (the total
        of their weights) when added to the mean loss, as scikit-learn's networks do.
    clip_norm : float or None, default=None
        Largest norm of the gradient; larger gradients are scaled down to it.
    tol : float, default=1e-05
        Smallest decrease of the loss that counts as an improvement.
    early_stopping : bool, default=False
        Whether to stop when the loss on validation data no longer improves, and to keep the weights
        that were best there.
    validation_fraction : float, default=0.1
        Share of the training data set aside for early stopping when ``X_val`` is not given.
    n_iter_no_change : int, default=30
        Epochs without improvement after which training stops.
    warm_start : bool, default=False
        Whether ``fit`` continues from the present weights.
    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, the validation split and the order of the cases. Pass an int
        for the same model every time.
    device : str, default="auto"
        Where to train: "auto" is CUDA where it pays, else the CPU; or a torch device such as "cpu".
    dtype : {"float32", "float64"}, default="float32"
        Precision of the training. Predictions are computed in the precision of their input.
    verbose : int, default=0
        1 prints a tenth of the epochs, 2 every epoch.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns of a flat `X`, else of channels.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.
    module_ : torch.nn.Module
        The trained network, on standardized channels.
    n_iter_ : int
        Number of epochs run.
    loss_curve_ : list of float
        Training loss of each epoch.
    validation_scores_ : list of float or None
        Minus the validation loss of each epoch (higher is better).
    best_loss_ : float
        Lowest validation loss, or training loss where nothing was held out.
    device_ : str
        Device the network is on.

    See Also
    --------
    AdaFNNClassifier : The same for classes.
    FNORegressor : Functions as targets too.

    References
    ----------
    .. [1] Junwen Yao, Jonas Mueller, Jane-Ling Wang, "Deep Learning for Functional Data Analysis
       with Adaptive Basis Layers", ICML 2021.

    Examples
    --------
    >>> from skdyn import AdaFNNRegressor
    >>> from skdyn.datasets import make_gaussian_random_field
    >>> X = make_gaussian_random_field(200, 32, random_state=0)
    >>> y = X[:, :16].mean(axis=1) ** 2
    >>> model = AdaFNNRegressor(n_basis=4, max_iter=40, learning_rate=0.02, random_state=0)
    >>> model.fit(X[:150], y[:150]).score(X[150:], y[150:]) > 0.9
    True
    """
