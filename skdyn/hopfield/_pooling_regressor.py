"""Regression on bags of instances."""

from skdyn._tabular import TabularRegressor
from skdyn.hopfield._pooling_estimator import PoolingEstimator

__all__ = ["HopfieldPoolingRegressor"]


class HopfieldPoolingRegressor(PoolingEstimator, TabularRegressor):
    """Regressor on bags of instances, by what learned states retrieve from each bag.

    Each bag is a memory, its instances the patterns. Learned states :math:`q_s` are looked up in
    it; a linear head reads what they retrieve, and minimum, mean and maximum over the bag [1]_:

    .. math:: r_s = \\sum_i p_{si} V \\phi(x_i), \\qquad p_s = \\operatorname{softmax}_i
        \\bigl(\\beta_s q_s^\\top K \\phi(x_i) / \\sqrt{d}\\bigr), \\qquad
        \\phi_c(x) = e^{-\\beta \\lVert x - x_c \\rVert^2 / 2 \\sigma^2},

    where :math:`\\phi(x)`, standardized, is the likeness of an instance to stored ones [2]_.
    States, maps and the temperatures :math:`\\beta_s` are learned.

    Bags are a list of arrays ``(n_instances_i, n_features)``, or one array ``(n_bags, n_instances,
    n_features)`` in which rows of NaN are padding. A table is bags of one instance each.

    Parameters
    ----------
    n_states : int, default=4
        Number of states that are looked up in every bag. Each has weights of its own.
    n_components : int, default=16
        Length of keys, states and values.
    n_references : int, default=1000
        Number of training instances that are stored as references: an instance is described by
        its likeness to each of them [2]_. 0 describes it by its features, which suits instances
        that a plane tells apart, and costs less.
    reference_beta : float, default=5.0
        Inverse temperature of the likeness: the larger, the nearer a reference must be to count.
        It multiplies similarities divided by the total variance of the instances, so that its
        meaning depends on neither units nor repeated features.
    separation : {"softmax", "sparsemax", "entmax", "topk"} or Separation, default="softmax"
        From scores to weights: all instances take part, or only some do. Objects such as
        :class:`~skdyn.hopfield.TopKSeparation` have settings.
    skip : bool, default=True
        Whether minimum, mean and maximum over each bag go to the head beside what was retrieved.
    optimizer : {"adam", "adamw", "sgd", "lbfgs"}, default="adam"
        Optimizer of the weights. "lbfgs" always uses the full batch.
    max_iter : int, default=200
        Number of epochs at most.
    max_time : float or None, default=None
        Seconds after which training stops, at the end of an epoch, with what was reached by then
        and a warning. None sets no limit.
    learning_rate : float, default=0.01
        Step size of the optimizer; "lbfgs" finds its own.
    learning_rate_schedule : {"constant", "cosine", "exponential", "one_cycle", "plateau"}, \
            default="constant"
        How the step size changes over ``max_iter`` epochs. "plateau" divides it by five whenever
        the loss stands still and stops only when that no longer helps.
    batch_size : int or "auto", default="auto"
        Cases a batch; "auto" is ``min(200, n_samples)``.
    alpha : float, default=2.0
        Strength of the L2 penalty on the weights; it is divided by the number of samples (the total
        of their weights) when added to the mean loss, as scikit-learn's networks do.
    clip_norm : float or None, default=None
        Largest norm of the gradient; longer ones are shortened to it.
    tol : float, default=0.0001
        Improvement of the loss below which an epoch counts as standing still.
    early_stopping : bool, default=False
        Whether to stop when the loss on validation data stands still, and to keep the weights that
        were best there.
    validation_fraction : float, default=0.1
        Share of the training data set aside for early stopping when ``X_val`` is not given.
    n_iter_no_change : int, default=10
        Epochs without improvement after which training stops.
    warm_start : bool, default=False
        Whether ``fit`` continues from the present weights.
    random_state : int, RandomState instance or None, default=None
        Source of the first weights, the validation split and the order of the cases. Pass an int
        for the same model every time.
    device : str, default="auto"
        Where to train: "auto" is CUDA if present, else the CPU; or a torch device such as "cpu".
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
    module_ : torch.nn.Module
        The trained network, on descriptions of the instances.
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
    HopfieldPoolingClassifier : The same network for classes.
    skdyn.datasets.make_bags : Bags to try it on.
    skdyn.inspection.InstanceWeightsDisplay : Draws the weights of instances.

    References
    ----------
    .. [1] Hubert Ramsauer et al., "Hopfield Networks is All You Need", ICLR 2021.
    .. [2] Yixin Chen, Jinbo Bi, James Wang, "MILES: Multiple-Instance Learning via Embedded
       Instance Selection", IEEE Transactions on Pattern Analysis and Machine Intelligence 28, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn import HopfieldPoolingRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 2)) for n in rng.integers(2, 6, size=200)]
    >>> y = [bag[:, 0].max() for bag in X]
    >>> model = HopfieldPoolingRegressor(random_state=0).fit(X[:150], y[:150])
    >>> model.score(X[150:], y[150:]) > 0.8
    True
    """
