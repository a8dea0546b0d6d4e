"""Put the docs of a version beside those of others: ``python docs/_versions.py BUILT SITE URL``.

``BUILT`` is a folder of pages as Sphinx made them, with ``SKDYN_DOCS_URL=URL`` set so that they
show a menu of versions. They are copied to ``SITE/<version>``; ``SITE/versions.json`` lists what
lies there, newest first, and ``SITE/index.html`` leads to the newest release. Nothing but these
files has to be served.
"""

import argparse
import json
import shutil
from pathlib import Path

from packaging.version import Version

import skdyn

INDEX = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>skdyn</title>
<meta http-equiv="refresh" content="0; url={newest}/index.html">
<link rel="canonical" href="{url}/{newest}/index.html">
<p><a href="{newest}/index.html">skdyn {newest}</a></p>
</html>
"""


def put(built, site, url, version=skdyn.__version__):
    """Copy built pages into a site, in place of those of the same version; return all versions."""
    if not (built / "index.html").is_file():
        raise ValueError(f"{built} holds no index.html: build the docs into it first")
    site.mkdir(parents=True, exist_ok=True)
    if (site / version).exists():
        shutil.rmtree(site / version)
    shutil.copytree(built, site / version, ignore=shutil.ignore_patterns(".doctrees"))
    versions = sorted((path.parent.name for path in site.glob("*/index.html")), key=Version)[::-1]
    newest = next((name for name in versions if not Version(name).is_prerelease), versions[0])
    entries = [
        {
            "version": name,
            "name": f"{name} (newest)" if name == newest else name,
            "url": f"{url}/{name}/",
            "preferred": name == newest,
        }
        for name in versions
    ]
    (site / "versions.json").write_text(json.dumps(entries, indent=2), encoding="utf-8")
    (site / "index.html").write_text(INDEX.format(newest=newest, url=url), encoding="utf-8")
    return versions


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("built", type=Path)
    parser.add_argument("site", type=Path)
    parser.add_argument("url", help="where the site is served, without a slash at its end")
    options = parser.parse_args()
    print(*put(options.built, options.site, options.url.rstrip("/")), sep="\n")


if __name__ == "__main__":
    main()
