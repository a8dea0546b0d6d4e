"""Classification of bags of instances."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import roc_auc_score

from skdyn._tabular import TabularClassifier
from skdyn.hopfield._long_tables import bags_of
from skdyn.hopfield._pooling_estimator import PoolingEstimator

__all__ = ["HopfieldPoolingClassifier"]


class HopfieldPoolingClassifier(PoolingEstimator, TabularClassifier):
    """Classifier of bags of instances, by what learned states retrieve from each bag.

    Each bag is a memory, its instances the patterns. Learned states :math:`q_s` are looked up in
    it; a linear head reads what they retrieve [1]_:

    .. math:: r_s = \\sum_i p_{si} V \\phi(x_i), \\qquad p_s = \\operatorname{softmax}_i
        \\bigl(\\beta_s q_s^\\top K \\phi(x_i) / \\sqrt{d}\\bigr).

    States, maps and the temperatures :math:`\\beta_s` are learned. ``embedding`` says what
    :math:`\\phi(x)` is: layers that are learned, too; the features; or the likeness to
    stored instances, :math:`\\phi_c(x) = e^{-\\beta \\lVert x - x_c \\rVert^2 / 2 \\sigma^2}` [2]_.

    Bags are a list of arrays ``(n_instances_i, n_features)``, or one array ``(n_bags, n_instances,
    n_features)`` in which rows of NaN are padding, or a long table with ``groups``. A table
    without groups is bags of one instance each.

    Parameters
    ----------
    n_states : int, default=4
        Number of states that are looked up in every bag. Each has weights of its own.
    embedding : {"auto", "likeness", "features", "trained"}, default="auto"
        What an instance is to the network: its likeness to each of ``n_references`` stored ones,
        its features, or what ``hidden_layer_sizes`` make of them. "auto" takes the one with the
        least squared error on bags left out, in three folds; "likeness" where there are too few.
    ranks : bool or "auto", default="auto"
        Whether each feature is replaced by its rank among the training instances, from 0 to 1: for
        features that are mostly zero or have heavy tails. "auto" tries it, on bags left out, with
        the embedding that "auto" chose; a named embedding is not one of ranks.
    n_components : int, default=16
        Length of keys, states and values.
    hidden_layer_sizes : array-like of int or int, default=(64,)
        Layers of the trained embedding, rectified; their output is normalized.
    dropout : float or "auto", default="auto"
        Share of each such layer's units that are left out in training, another for each bag. "auto"
        is 0.5 for classes and 0 for numbers.
    clip : float or None, default=5.0
        Standard deviations from the mean at which a feature's values are held in, so that no heavy
        tail decides; None holds nothing in.
    n_models : int, default=5
        Number of networks whose answers are averaged. They differ in their first weights, and share
        all else.
    max_instances : int or None, default=None
        How many instances of a bag are seen in an epoch, at most, drawn anew each time; answers
        always look at all. None sees all.
    n_references : int, default=1000
        Number of training instances that are stored as references for the likeness, at most; 0
        leaves this embedding out.
    reference_beta : float, default=5.0
        Inverse temperature of the likeness: the larger, the nearer a reference must be to count.
        It multiplies similarities divided by the total variance of the instances, so that its
        meaning depends on neither units nor repeated features.
    separation : {"softmax", "sparsemax", "entmax", "topk"} or Separation, default="softmax"
        From scores to weights: all instances take part, or only some do. Objects such as
        :class:`~skdyn.hopfield.TopKSeparation` have settings.
    skip : bool or "auto", default="auto"
        Whether minimum, mean and maximum over each bag go to the head beside what was retrieved.
        "auto" does so unless the embedding is trained, which they would only disturb.
    optimizer : {"adam", "adamw", "sgd", "lbfgs"}, default="adam"
        Optimizer of the weights. "lbfgs" always uses the full batch.
    max_iter : int, default=200
        Number of epochs at most.
    max_time : float or None, default=None
        Seconds after which training stops with a warning, at the end of an epoch. None sets no
        limit.
    learning_rate : float, default=0.01
        Step size of the optimizer; "lbfgs" finds its own.
    learning_rate_schedule : {"constant", "cosine", "exponential", "one_cycle", "plateau"}, \
            default="constant"
        How the step size changes over ``max_iter`` epochs. "plateau" divides it by five when the
        loss no longer falls, and stops only when that no longer helps.
    batch_size : int or "auto", default="auto"
        Cases per batch; "auto" is ``min(200, n_samples)``.
    alpha : float or "auto", default="auto"
        Strength of the L2 penalty on the weights; it is divided by the number of samples (the total
        of their weights) when added to the mean loss, as scikit-learn's networks do. "auto" is 10
        for the embedding "features" and 2 for the others.
    clip_norm : float or None, default=None
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
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.
    embedding_ : {"likeness", "features", "trained"}
        The embedding in use.
    ranks_ : bool
        Whether features are replaced by their ranks.
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
    HopfieldPoolingRegressor : The same network for numbers.
    skdyn.datasets.make_bags : Bags to try it on.
    skdyn.inspection.InstanceWeightsDisplay : Draws the weights of instances.

    References
    ----------
    .. [1] Hubert Ramsauer et al., "Hopfield Networks is All You Need", ICLR 2021.
    .. [2] Yixin Chen, Jinbo Bi, James Wang, "MILES: Multiple-Instance Learning via Embedded
       Instance Selection", IEEE Transactions on Pattern Analysis and Machine Intelligence 28, 2006.

    Examples
    --------
    >>> from skdyn import HopfieldPoolingClassifier
    >>> from skdyn.datasets import make_bags
    >>> X, y, planted = make_bags(200, random_state=0)
    >>> model = HopfieldPoolingClassifier(embedding="trained", random_state=0).fit(X[:150], y[:150])
    >>> model.score(X[150:], y[150:]) > 0.8
    True
    >>> [len(weights) for weights in model.instance_weights(X[:3])] == [len(bag) for bag in X[:3]]
    True
    """

    def predict_proba(self, X: ArrayLike, *, groups: ArrayLike | str | None = None) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        X : list of array-like of shape (n_instances_i, n_features), or array-like
            Bags, in any layout that ``fit`` takes.
        groups : array-like of shape (n_instances,) or str, default=None
            The bag of each row of a long table, or the name of the column that tells it.

        Returns
        -------
        ndarray of shape (n_bags, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        return super().predict_proba(bags_of(X, groups))

    @staticmethod
    def _as_scores(outputs):
        outputs = outputs.astype(np.float64)
        if outputs.shape[1] == 2:
            return outputs[:, 1] - outputs[:, 0]
        return outputs - np.logaddexp.reduce(outputs, axis=1, keepdims=True)

    def _error(self, X, y, weight):
        """Return how often two bags of different classes are in the wrong order."""
        scores = self._outputs(X)
        scores = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        areas = [
            roc_auc_score(y == label, column, sample_weight=weight)
            for label, column in zip(self.classes_, scores.T, strict=True)
            if 0 < (y == label).sum() < len(y)
        ]
        return 1.0 - np.mean(areas)
