"""Which features of one dictionary are those of another."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from skdyn.metrics._dictionaries import cosines_between

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DictionaryMatch", "convergent_learning", "match_dictionaries"]


class DictionaryMatch(NamedTuple):
    """Features of two dictionaries in pairs, as many as the smaller dictionary has.

    Attributes
    ----------
    first : ndarray of shape (n_pairs,)
        Features of the first dictionary, ascending.
    second : ndarray of shape (n_pairs,)
        The feature of the second dictionary that goes with each.
    cosine : ndarray of shape (n_pairs,)
        Cosine of the two atoms.

    See Also
    --------
    match_dictionaries : Returns it.
    """

    first: np.ndarray
    second: np.ndarray
    cosine: np.ndarray


def match_dictionaries(a: Any, b: Any) -> DictionaryMatch:
    """Pair the features of two dictionaries so that the sum of cosines is as large as can be.

    The Hungarian method finds the best of all ways to pair them, each feature at most once; it
    takes about a second for 2000 features and grows with the third power. Signs count: an atom
    and its negative are different features.

    Parameters
    ----------
    a, b : estimator or array-like of shape (n_components, n_features)
        Fitted estimators with ``components_``, or such atoms; of any length, and not necessarily
        as many in both.

    Returns
    -------
    DictionaryMatch
        Features of ``a``, features of ``b`` and their cosines.

    Raises
    ------
    ValueError
        If the atoms of the two differ in their number of features.

    See Also
    --------
    skdyn.metrics.matched_cosine : Only the mean of the cosines.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.autoencoder import match_dictionaries
    >>> match_dictionaries(np.eye(3), 2 * np.eye(3)[[2, 0, 1]]).second
    array([1, 2, 0])
    """
    cosines = cosines_between(_atoms(a), _atoms(b))
    first, second = linear_sum_assignment(cosines, maximize=True)
    return DictionaryMatch(first, second, cosines[first, second])


def convergent_learning(dictionaries: Sequence[Any], *, threshold: float = 0.7) -> "pd.DataFrame":
    """Score each feature by how well it comes back in other dictionaries [1]_ [2]_.

    What several seeds find is in the data; what only one finds may be chance. Compared are atoms,
    so that all dictionaries must be of one space: the same layer of one network. [1]_ compares
    units of different networks by how their activations correlate, as :func:`match_units` does.

    Parameters
    ----------
    dictionaries : sequence of estimator or array-like of shape (n_components, n_features)
        At least two, such as fits that differ in ``random_state``.
    threshold : float, default=0.7
        Cosine from which two features count as the same.

    Returns
    -------
    DataFrame
        One row per feature, the index its dictionary and its number. ``cosine`` is the mean, over
        the other dictionaries, of the cosine to the feature it is matched with (0 where it has
        none, in a smaller dictionary); ``found`` is the share of the other dictionaries in which
        that reaches the threshold.

    Raises
    ------
    ValueError
        If there are fewer than two dictionaries, or their features differ.

    See Also
    --------
    match_dictionaries : Which atom is which.
    match_units : The same for units of two networks.

    References
    ----------
    .. [1] Yixuan Li, Jason Yosinski, Jeff Clune, Hod Lipson, John Hopcroft, "Convergent Learning:
       Do different neural networks learn the same representations?", ICLR 2016.
    .. [2] Gonçalo Paulo, Nora Belrose, "Sparse Autoencoders Trained on the Same Data Learn
       Different Features", arXiv:2501.16615, 2025.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.autoencoder import convergent_learning
    >>> other = np.array([[0.0, 1.0], [-1.0, 0.0]])
    >>> convergent_learning([np.eye(2), other]).loc[0, "found"].tolist()
    [0.0, 1.0]
    """
    import pandas as pd

    if len(dictionaries) < 2:
        raise ValueError(
            f"convergent_learning compares at least two dictionaries; got {len(dictionaries)}."
        )
    atoms = [np.asarray(_atoms(dictionary)) for dictionary in dictionaries]
    # cosines[i][j]: of each feature of i to its partner in j, 0 where it has none.
    cosines = [np.zeros((len(atoms), len(own))) for own in atoms]
    for i in range(len(atoms)):
        for j in range(i):
            match = match_dictionaries(atoms[i], atoms[j])
            cosines[i][j, match.first] = match.cosine
            cosines[j][i, match.second] = match.cosine
    others = [np.delete(table, i, axis=0) for i, table in enumerate(cosines)]
    frames = [
        pd.DataFrame({"cosine": t.mean(axis=0), "found": (t >= threshold).mean(axis=0)})
        for t in others
    ]
    return pd.concat(frames, keys=range(len(frames)), names=["dictionary", "feature"])


def _atoms(dictionary):
    return getattr(dictionary, "components_", dictionary)
