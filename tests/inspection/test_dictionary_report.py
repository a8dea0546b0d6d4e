import re
import shutil
import subprocess
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdyn import CodebookTransformer, SparseAutoencoder
from skdyn.inspection import dictionary_report

X = np.random.default_rng(0).normal(size=(60, 5)).astype("f")
HOSTILE = (
    "</code><script>document.title = 'taken'</script>",
    "<img src=x onerror=alert(1)>",
    "\x00",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)


@cache
def coder():
    return SparseAutoencoder(8, k=2, max_iter=2, random_state=0).fit(X)


class Page(HTMLParser):
    """What a page holds: its tags, the attributes in them, and the text of each section."""

    def __init__(self, path):
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.tags, self.attributes, self.open, self.sections = [], [], [], {}
        self.feed(self.source)
        self.close()
        assert self.open == []  # each was closed, in its turn

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta",):
            self.open.append(tag)
        if tag == "section":
            self.section = dict(attrs)["id"]
            self.sections[self.section] = ""

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "section" in self.open:
            self.sections[self.section] += data

    def numbers(self, column):
        """Return the keys by which a column of the table is sorted."""
        rows = re.findall("<tr>(<td.*)</tr>", self.source)
        return [float(re.findall('data-key="([^"]*)"', row)[column]) for row in rows]


def report(tmp_path, X=X, coder=None, **options):
    model = SparseAutoencoder(8) if coder is None else coder
    return Page(dictionary_report(model, X, tmp_path / "page.html", **options))


def test_the_table_and_the_sections_tell_what_the_coder_does(tmp_path):
    page = report(tmp_path, coder=coder(), n_top=3)
    table = coder().feature_table(X)
    alive = table[table["density"] > 0].sort_values("density", ascending=False)
    assert page.numbers(1) == alive["density"].tolist()
    assert sorted(page.numbers(0)) == sorted(alive.index)
    assert set(page.sections) == {f"f{feature}" for feature in alive.index}
    for feature in alive.index:
        rows, _ = coder().top_activating(feature, X, n=3)
        shown = list(map(int, re.findall(r"row (\d+)", page.sections[f"f{feature}"])))
        assert shown == rows.tolist()


def test_nothing_comes_from_outside_and_links_lead_somewhere(tmp_path):
    page = report(tmp_path, coder=coder(), features=[3, 1], n_neighbors=7)
    assert set(page.sections) == {"f3", "f1"}
    links = {value for name, value in page.attributes if name == "href"}
    assert links == {"#f3", "#f1"}
    assert not {name for name, _ in page.attributes} & {"src", "srcset", "onclick", "action"}
    assert not re.search("https?:|@import|url\\(", page.source)


def test_hostile_names_are_text(tmp_path):
    names = [HOSTILE[row % 3] for row in range(60)]
    labels = np.array(["<i>one", "two&"])[np.arange(60) % 2]
    page = report(tmp_path, coder=coder(), row_names=names, window=2, y=labels, title="<u>all</u>")
    assert not {"img", "i", "u"} & set(page.tags)
    assert page.tags.count("script") == 1
    assert "onerror=alert(1)" in "".join(page.sections.values())
    assert "\x00" not in page.source


def test_tokens_stand_in_their_text_shaded_by_the_activation_there(tmp_path):
    names = [f"t{row}." for row in range(60)]
    page = report(
        tmp_path, coder=coder(), row_names=pd.Series(names, index=range(60, 0, -1)), window=1,
        groups=np.arange(60) // 20, features=[0], n_top=60,
    )  # fmt: skip
    codes = coder().transform(X)[:, 0]
    lines = page.source.split("<ol>")[1].split("<li>")[1:]
    assert len(lines) == (codes != 0).sum()
    for line in lines:
        row = int(re.findall(r"row (\d+)", line)[0])
        near = [i for i in (row - 1, row, row + 1) if 0 <= i < 60 and i // 20 == row // 20]
        assert [int(token) for token in re.findall(r"t(\d+)\.", line)] == near
        assert re.findall(r"<b>t(\d+)\.</b>", line) == [str(row)]
        shades = [float(shade) for shade in re.findall(r"159 0 / ([\d.]+)", line)]
        np.testing.assert_allclose(shades, (codes[near] / codes[row]).clip(0, 1), atol=0.006)


def test_a_feature_speaks_of_the_class_that_it_tells_best(tmp_path):
    codes = coder().transform(X)
    y = np.where(codes[:, 2] > 0, "here", "elsewhere")
    page = report(tmp_path, coder=coder(), y=y, features=[2])
    assert (
        "Speaks of here: 100\xa0% of where it is active, 100\xa0% of the class."
        in (page.sections["f2"])
    )


def told(source):
    """Split a page into its words, and the keys that its tables are sorted by."""
    keys = re.findall('data-key="([^"]*)"', source)
    return re.sub('data-key="[^"]*"', "", source), np.array([float(key) for key in keys if key])


def test_streams_tell_the_same_as_memory(tmp_path):
    y, parts = np.arange(60) % 3, np.array_split(X, 7)
    words, keys = told(report(tmp_path, coder=coder(), y=y).source)
    for stream in (parts, lambda: iter(parts)):
        streamed, numbers = told(report(tmp_path, stream, coder(), y=y).source)
        assert streamed == words
        np.testing.assert_allclose(numbers, keys, rtol=1e-5)  # sums of parts round otherwise


def test_pipelines_and_codes_without_amounts_are_told_too(tmp_path):
    book = make_pipeline(StandardScaler(), CodebookTransformer(6, k=2, max_iter=2, random_state=0))
    words, keys = told(report(tmp_path, coder=book.fit(X)).source)
    streamed, numbers = told(report(tmp_path, np.array_split(X, 3), book).source)
    assert streamed == words
    np.testing.assert_allclose(numbers, keys, rtol=1e-5)
    assert "CodebookTransformer" in words


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"X": iter([X])}, "read only once"),
        ({"coder": Ridge().fit(X, X)}, "got Ridge"),
        ({"y": np.linspace(0, 1, 60)}, "one class a sample"),
        ({"y": np.zeros(59, dtype=int)}, "y has 59 entries for 60"),
        ({"row_names": ["a"] * 61}, "row_names has 61 entries"),
        ({"window": 2}, "row_names"),
        ({"window": -1}, "window must be"),
        ({"n_top": 0}, "n_top must be"),
        ({"features": [8]}, "within 0 and 7"),
        ({"features": [1, 1]}, "once each"),
        ({"window": 10**6, "row_names": ["a"] * 60}, "too many for a page"),
    ],
)
def test_what_cannot_be_shown_is_refused(tmp_path, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        report(tmp_path, **{"coder": coder(), **options})


def browse(path, *options, place=""):
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += [f"--user-data-dir={path.parent / 'profile'}", *options, f"{path.as_uri()}{place}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(BROWSER is None, reason="there is no browser here")
def test_a_browser_shows_it_sorts_it_and_runs_no_script_of_others(tmp_path):
    names = [HOSTILE[0]] * 60
    path = dictionary_report(coder(), X, tmp_path / "page.html", row_names=names, title="mine")
    found = browse(path, "--dump-dom", place="#sort=0,up")
    assert "<title>mine</title>" in found
    order = [int(number) for number in re.findall(r'<tr><td data-key="(\d+)"', found)]
    assert len(order) > 3
    assert order == sorted(order)


@pytest.mark.skipif(BROWSER is None, reason="there is no browser here")
@pytest.mark.parametrize("width", [1280, 400])
def test_a_browser_draws_it_within_the_width_of_the_window(tmp_path, width):
    names = [f"token{row % 7} " for row in range(60)]
    path = dictionary_report(
        coder(), X, tmp_path / "page.html", row_names=names, window=9, y=np.arange(60) % 2
    )
    picture = tmp_path / "page.png"
    browse(path, f"--screenshot={picture}", f"--window-size={width},1500")
    pixels = imread(picture)[..., :3]
    assert pixels.shape[1] == width
    ink = (pixels < 1).any(axis=(0, 2))
    assert ink[: width // 2].any()
    assert ink[width // 2 :].any()
    assert not ink[-10:].any()  # the margin
    orange = (pixels[..., 0] > 0.8) & (pixels[..., 2] < 0.4)  # what is most active is shaded most
    assert orange.sum() > 100
