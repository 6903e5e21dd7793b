"""Words that would like to be code, and a gallery that is full of them."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from pathlib import Path

from support import COMMAND
from support.galleries import SETTINGS, Gallery

WORDS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' autofocus onfocus='alert(1)",
    "<svg/onload=alert(1)>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<base href='https://example.com/'>",
    "<meta http-equiv=refresh content='0;url=https://example.com/'>",
    "<form action=https://example.com/><button>go</button></form>",
    "<a href='javascript:alert(1)'>go</a>",
    "javascript:alert(1)",
    "{{ 7 * 7 }} {% for x in y %} ${alert(1)} #{1}",
    "\\u003cscript\\u003ealert(1)",
    "]]><script>alert(1)</script>",
    "\\'; alert(1); //",
    "&lt;script&gt; &amp;#x3c;",
    "../../../etc/passwd",
    "__proto__ constructor toString",
    "$(touch owned) `touch owned` | touch owned",
    "::error file=a::b ##[add-mask]c",
    "-- ' OR 1=1; DROP TABLE known",
    "%00 %2e%2e%2f %s %n {0} {x!r}",
]

LINKS = [
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](&#106;avascript:alert(1))",
    "[a](\tjavascript:alert(1))",
    "[a](javascript&colon;alert(1))",
    "[a](<java\tscript:alert(1)>)",
    "<javascript:alert(1)>",
    "[a](vbscript:msgbox(1))",
    "[a](data:text/html,<script>alert(1)</script>)",
    "<data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==>",
    "[a](file:///etc/passwd)",
    "[a](blob:https://example.com/1)",
    "[a](//example.com/x)",
    "[a](/x)",
    "[a](..//x)",
    "[a]: javascript:alert(1)\n\n[a]",
    "![a](javascript:alert(1))",
    "![a](data:image/svg+xml,<svg onload=alert(1)>)",
    '[a](https://example.com "x\\" onmouseover=\\"alert(1)")',
    '[a](https://example.com"onmouseover="alert(1))',
    "<a href='https://example.com' onclick='alert(1)' style='position:fixed;inset:0' id=main>a</a>",
    "<a href='javascript&colon;alert(1)'>a</a>",
    "<a href=' javascript:alert(1)'>a</a>",
    "<a href='java&#10;script:alert(1)'>a</a>",
    "<area href='javascript:alert(1)'><link rel=stylesheet href=//example.com/x>",
    "<object data='x.swf'></object><embed src='x.swf'><applet code=x></applet>",
    "<video src=x onerror=alert(1)></video><audio src=x onerror=alert(1)></audio>",
    "<details open ontoggle=alert(1)><summary>a</summary></details>",
    "<input autofocus onfocus=alert(1)><select autofocus onfocus=alert(1)><textarea>a",
    "<img src=x onerror=alert(1)>",
    "<img src='https://example.com/pixel.gif'>",
    "<svg><a xlink:href='javascript:alert(1)'><text>a</text></a></svg>",
    "<svg><foreignObject><iframe onload=alert(1)></foreignObject></svg>",
    "<style>@import 'https://example.com/x'; * { background: url(https://example.com/y) }</style>",
    "<p style='background:url(https://example.com/y)'>a</p>",
    "<template><img src=x onerror=alert(1)></template>",
    "```html\n<script>alert(1)</script>\n```",
    "```<script>alert(1)</script>\na\n```",
    "`<script>alert(1)</script>`",
    "| <img src=x onerror=alert(1)> | b |\n|---|---|\n| <script>alert(1)</script> | d |",
    "# <img src=x onerror=alert(1)>\n\n<h1 onclick=alert(1)>a</h1>",
    "> <script>alert(1)</script>\n\n1. <script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<p/onclick=alert(1)>a<p\nonclick=alert(1)>b",
    "<xmp><script>alert(1)</script></xmp><plaintext><script>alert(1)</script>",
    "<https://example.com/\"onmouseover='alert(1)'>",
    "www.example.com javascript:alert(1) https://example.com",
]


def quoted(text: str) -> str:
    """A text as YAML, whatever is in it."""
    return json.dumps(text, ensure_ascii=False)


def hostile_gallery(root: Path) -> Gallery:
    """A gallery of nothing but such prompts; all of them are in order."""
    gallery = Gallery(root)
    address = 'base_url = "https://example.org/g/"\nrepository = "https://github.com/o/g"\nauthor = "me"'
    gallery.write("gallery.toml", SETTINGS.replace('title = "Test gallery"', f'title = "Test"\n{address}'))
    for number, words in enumerate(WORDS):
        lines = [f"prompt: {quoted(f'{number} {words}')}", f"title: {quoted(words[:100])}", "duration: 1"]
        lines += ["author: octocat", "tags: [a & b, c'd]", "date: 2026-11-20"]
        gallery.prompt(f"words/w{number:02}", *lines, notes=words)
    for number, notes in enumerate(LINKS):
        gallery.prompt(f"notes/n{number:02}", f"prompt: note {number}", "duration: 1", notes=notes)
    for number in range(0, len(LINKS), 8):
        notes = "\n\n".join(LINKS[number : number + 8])
        gallery.prompt(f"many/m{number:02}", f"prompt: notes {number}", "duration: 1", notes=notes)
    takes = (f"  - {{prompt: {quoted(words)}}}" for words in WORDS)
    gallery.prompt("takes", "prompt: takes", "duration: 1.5", "takes:", *takes)
    values = ", ".join(map(quoted, WORDS[:6]))
    gallery.prompt("grid", "duration: 1", "vary:", f"  prompt: [{values}]", "  seed: [1, 2]")
    return gallery


def run_limited(
    gallery: Gallery, *arguments: object, seconds: int = 60, megabytes: int = 4000
) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own that may take so much processor time and memory, and no more."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
        resource.setrlimit(resource.RLIMIT_FSIZE, (200 << 20, 200 << 20))

    return subprocess.run(
        [COMMAND, "--gallery", gallery.root, *map(str, arguments)],
        preexec_fn=limit,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # it sets memory aside for every core there is
        capture_output=True,
        text=True,
        timeout=10 * seconds,
        check=False,
    )
