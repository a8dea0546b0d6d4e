"""Regression with an ODE as the network's depth."""

from skdyn._tabular import TabularRegressor
from skdyn.neural_ode._depth import DepthEstimator

__all__ = ["NeuralODERegressor"]


class NeuralODERegressor(DepthEstimator, TabularRegressor):
    """Regressor whose hidden layers are the flow of a neural ODE.

    A row, standardized and padded with zeros, is the state at depth 0; a network is its velocity;
    a linear readout of the state at depth 1 is the prediction [1]_:

    .. math:: h(0) = [x, 0], \\qquad \\dot h = f_\\theta(t, h), \\qquad \\hat y = W h(1) + b.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int, default=(64,)
        Widths of the hidden layers of the network that is the field.
    activation : {"silu", "tanh", "softplus", "relu", "gelu", "sigmoid"}, default="silu"
        Activation of the field's hidden layers.
    augment_dim : int, default=4
        Number of zeros appended to the state [2]_. Flows cannot cross; extra dimensions give
        them room to pass each other.
    regularization : {"error", "stiffness"} or None, default=None
        Penalty on the solver's embedded error estimate or on its stiffness estimate, which makes
        the learned field cheaper to solve [3]_.
    regularization_mode : {"global", "local"}, default="global"
        Sum the penalty over all steps, or take it at one random step per solve [4]_.
    regularization_weight : float or "auto", default="auto"
        Weight of the penalty beside the loss; "auto" is ``1 / rtol`` for "error", 0.03 else.
    solver : str, default="tsit5"
        Method of solution; :mod:`skdyn.solvers` lists them.
    rtol : float, default=0.001
        Relative tolerance of adaptive solvers.
    atol : float, default=0.0001
        Absolute tolerance of adaptive solvers.
    adjoint : {"discrete", "checkpoint", "continuous"}, default="discrete"
        How the solution is differentiated; see :func:`skdyn.solvers.solve_ode`.
    max_steps : int, default=1000
        Bound on the steps of one solve.
    optimizer : {"adam", "adamw", "sgd", "lbfgs"}, default="adam"
        Optimizer of the weights. "lbfgs" always uses the full batch.
    max_iter : int, default=200
        Number of epochs at most.
    max_time : float or None, default=None
        Seconds after which training stops with a warning, at the end of an epoch. None sets no
        limit.
    learning_rate : float, default=0.03
        Step size of the optimizer; "lbfgs" finds its own.
    learning_rate_schedule : {"constant", "cosine", "exponential", "one_cycle", "plateau"}, \
            default="one_cycle"
        How the step size changes over ``max_iter`` epochs. "plateau" divides it by five when the
        loss no longer falls, and stops only when that no longer helps.
    batch_size : int or "auto", default="auto"
        Cases per batch; "auto" is ``min(200, n_samples)``.
    alpha : float or "auto", default="auto"
        Strength of the L2 penalty on the weights; it is divided by the number of samples (the total
        of their weights) when added to the mean loss, as scikit-learn's networks do. "auto" lets
        held-out rows choose it; it is 2 in ``partial_fit``, which has too few of them, and if
        ``max_iter`` is below 60, which is too few to tell.
    clip_norm : float or None, default=0.3
        Largest norm of the gradient; larger gradients are scaled down to it.
    tol : float, default=0.0001
        Smallest decrease of the loss that counts as an improvement.
    early_stopping : bool, default=False
        Whether to stop when the loss on validation data no longer improves, and to keep the weights
        that were best there.
    validation_fraction : float, default=0.1
        Share of the training data set aside for early stopping when ``X_val`` is not given.
    n_iter_no_change : int, default=10
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
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.
    alpha_ : float
        The penalty, as given or as chosen.
    module_ : torch.nn.Module
        The trained network, on standardized inputs.
    n_iter_ : int
        Number of epochs run.
    loss_curve_ : list of float
        Training loss of each epoch.
    stages_ : list of tuple of (str, int)
        Name and number of epochs of each stage of the training.
    validation_scores_ : list of float or None
        Minus the validation loss of each epoch (higher is better).
    best_loss_ : float
        Lowest validation loss, or training loss where nothing was held out.
    device_ : str
        Device the network is on.

    See Also
    --------
    NeuralODEClassifier : The same network for classes.

    References
    ----------
    .. [1] R. T. Q. Chen, Y. Rubanova, J. Bettencourt, D. Duvenaud, "Neural Ordinary Differential
       Equations", NeurIPS 2018.
    .. [2] E. Dupont, A. Doucet, Y. W. Teh, "Augmented Neural ODEs", NeurIPS 2019.
    .. [3] A. Pal, Y. Ma, V. Shah, C. Rackauckas, "Opening the Blackbox: Accelerating Neural
       Differential Equations by Regularizing Internal Solver Heuristics", ICML 2021.
    .. [4] A. Pal, A. Edelman, C. Rackauckas, "Locally Regularized Neural Differential Equations:
       Some Black Boxes Were Meant to Remain Closed!", ICML 2023.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skdyn import NeuralODERegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = NeuralODERegressor(max_iter=50, tol=0, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.5
    True
    """
