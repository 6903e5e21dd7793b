"""The synthetic gallery as a Hugo site: minimal templates that make the same kinds of pages.

A page for each prompt with its clips, their requests and texts to copy, a small page of it
for frames, lists of 60 by date, tag, model and author, a feed, a sitemap, the search index
and the catalogue as data. Hugo is told what this builder works out for itself (keys,
records); kin, validation, the sharing of clips and guides have no counterpart there.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

from sites import synthetic

BUILD = [str(Path(sys.executable).with_name("hugo")), "--quiet"]

_OWN_PARTS = Path(__file__).parent.parent.parent / "templates" / "parts"


def write_site(folder: Path, size: int, *, audio: bool = False) -> None:
    """The whole Hugo site of ``size`` prompts, with the files of their clips or without."""
    shutil.copytree(Path(__file__).parent / "hugo", folder)
    for name in ("sprites", "dock"):
        # The same on every page here; what Jinja would fill in is left out.
        text = (_OWN_PARTS / f"{name}.html").read_text()
        fixed = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", text, flags=re.DOTALL)
        (folder / "layouts" / "_partials" / f"{name}.html").write_text(fixed)
    for number in range(size):
        write_page(folder, number)
        for request in synthetic.requests(number) if audio else ():
            for suffix, data in synthetic.files_of(request).items():
                path = folder / "static" / "audio" / f"{request.key}{suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)


def write_page(folder: Path, number: int) -> None:
    """One prompt's content file."""
    fields = synthetic.front_matter(number)
    clips = [
        {
            **request.model_dump(mode="json", exclude_none=True),
            "key": request.key,
            "model": "small",
            "hub": request.model,
            "audio": f"https://audio.example.org/{request.key}.mp3",
            "cover": f"https://audio.example.org/{request.key}.webp",
            "peaks": synthetic.peaks(request),
            "provenance": {"engine": "musicgen", **synthetic.PROVENANCE},
        }
        for request in synthetic.requests(number)
    ]
    date, authors = fields["date"].isoformat(), [fields["author"]]
    matter = {**fields, "date": date, "authors": authors, "models": ["small"], "clips": clips}
    path = folder / "content" / "prompts" / f"{synthetic.prompt_path(number)}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{json.dumps(matter, indent=1)}\n\n{synthetic.notes(number)}\n")
