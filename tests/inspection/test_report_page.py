import pytest

from skdyn.inspection._report_page import shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\" onclick='x'", "&quot; onclick=&#x27;x&#x27;"),
        ("a\nb\tc", "a\u23ceb\u21e5c"),
        ("\x00\x1b\x85", "\\u0000\\u001b\\u0085"),
        ("\u202eabc", "\\u202eabc"),  # would turn what follows it
        ("\ud800", "\\ud800"),  # half a letter, which no file can hold
        ("&lt;", "&amp;lt;"),
        ("Größe 数", "Größe 数"),
    ],
)
def test_any_text_is_shown_as_it_is(text, expected):
    assert shown(text) == expected


def test_long_texts_are_cut_before_they_are_escaped():
    assert shown("<" * 1000) == "&lt;" * 79 + "\u2026"
