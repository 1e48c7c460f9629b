import pytest

from linkpage.html import Link, render_page, safe_address


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
    ("text", "href"),
    [
        ("https://a.test/", "https://a.test/"),
        (" HTTPS://A.test/a b ", "https://a.test/a%20b"),
        ("ht\ntps:\\\\a.test\\b", "https://a.test/b"),
        ("https:a.test", "https://a.test/"),
        ("https://a.test/?q=\"'<>", "https://a.test/?q=%22%27%3C%3E"),
        ("mailto:ann@a.test", "mailto:ann@a.test"),
        ("tel:+1", "tel:+1"),
    ],
)
def test_addresses_that_can_run_nothing_are_written_as_they_were_understood(text, href):
    assert safe_address(text) == href


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "java\r\nscript:alert(1)",
        "javascript\t:alert(1)",
        "\x00javascript:alert(1)",
        "\x01\x1f javascript:alert(1)",
        "javascript://a.test/%0Aalert(1)",
        "javascript&colon;alert(1)",
        "vbscript:x",
        "data:text/html,x",
        "blob:https://a.test/x",
        "file:///etc/passwd",
        "//a.test",
        "/p",
        "https://[",
        "",
    ],
)
def test_all_others_are_none_however_they_are_spelled(text):
    assert safe_address(text) is None


def test_quotes_of_an_address_end_no_attribute():
    html = render_page("v", "Ann", "", [Link("l1", "Call", "tel:1'\"onclick=x")])
    assert 'href="tel:1&#39;&#34;onclick=x"' in html
