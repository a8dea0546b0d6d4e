"""Assemble the fragments of ``docs/changes`` into CHANGELOG.md.

``python docs/_changelog.py 0.2.0`` writes the section of a release, dated today or by a second
argument such as "unreleased"; what a section of this version holds already stays. A fragment is a
file ``<words>.<kind>.rst`` of one or a few sentences; see ``docs/changes/README.rst``.
"""

import re
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
KINDS = {
    "feature": "New",
    "speed": "Faster",
    "fix": "Fixed",
    "change": "Changed, and what to do",
    "doc": "Documentation",
}
MARK = "<!-- new releases go below this line -->\n"


def fragments(folder):
    """Yield (path, kind, text) of each fragment; a wrong name is an error."""
    for path in sorted(folder.glob("*.rst")):
        if path.name == "README.rst":
            continue
        pieces = path.name.split(".")
        if len(pieces) != 3 or pieces[1] not in KINDS:
            raise ValueError(
                f"{path.name} must be named <words>.<kind>.rst with kind one of {', '.join(KINDS)}."
            )
        yield path, pieces[1], " ".join(path.read_text(encoding="utf-8").split())


def section(version, day, found):
    """The Markdown section of one release."""
    lines = [f"## {version} ({day})", ""]
    for kind, title in KINDS.items():
        entries = [text for _, other, text in found if other == kind]
        if entries:
            lines += [f"### {title}", "", *(f"- {text}" for text in entries), ""]
    return "\n".join(lines)


def assemble(version, folder, changelog, day=None):
    """Write the section of ``version`` into the changelog and remove its fragments."""
    found = list(fragments(folder))
    if not found:
        raise ValueError(f"No fragment in {folder}: nothing changed since the last release.")
    text = changelog.read_text(encoding="utf-8")
    if MARK not in text:
        raise ValueError(f"{changelog} must hold the line {MARK.strip()!r}.")
    old = re.search(rf"(?ms)^## {re.escape(version)} \(.*?(?=^## |\Z)", text)
    if old:
        text = text.replace(f"\n{old.group()}", "\n")
        kinds = {title: kind for kind, title in KINDS.items()}
        for part in old.group().split("\n### ")[1:]:
            title, *lines = part.splitlines()
            found += [(None, kinds[title], line[2:]) for line in lines if line.startswith("- ")]
    new = section(version, day or date.today().isoformat(), found)
    changelog.write_text(text.replace(MARK, f"{MARK}\n{new}", 1), encoding="utf-8")
    for path, _, _ in found:
        if path is not None:
            path.unlink()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python docs/_changelog.py VERSION [DATE]")
    assemble(sys.argv[1], ROOT / "docs" / "changes", ROOT / "CHANGELOG.md", *sys.argv[2:])
