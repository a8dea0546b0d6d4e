"""Coefficients as a table, and how sure they are."""

import numpy as np

__all__ = [
    "coefficient_table",
    "dependent_terms",
    "powers_of",
    "standard_errors",
    "sums_of_terms",
]

_ROUGH = 1e-8  # eigenvalue of unit columns' products below which its digits are gone
_DEPENDENT = 1e-6  # singular value of unit columns below which no data of ours tell them apart
_INVOLVED = 1e-4  # weight in a direction that is worth the name


def standard_errors(slopes, errors, weight=None, found=None):
    """Return standard errors of coefficients fitted by least squares.

    Parameters
    ----------
    slopes : ndarray of shape (n_samples, n_coefficients)
        Derivatives of the prediction by the coefficients.
    errors : ndarray of shape (n_samples, n_equations)
        What was to be predicted minus the prediction.
    weight : ndarray of shape (n_samples,) or None, default=None
        Weights of the samples.
    found : ndarray of shape (n_equations, n_coefficients), bool, or None, default=None
        Which coefficients each equation has; None is all.

    Returns
    -------
    ndarray of shape (n_equations, n_coefficients)
        Zero for coefficients that an equation does not have; infinite where terms depend on each
        other; NaN where there are not more samples than coefficients.
    """
    n = len(slopes)
    if found is None:
        found = np.ones((errors.shape[1], slopes.shape[1]), dtype=bool)
    if weight is not None:
        root = np.sqrt(weight)[:, None]
        slopes, errors = slopes * root, errors * root
    used = found.any(axis=0)
    slopes = slopes[:, used]
    slopes, length, gram = _unit(slopes)
    result = np.zeros(found.shape)
    for row, kept, error in zip(result, found, errors.T, strict=True):
        k, own = np.count_nonzero(kept), kept[used]
        row[kept] = np.nan
        if 0 < k < n:
            sizes, directions = _directions(slopes, gram, own)
            null = sizes <= n * np.finfo(float).eps * sizes.max()
            spread = ((directions[:, ~null] / sizes[~null]) ** 2).sum(axis=1)
            spread[(np.abs(directions[:, null]) > _INVOLVED).any(axis=1)] = np.inf
            row[kept] = np.sqrt(spread * (error @ error) / (n - k)) / length[own]
    return result


def dependent_terms(slopes, found):
    """Return the combinations of terms that hardly differ from zero along the data.

    Parameters
    ----------
    slopes : ndarray of shape (n_samples, n_terms)
        Terms.
    found : ndarray of shape (n_equations, n_terms), bool
        Those that each equation has.

    Returns
    -------
    list of (int, ndarray of int, ndarray)
        Equation, its terms, and their weights in the combination, the largest 1.
    """
    slopes, length, gram = _unit(slopes)
    combinations = []
    for equation, kept in enumerate(found):
        if np.count_nonzero(kept) < 2:
            continue
        sizes, directions = _directions(slopes, gram, kept)
        if sizes.min() > _DEPENDENT * sizes.max():
            continue
        direction = directions[:, sizes.argmin()]
        involved = np.abs(direction) > _INVOLVED
        terms = np.flatnonzero(kept)[involved]
        weights = direction[involved] / length[terms]
        combinations.append((equation, terms, weights / weights[np.abs(weights).argmax()]))
    return combinations


def _unit(slopes):
    """Return columns of length one, the lengths, and the products of the columns."""
    gram = slopes.T @ slopes
    length = np.sqrt(gram.diagonal())
    length[length == 0.0] = 1.0
    return slopes / length, length, gram / np.outer(length, length)


def _directions(slopes, gram, own):
    """Return singular values and right singular vectors, as columns, of some of the slopes."""
    values, vectors = np.linalg.eigh(gram[np.ix_(own, own)])
    if values[0] > _ROUGH * values[-1]:
        return np.sqrt(values), vectors
    _, sizes, directions = np.linalg.svd(slopes[:, own], full_matrices=False)
    return sizes, directions.T


def coefficient_table(equations, terms, **columns):
    """Make a table of the coefficients that say something.

    Parameters
    ----------
    equations : sequence of str
        Left-hand sides.
    terms : sequence of str
        Terms.
    **columns : ndarray of shape (n_equations, n_terms)
        What there is to tell of each term in each equation: ``coefficient`` and others.

    Returns
    -------
    pandas.DataFrame
        A row for each coefficient that is not zero, or whose ``inclusion_probability`` is not.
    """
    import pandas as pd

    said = columns["coefficient"] != 0.0
    if "inclusion_probability" in columns:
        said |= columns["inclusion_probability"] > 0.0
    where, which = np.nonzero(said)
    return pd.DataFrame(
        {
            "equation": np.asarray(equations, dtype=object)[where],
            "term": np.asarray(terms, dtype=object)[which],
            **{name: values[where, which] for name, values in columns.items()},
        }
    )


def sums_of_terms(terms, coefs):
    """Write linear combinations out.

    Parameters
    ----------
    terms : sequence of sympy.Expr
        Terms.
    coefs : ndarray of shape (n_equations, n_terms)
        Coefficients.

    Returns
    -------
    list of sympy.Expr
    """
    import sympy

    return [
        sympy.Add(*(sympy.Float(c) * term for c, term in zip(row, terms, strict=True) if c))
        for row in coefs
    ]


def powers_of(library):
    """Return the exponents of the columns in each term of a library.

    Parameters
    ----------
    library : FeatureLibrary
        Fitted.

    Returns
    -------
    list of list of int, (n_terms, n_columns), or None
        None if some terms are no monomials.
    """
    names = [f"x{i}" for i in range(library.n_features_in_)]
    terms = [dict(term) for term in library.terms_]
    if any(set(powers) - set(names) for powers in terms):
        return None
    return [[powers.get(name, 0) for name in names] for powers in terms]
