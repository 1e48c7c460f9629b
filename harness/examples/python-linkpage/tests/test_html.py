import pytest

from linkpage.html import Link, is_web_address, render_page


def test_what_a_creator_wrote_is_text():
    link = Link('a"b', "<script>1</script>", "https://a.test/?x=1&y=2")
    html = render_page("v<1>", "<b>Ann</b>", "R&D", [link])
    assert "<script>" not in html and "<b>" not in html
    assert '<meta name="profile-version" content="v&lt;1&gt;">' in html
    assert 'href="https://a.test/?x=1&amp;y=2" data-link-id="a&#34;b"' in html
    assert "R&amp;D" in html


def test_what_is_no_web_address_is_shown_without_a_link():
    html = render_page("v", "Ann", "", [Link("l1", "Click", "javascript:alert(1)")])
    assert "<a " not in html
    assert '<span data-link-id="l1">Click</span>' in html


@pytest.mark.parametrize(
    ("text", "is_web"),
    [
        ("https://a.test/", True),
        ("HTTP://a.test", True),
        ("javascript:alert(1)", False),
        ("java\tscript:alert(1)", False),
        (" https://a.test", False),
        ("//a.test", False),
        ("https:a.test", False),
        ("https://[", False),
        ("data:text/html,x", False),
        ("", False),
    ],
)
def test_web_addresses(text, is_web):
    assert is_web_address(text) == is_web
