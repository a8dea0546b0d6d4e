"""Walk through the built site as a reader does, and fail on what leads nowhere.

``python docs/_crawl.py docs/_build/html`` checks that every link within the site has its page and
its place on it, that every page is reached from the first one, that every estimator's page is
within three clicks of it, that every heading of the sources is a heading of the site, that pages of
estimators and displays lead to the guide and show a picture, and that examples show one. CI
runs it after the build.
"""

import html
import os
import re
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

CLICKS = 3
HERE = Path(__file__).parent
# Pages that no page leads to: the search, and what is given to the web server.
UNLINKED = {"search.html", "genindex.html", "py-modindex.html", "404.html"}


class Page(HTMLParser):
    """Links, places and headings of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.places, self.headings = [], set(), []
        self._heading = None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.places |= {named[key] for key in ("id", "name") if named.get(key)}
        if tag == "a" and named.get("href"):
            self.links.append(named["href"])
        if re.fullmatch("h[1-6]", tag):
            self._heading = ""
        elif self._heading is not None and "headerlink" in (named.get("class") or ""):
            self.headings.append(" ".join(self._heading.split()))
            self._heading = None

    def handle_data(self, data):
        if self._heading is not None:
            self._heading += data


def read_site(root):
    """Map each page's path to what is on it."""
    return {
        path.relative_to(root).as_posix(): Page(path)
        for path in sorted(root.rglob("*.html"))
        if not path.relative_to(root).parts[0].startswith("_")
    }


def targets(page, site_path, root):
    """Yield where a page's links lead within the site: link, path, place."""
    for link in page.links:
        parts = urlparse(link)
        if parts.scheme or parts.netloc:
            continue
        path, place = urldefrag(link)
        target = (root / site_path).parent / unquote(path) if path else root / site_path
        yield link, target.resolve(), unquote(place)


def dead_links(site, root):
    """List links whose page or place is not there."""
    found = []
    for site_path, page in site.items():
        for link, target, place in targets(page, site_path, root):
            if not target.exists():
                found.append(f"{site_path} leads to {link}, which is not there")
                continue
            other = site.get(target.relative_to(root.resolve()).as_posix())
            if place and other is not None and place not in other.places:
                found.append(f"{site_path} leads to {link}, a place that is not on that page")
    return found


def clicks(site, root, first="index.html"):
    """Count the clicks from the first page to each other; only what is in the text is counted."""
    reached, edge = {first: 0}, [first]
    while edge:
        site_path = edge.pop(0)
        for _, target, _ in targets(site[site_path], site_path, root):
            name = target.relative_to(root.resolve()).as_posix() if target.exists() else ""
            if name in site and name not in reached:
                reached[name] = reached[site_path] + 1
                edge.append(name)
    return reached


def lost_headings(site, sources):
    """List headings of reStructuredText that are no headings of the built page."""
    found = []
    for path in sorted(sources.rglob("*.rst")):
        name = path.relative_to(sources).with_suffix(".html").as_posix()
        if name not in site:
            continue
        shown = {_plain(heading) for heading in site[name].headings}
        lines = path.read_text(encoding="utf-8").splitlines()
        lost = [
            title for title, line in pairwise(lines)
            if _is_heading(title, line) and not _in_table(title, line, lines)
            and _plain(title) not in shown
        ]  # fmt: skip
        found += [f"{name} lacks the heading {title!r}" for title in lost]
    return found


def bare_pages(root, estimators, displays):
    """List class pages without guide or picture, and examples that show none, or an address."""
    found = []
    for name, mark in [(name, "sphx-glr-thumbcontainer") for name in estimators] + [
        (f"inspection.{name}", f"{name}.png") for name in displays
    ]:
        path = f"api/generated/skdyn.{name}.html"
        text = (root / path).read_text(encoding="utf-8")
        found += [f"{path} lacks {what}" for what in (mark, "User guide: ") if what not in text]
    if os.environ.get("SKDYN_GALLERY") == "0":  # the examples were not run
        return found
    for page in sorted(root.glob("gallery/*/plot_*.html")):
        text, name = page.read_text(encoding="utf-8"), page.relative_to(root)
        if " object at 0x" in text:
            found.append(f"{name} prints an address in memory")
        if "_images/sphx_glr_plot_" not in text:
            found.append(f"{name} shows no picture")
    return found


def _is_heading(title, line):
    rule = r"([=~^-])\1{2,}"
    text = re.match(r"\S", title) and not re.match(rule, title)
    return text and re.fullmatch(rule, line) and len(line) >= len(title.strip())


def _plain(text):
    return re.sub(r"[^a-z0-9]", "", html.unescape(re.sub(r":\w+:", "", text)).lower())


def _in_table(title, line, lines):
    """Whether an underlined line is the head of a table of one column."""
    return lines[max(0, lines.index(title) - 1)] == line


def main(folder):
    """Tell what is wrong with a built site; return whether nothing is."""
    sys.path.insert(0, str(HERE))
    import _pages

    root = Path(folder).resolve()
    site = read_site(root)
    reached = clicks(site, root)
    wrong = dead_links(site, root) + lost_headings(site, HERE)
    wrong += [f"no page leads to {name}" for name in sorted(set(site) - set(reached) - UNLINKED)]
    from skdyn import inspection

    estimators = [name for _, name in _pages.estimator_rows()]
    displays = [name for name in inspection.__all__ if name.endswith("Display")]
    wrong += bare_pages(root, estimators, displays)
    for name in estimators:
        path = f"api/generated/skdyn.{name}.html"
        if reached.get(path, CLICKS + 1) > CLICKS:
            wrong.append(f"{name} is not within {CLICKS} clicks of the first page")
    print("\n".join(wrong) or f"{len(site)} pages, no dead link, all headings there")
    return not wrong


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1]) else 1)
