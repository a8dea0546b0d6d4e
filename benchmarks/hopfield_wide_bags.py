"""Few bags of many columns, generated: 200 of 1 to 40 instances in 230 features.

Positive instances are rare, and few columns tell them: what pictures cut into segments, or pages
cut into paragraphs, look like.
"""

import numpy as np

N_BAGS, N_FEATURES = 200, 230


def segments(seed):
    """Yield bags of segments of some materials, mostly zero; two materials are sought."""
    rng = np.random.default_rng(seed)
    shape = 25, N_FEATURES
    materials = rng.gamma(0.7, size=shape) * (rng.random(shape) > 0.8)
    for sought in (0, 1):  # each is like another one in most of its features
        alike = rng.random(N_FEATURES) < 0.7
        materials[sought][alike] = materials[sought + 2][alike]
    for positive in _labels(rng):
        n = rng.integers(2, 13)
        kinds = rng.integers(2, 25, n)
        if positive:
            kinds[: rng.integers(1, 3)] = rng.integers(0, 2)
        size = rng.gamma(2, 0.5, size=(n, 1)) * rng.lognormal(0, 0.6, size=(n, N_FEATURES))
        stray = (rng.random(size.shape) < 0.1) * rng.gamma(0.7, 0.7, size=size.shape)
        yield materials[kinds] * size + stray, positive


def few_columns(seed):
    """Yield bags of correlated columns with heavy tails, of which six are moved in some rows."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(20, N_FEATURES)) / 4.5
    telling = rng.choice(N_FEATURES, 6, replace=False)
    for positive in _labels(rng):
        n = rng.integers(1, 13)
        rows = rng.normal(size=(n, 20)) @ mixing + 0.7 * rng.standard_t(4, size=(n, N_FEATURES))
        if positive:
            rows[: rng.integers(1, max(2, n // 3 + 1)), telling] += 1.2
        yield rows, positive


def words(seed):
    """Yield bags of counts of words, by topics, of which one is sought."""
    rng = np.random.default_rng(seed)
    topics = rng.dirichlet(np.full(N_FEATURES, 0.08), size=12)
    for positive in _labels(rng):
        n = rng.integers(1, 40)
        own = rng.integers(1, 12, n)
        if positive:
            own[: max(1, n // 10)] = 0
        chances = 0.7 * rng.dirichlet(np.full(12, 0.3), size=n) @ topics + 0.3 * topics[own]
        counts = [rng.multinomial(40, chance / chance.sum()) for chance in chances]
        yield np.log1p(np.array(counts, dtype=float)), positive


def wide_bags(seed=0):
    """Yield names, and bags with their labels."""
    for name, made in (("segments", segments), ("few columns", few_columns), ("words", words)):
        X, y = zip(*made(seed), strict=True)
        yield f"wide, {name}", (list(X), np.array(y))


def _labels(rng):
    return rng.permutation(np.arange(N_BAGS) % 2)
