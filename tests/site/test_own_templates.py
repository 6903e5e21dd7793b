"""A mistake in a gallery's own template is a line: which file, where in it, and what."""

from __future__ import annotations

import pytest

from gallery.utils import parallel
from support.galleries import Gallery

# What a gallery's own 404.html or another template may have wrong: its text, the line, and what is said.
FRAME = '{% extends "base.html" %}\n{% block main %}\n'
MISTAKES = {
    "an unclosed block": (FRAME + "<p>\n", 3, "Jinja was looking for the following tags: 'endblock'"),
    "an unclosed expression": (FRAME + "{{ site.title }\n{% endblock %}", 3, "unexpected '}'"),
    "an unclosed comment": (FRAME + "{# a\n{% endblock %}", 3, "Missing end of comment tag"),
    "an unknown tag": (FRAME + "{% blok a %}{% endblock %}", 3, "unknown tag 'blok'"),
    "an unknown variable": (FRAME + "\n{{ titel }}\n{% endblock %}", 4, "'titel' is undefined"),
    "an unknown attribute": (FRAME + "{{ site.titel.upper() }}{% endblock %}", 3, "no attribute 'titel'"),
    "an unknown filter": (FRAME + "{{ 1|shout }}{% endblock %}", 3, "No filter named 'shout'"),
    "an unknown test": (FRAME + "{{ 1 is loud }}{% endblock %}", 3, "No test named 'loud'"),
    "an unknown function": (FRAME + "{{ shout(1) }}{% endblock %}", 3, "'shout' is undefined"),
    "an unknown parent": ('\n{% extends "bas.html" %}', 2, "there is no template bas.html"),
    "an unknown include": (FRAME + '{% include "x.html" %}{% endblock %}', 3, "there is no template x.html"),
    "an unknown asset": (FRAME + "{{ asset('x.css') }}{% endblock %}", 3, "there is no file assets/x.css"),
    "an unknown part": (FRAME + "{{ part('x') }}{% endblock %}", 3, "there is no template parts/x.html"),
    "an unknown macro": (FRAME + "{{ clips.rows(1) }}{% endblock %}", 3, "no attribute 'rows'"),
    "a macro given too much": (
        FRAME + "{{ clips.mark(1, 2, 3, 4, 5) }}{% endblock %}",
        3,
        "TypeError: macro",
    ),
    "an error": (FRAME + "{% set a = 1 / 0 %}{% endblock %}", 3, "ZeroDivisionError: division by zero"),
    "an error of ours": (FRAME + "{{ link(None) }}{% endblock %}", 3, "TypeError: "),
    "itself": ('{% include "404.html" %}', 1, "RecursionError: "),
    "other text than UTF-8": (
        FRAME.encode() + "{# schön #}".encode("latin-1"),
        3,
        "not UTF-8; save it as UTF-8",
    ),
    "steering": (FRAME + "{{ '\x1b[31m'|attr('\x1b##[x]')() }}{% endblock %}", 3, "##\\u005bx]"),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gallery, dict[str, bytes]]:
    """A gallery without templates of its own, and its site; each test leaves both as they were."""
    gallery = Gallery(tmp_path_factory.mktemp("templates") / "gallery").begin()
    gallery.prompt("a", "prompt: a", "duration: 1")
    assert gallery.run("build", "--engine", "none").code == 0
    return gallery, gallery.files()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_template_is_one_line(built: tuple[Gallery, dict[str, bytes]], mistake: str) -> None:
    (gallery, before), (text, line, said) = built, MISTAKES[mistake]
    path = gallery.write("templates/404.html", text)
    ran = gallery.run("build", "--engine", "none")
    path.unlink()
    assert ran.code == 1
    [told] = ran.err.splitlines()
    assert told.startswith(f"Error: templates/404.html:{line}: "), told
    assert said in told and told.isprintable() and "##[" not in told
    assert gallery.files().keys() == before.keys()
    assert gallery.run("build", "--engine", "none").code == 0
    assert gallery.files() == before


def test_a_mistake_that_a_packaged_template_comes_upon_names_our_own(gallery: Gallery) -> None:
    """Pages that come with the tool ask the gallery's own files for what they lack."""
    gallery.prompt("a", "prompt: a", "duration: 1")
    for name, text, told in (
        ("parts/clips.html", "{% macro line(clip) %}{% endmacro %}", "templates/parts/clips.html: "),
        ("base.html", "<title>\n{{ nobody }}", "templates/base.html:2: 'nobody' is undefined"),
    ):
        path = gallery.write(f"templates/{name}", text)
        ran = gallery.run("build", "--engine", "none")
        assert ran.code == 1 and ran.err.startswith(f"Error: {told}"), ran.err
        assert len(ran.err.splitlines()) == 1
        path.unlink()


def test_a_mistake_in_a_process_beside_this_one_is_the_same_line(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large sites are written by several processes, between which errors travel."""
    monkeypatch.setattr(parallel, "FEW", 2)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    gallery.prompt("a", "prompt: a", "duration: 1")
    for text, told in (
        (FRAME + "{{ titel }}{% endblock %}", "'titel' is undefined"),
        (FRAME + "{{ 1|shout }}{% endblock %}", "No filter named 'shout'."),
        (FRAME + '{% include "x.html" %}{% endblock %}', "there is no template x.html"),
    ):
        gallery.write("templates/prompt.html", text)
        ran = gallery.run("build", "--engine", "none")
        assert (ran.code, ran.err) == (1, f"Error: templates/prompt.html:3: {told}\n")
