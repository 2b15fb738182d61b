"""Bodies: Markdown, HTML and plain text as safe HTML, and as plain text."""

from __future__ import annotations

import pytest

from platforms.text import markup, slugs


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Hello", "markdown"),
        ("# Hello\n\n*World*", "markdown"),
        ("a < b and c > d", "markdown"),
        ("I <3 you", "markdown"),
        ("<p>Hello</p>", "html"),
        ("Hello <p>x</p>", "html"),
        ("<!-- wp:paragraph --><p>x</p>", "html"),
        ("use `<b>` for bold", "markdown"),
    ],
)
def test_a_body_is_read_as_what_it_looks_like(text, kind):
    assert markup.format_of(text, "auto") == kind
    assert markup.format_of(text, "text") == "text"


@pytest.mark.parametrize(
    ("given", "asked", "made"),
    [
        ("Hi *you* & me", "markdown", "<p>Hi <em>you</em> &amp; me</p>"),
        ("one\ntwo", "auto", "<p>one<br>\ntwo</p>"),
        ("see https://x.test/a?b=1&c=2.", "auto",
         '<p>see <a href="https://x.test/a?b=1&amp;c=2">https://x.test/a?b=1&amp;c=2</a>.</p>'),
        ("[x](https://y.test) https://z.test", "auto",
         '<p><a href="https://y.test">x</a> <a href="https://z.test">https://z.test</a></p>'),
        ("<script>alert(1)</script>", "markdown", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("[x](javascript:alert(1))", "markdown", "<p>[x](javascript:alert(1))</p>"),
        ("<p onclick='a()'>x<script>bad()</script><iframe src='https://e.test'></iframe></p>", "html", "<p>x</p>"),
        ("<a href='javascript:a()'>x</a><img src='data:a'>", "html", "<a>x</a><img>"),
        ("<p style='color:red;position:fixed;background:url(https://e.test)'>x</p>", "html", '<p style="color:red">x</p>'),
        ("<b>open", "html", "<b>open</b>"),
        ("<b> & *this*\n\nis text", "text", "<p>&lt;b&gt; &amp; *this*</p>\n<p>is text</p>"),
        ("", "auto", ""),
    ],
)  # fmt: skip
def test_a_body_becomes_safe_html(given, asked, made):
    assert markup.to_html(given, asked) == made


def test_comments_and_lone_addresses_are_the_callers_choice():
    block = "<!-- wp:paragraph --><p>x</p><!-- /wp:paragraph -->"
    assert markup.to_html(block, comments=True) == block
    assert markup.to_html(block) == "<p>x</p>"
    lone = "Look:\n\nhttps://video.test/1"
    assert markup.to_html(lone, lone_addresses=False) == "<p>Look:</p>\n<p>https://video.test/1</p>"
    assert '<a href="https://video.test/1">' in markup.to_html(lone)
    assert "<a " not in markup.to_html("https://video.test/1", "text", lone_addresses=False)


def test_files_go_where_the_body_says():
    body = markup.to_html("![a](media:2)\n\n![b](media:9)")
    assert markup.placed_numbers(body) == {2, 9}
    assert markup.with_files(body, {1: "https://x/1", 2: 'https://x/2?a="&b'}) == (
        '<p><img src="https://x/2?a=&quot;&amp;b" alt="a"></p>\n<p></p>'
    )


def test_html_becomes_text():
    body = (
        "<h1>Title</h1><p>One <b>bold</b> &amp; <a href='https://x.test'>link</a>,<br>new line</p><ul><li>a</li><li>b<ol><li>c</li>"
        "<li>d</li></ol></li></ul><style>p{}</style><p><img src='x' alt='A cat'></p><p><a href='https://y.test'>https://y.test</a>"
        " <a href='mailto:a@b.test'>a@b.test</a></p><hr><pre>  kept\n as is</pre>"
    )
    assert markup.to_text(body) == (
        "Title\n\nOne bold & link (https://x.test),\nnew line\n\n- a\n- b\n1. c\n2. d\n\n[A cat]\n\nhttps://y.test a@b.test\n\n"
        "------------------------------\n\n  kept\n as is"
    )


@pytest.mark.parametrize(
    ("text", "most", "made"),
    [("short", 10, "short"), ("two words here", 10, "two words…"), ("unbreakable", 5, "unbr…"), ("a\n\n b", 10, "a b")],
)
def test_an_excerpt_ends_between_words(text, most, made):
    assert markup.excerpt(text, most) == made
    assert len(made) <= most


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Grüße & «quotes» 👋", "grusse-quotes"),
        ("Don't stop", "dont-stop"),
        ("早上好", ""),
        ("x" * 200, "x" * 80),
        ("word " * 30, "-".join(["word"] * 16)),
    ],
)
def test_a_slug_says_the_title_in_ascii(text, words):
    assert slugs.words(text) == words
    assert slugs.slug(text, "key") == f"{words or 'post'}-2c70e12b7a06"


def test_other_keys_have_other_slugs():
    assert slugs.slug("a", "key-1") != slugs.slug("a", "key-2")
