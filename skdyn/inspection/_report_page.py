"""A page on a dictionary: one file of HTML, its script and style within, nothing from outside.

What the page shows may come from anywhere. All texts are escaped, and the page's own policy lets no
script run but its own.
"""

from __future__ import annotations

import base64
import hashlib
import html
import math
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Self

__all__ = ["FeaturePart", "Sample", "Summary", "page", "shown"]

_LONGEST = 80  # letters of a text
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SIGNS = {"\n": "\u23ce", "\t": "\u21e5", "\r": "\u240d"}

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 64em; padding: 0 1em }
table { border-collapse: collapse; width: 100% }
th, td { text-align: right; padding: .15em .6em; border-bottom: 1px solid #ddd }
td { font-variant-numeric: tabular-nums }
th.text, td.text { text-align: left; overflow-wrap: anywhere }
thead th { position: sticky; top: 0; background: #fff; cursor: pointer }
thead th[aria-sort=ascending]::after { content: " \\25b2" }
thead th[aria-sort=descending]::after { content: " \\25bc" }
section { content-visibility: auto; contain-intrinsic-size: auto 22em; margin-top: 2em }
ol { padding-left: 0; list-style: none }
li { margin: .2em 0; padding-left: 9em; overflow-wrap: anywhere }
li > span { float: left; margin-left: -10.6em; color: #555; font-size: 85%; line-height: 1.7 }
code { white-space: pre-wrap; font-family: ui-monospace, monospace }
code b { outline: 1px solid #d55e00; font-weight: inherit }
@media (max-width: 40em) {
  table { font-size: 80% }
  th, td { padding: .15em .25em }
  th:nth-child(4), td:nth-child(4) { display: none }
  li { padding-left: 0 }
  li > span { float: none; display: block; margin: .5em 0 0 }
}
"""

_SCRIPT = """
"use strict";
const table = document.querySelector("table"), heads = [...table.tHead.rows[0].cells];
function sort(column, falling) {
  const key = row => row.cells[column].dataset.key, text = heads[column].className === "text";
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => text ? key(a).localeCompare(key(b)) : key(a) - key(b));
  if (falling) rows.reverse();
  table.tBodies[0].append(...rows);
  heads.forEach(head => head.removeAttribute("aria-sort"));
  heads[column].setAttribute("aria-sort", falling ? "descending" : "ascending");
}
heads.forEach((head, column) => head.addEventListener("click", () =>
  sort(column, head.getAttribute("aria-sort") !== "descending" && head.className !== "text")));
const asked = /^#sort=(\\d)(,up)?$/.exec(location.hash);
if (asked && asked[1] < heads.length) sort(+asked[1], !asked[2]);
"""


class Summary(NamedTuple):
    """What stands at the head of the page."""

    title: str
    coder: str
    n_features: int
    n_dead: int
    n_samples: int
    n_active: float
    n_shown: int

    @classmethod
    def of(cls, title: str, coder: Any, table: Any, n_samples: int, n_shown: int) -> Self:
        """Take it from a coder and its table.

        Parameters
        ----------
        title : str
            Heading.
        coder : estimator
            Fitted.
        table : DataFrame
            Its ``feature_table``.
        n_samples : int
            Number of samples that were read.
        n_shown : int
            Number of features on the page.

        Returns
        -------
        Summary
        """
        density = table["density"]
        dead = int((density == 0).sum())
        name = type(coder).__name__
        return cls(title, name, len(table), dead, n_samples, float(density.sum()), n_shown)


class Sample(NamedTuple):
    """A sample that activates a feature: its number, how much, and the texts around it."""

    row: int
    activation: float
    around: list[tuple[str, float, bool]]  # a text, its shade, and whether it is the sample's own


class FeaturePart(NamedTuple):
    """What is told of a feature."""

    number: int
    density: float
    mean_activation: float
    norm: float
    like: list[tuple[int, float]]  # other features, and cosines
    speaks_of: tuple[str, float, float] | None  # a class, precision and recall
    samples: list[Sample]


def shown(text: str) -> str:
    """Return a text as HTML that shows it, whatever it holds.

    Parameters
    ----------
    text : str
        Any text; long ones are cut.

    Returns
    -------
    str
        Escaped. Control characters, and those that turn the direction of writing, are spelled out.
    """
    cut = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "\u2026"
    return html.escape("".join(map(_letter, cut)), quote=True)


def _letter(letter):
    if letter in _SIGNS:
        return _SIGNS[letter]
    hidden = letter in _TURNING or unicodedata.category(letter) in ("Cc", "Cs")
    return f"\\u{ord(letter):04x}" if hidden else letter


def page(summary: Summary, features: Iterable[FeaturePart]) -> Iterator[str]:
    """Yield the page, piece by piece.

    Parameters
    ----------
    summary : Summary
        Its head.
    features : iterable of FeaturePart
        What it tells of each feature, in the order of the table.

    Yields
    ------
    str
    """
    features = list(features)
    linked = {feature.number for feature in features}
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    title = shown(summary.title)
    yield (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    )
    yield _head(summary)
    with_class = any(feature.speaks_of for feature in features)
    yield _table(features, linked, with_class)
    for feature in features:
        yield _section(feature, linked)
    yield f"<script>{_SCRIPT}</script>\n</body>\n</html>\n"


def _head(summary):
    left = summary.n_features - summary.n_shown
    others = f" {left} others are not shown." if left else ""
    return (
        f"<p>{shown(summary.coder)}, {summary.n_features} features, of which {summary.n_dead} are "
        f"never active in {summary.n_samples} samples; {summary.n_active:.1f} are active in a "
        f"sample.{others} A click on a column sorts by it.</p>\n"
    )


def _table(features, linked, with_class):
    names = ["feature", "density", "mean activation", "norm", "cosine", "nearest"]
    cells = "".join(f'<th scope="col">{name}</th>' for name in names)
    if with_class:
        cells += '<th scope="col" class="text">speaks of</th>'
    rows = "".join(_row(feature, linked, with_class) for feature in features)
    return f"<table>\n<thead><tr>{cells}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"


def _row(feature, linked, with_class):
    nearest, cosine = feature.like[0] if feature.like else (-1, math.nan)
    cells = [
        (feature.number, _link(feature.number, linked)),
        (feature.density, _share(feature.density)),
        (feature.mean_activation, _number(feature.mean_activation)),
        (feature.norm, _number(feature.norm)),
        (cosine, _number(cosine)),
        (nearest, "" if nearest < 0 else _link(nearest, linked)),
    ]
    row = "".join(
        f'<td data-key="{key if math.isfinite(key) else -1e300}">{text}</td>' for key, text in cells
    )
    if with_class:
        name = "" if feature.speaks_of is None else shown(feature.speaks_of[0])
        row += f'<td class="text" data-key="{name}">{name}</td>'
    return f"<tr>{row}</tr>\n"


def _section(feature, linked):
    like = ", ".join(f"{_link(other, linked)} ({cosine:.2f})" for other, cosine in feature.like)
    told = [f"Active in {_share(feature.density)} of the samples."]
    if feature.speaks_of is not None:
        name, precision, recall = feature.speaks_of
        told.append(
            f"Speaks of <code>{shown(name)}</code>: {_share(precision)} of where it is active, "
            f"{_share(recall)} of the class."
        )
    if like:
        told.append(f"Most like it: {like}.")
    samples = "".join(map(_sample, feature.samples))
    return (
        f'<section id="f{feature.number}">\n<h2>Feature {feature.number}</h2>\n'
        f"<p>{' '.join(told)}</p>\n<ol>\n{samples}</ol>\n</section>\n"
    )


def _sample(sample):
    texts = "".join(
        f'<code style="background: rgb(230 159 0 / {share:.2f})">'
        f"{f'<b>{shown(text)}</b>' if own else shown(text)}</code>"
        for text, share, own in sample.around
    )
    return f"<li><span>{_number(sample.activation)} row {sample.row}</span> {texts}</li>\n"


def _link(feature, linked):
    return f'<a href="#f{feature}">{feature}</a>' if feature in linked else str(feature)


def _share(value):
    return f"{100 * value:#.2g}&nbsp;%" if value < 0.1 else f"{100 * value:.0f}&nbsp;%"


def _number(value):
    return f"{value:#.3g}".removesuffix(".") if math.isfinite(value) else ""
