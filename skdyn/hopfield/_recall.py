"""The objective of training: rows are recalled from a few other rows, or from prototypes."""

import torch

from skdyn.hopfield._retrieval import scores

__all__ = ["Recall"]

_SEEN_ROWS = 64  # in all groups, where these are smaller: more would steady the loss, less would
_SEEN_PROTOTYPES = 512  # keep it from settling on few rows; prototypes cannot copy rows
_MOST_SEEN = 1024  # in a group: bounds the time of an epoch


class Recall:
    """Mean loss of recalling each row of a batch.

    In training, groups of patterns are dealt out anew for each batch, as small as ``dropout`` says;
    a row is recalled from each group by itself, and never from itself. What is learned then cannot
    lean on the very nearest patterns.

    Parameters
    ----------
    training : tuple of ndarray
        Rows, values, weights and places of all patterns.
    row_loss : callable
        ``row_loss(means, values)`` of means of shape (..., n_values).
    dropout : float
        Share of the patterns that a group lacks.
    generator : torch.Generator
        Deals.
    n_kinds : int
        Number of classes that the prototypes stand for, in blocks of equal length; or one.
    similarity : {"euclidean", "dot", "cosine"}
        See :func:`skdyn.hopfield._retrieval.scores`.
    separation : Separation
        From scores to weights.
    """

    def __init__(self, training, row_loss, dropout, generator, n_kinds, *, similarity, separation):
        self.training = [torch.as_tensor(array) for array in training]
        self.row_loss = row_loss
        self.dropout = dropout
        self.generator = generator
        self.n_kinds = n_kinds
        self.similarity = similarity
        self.separation = separation
        self.weighs = bool((self.training[2] != 1).any())

    def __call__(self, module, X, values, weight, index):
        """Return the weighted mean loss of a batch."""
        if hasattr(module, "moves"):
            groups = self._deal_prototypes(module)
            keys, recalled = module.prototypes[groups], module.values[groups]
            z = self._scores(module, X, keys)
            weights = self.separation.weights(z)
        else:
            groups = self._deal_rows(module)
            rows, recalled, mass, places = (array[groups].to(X.device) for array in self.training)
            z = self._scores(module, X, module(rows.to(X)))
            if groups.shape[1] > 1:
                z = z.masked_fill(index[:, None, None] == places, -torch.inf)
            weights = self.separation.weights(z, mass.to(X) if self.weighs else None)
        means = torch.einsum("ngk,gkv->ngv", weights, recalled.to(X))
        return (self.row_loss(means, values[:, None]).mean(dim=1) * weight).mean()

    def multiply_adds(self, module, shape):
        """Count the multiply-adds of a batch of rows: each is compared with all that it sees.

        Parameters
        ----------
        module : Matching
            The network.
        shape : tuple of int
            ``(n, n_features)``.

        Returns
        -------
        int
        """
        n, n_features = shape
        if hasattr(module, "moves"):
            n_seen = max(_SEEN_PROTOTYPES, len(module.moves))
        else:
            n_seen = min(len(self.training[0]), _MOST_SEEN)
        projection = getattr(module, "first_projection", None)
        width = n_features if projection is None else len(projection)
        return (n + n_seen) * n_features * width + n * n_seen * (width + self.training[1].shape[1])

    def _scores(self, module, X, keys):
        beta = module.beta / module.first_unit
        return scores(module(X), keys.flatten(0, 1), beta, self.similarity).unflatten(
            1, keys.shape[:2]
        )

    def _deal_rows(self, module):
        """Return groups of rows, (n_groups, n_each)."""
        n = len(self.training[0])
        least = min(n, max(2, 2 * self.training[1].shape[1]))
        n_each = min(max(least, round((1 - self.dropout) * n)), _MOST_SEEN)
        if n_each == n or not module.training:
            return torch.arange(n)[None]
        deals = range(-(-_SEEN_ROWS // n))
        order = [torch.randperm(n, generator=self.generator)[: n - n % n_each] for _ in deals]
        return torch.cat(order).view(-1, n_each)[: max(1, _SEEN_ROWS // n_each)]

    def _deal_prototypes(self, module):
        """Return groups of prototypes, as many of each kind, (n_groups, n_each)."""
        n = len(module.moves)
        if not module.training:
            return torch.arange(n)[None]
        n_each = n // self.n_kinds
        n_kept = max(1, round((1 - self.dropout) * n_each))
        n_groups = max(1, _SEEN_PROTOTYPES // (n_kept * self.n_kinds))
        chances = torch.rand(n_groups, self.n_kinds, n_each, generator=self.generator)
        kept = chances.argsort(dim=2)[..., :n_kept]
        return (kept + n_each * torch.arange(self.n_kinds)[:, None]).flatten(1)
