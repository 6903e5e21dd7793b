"""The synthetic gallery as a Hugo site: minimal templates that make the same kinds of pages.

A page for each prompt with its clips, their requests and texts to copy, a page of it for
frames, lists of 60 by date, tag, model and author, a feed, a sitemap, the search index and
the catalogue as data. Hugo is given what this builder works out for itself (keys, peaks),
and leaves out what it cannot do: kin, validation, social cards.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import synthetic

TEMPLATES = Path(__file__).parent.parent / "templates"

_CONFIG = """baseURL = "https://example.org/gallery/"
locale = "en"
title = "A large gallery"
disableKinds = ["section"]

[taxonomies]
tag = "tags"
model = "models"
author = "authors"

[pagination]
pagerSize = 60

[outputs]
home = ["html", "rss", "search", "catalogue"]
page = ["html", "embed"]
term = ["html"]
taxonomy = ["html"]

[outputFormats.embed]
mediaType = "text/html"
baseName = "embed"
isHTML = true

[outputFormats.search]
mediaType = "application/json"
baseName = "search"

[outputFormats.catalogue]
mediaType = "application/json"
baseName = "catalogue"
"""

_BASE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ .Title }} · {{ site.Title }}</title>
<meta name="description" content="{{ .Description }}">
<meta property="og:title" content="{{ .Title }}"><meta property="og:url" content="{{ .Permalink }}">
<link rel="canonical" href="{{ .Permalink }}">
<link rel="stylesheet" href="{{ "assets/site.css" | relURL }}">
</head><body>
{{ partialCached "sprites.html" . }}
<header><a href="{{ "/" | relURL }}">{{ site.Title }}</a></header>
<main>{{ block "main" . }}{{ end }}</main>
{{ partialCached "dock.html" . }}
</body></html>
"""

_ROW = """{{ $clip := index .Params.clips 0 }}
<article class="row" data-clip="{{ $clip.key }}" data-audio="{{ $clip.audio }}" data-length="{{ $clip.length }}">
<button class="play" type="button" aria-label="Play {{ .Title }}"><svg width="24" height="24"><use href="#i-play"/></svg></button>
<p>{{ .Title }}</p><h2><a href="{{ .RelPermalink }}">{{ .Params.prompt }}</a></h2>
<p>{{ $clip.model }} {{ $clip.length }} s {{ $clip.seed }}
{{ range .Params.tags }}<a class="tag" href="{{ "tags/" | relURL }}{{ . | urlize }}/">#{{ . }}</a>{{ end }}</p>
{{ range .Params.clips }}<button class="take" data-clip="{{ .key }}" data-audio="{{ .audio }}">{{ .cfg_coef }}</button>{{ end }}
<noscript><audio controls preload="none" src="{{ $clip.audio }}"></audio></noscript>
<img src="{{ $clip.cover }}" alt="" width="480" height="96" loading="lazy">
</article>
"""

_ROWS = """{{ define "main" }}<h1>{{ .Title }}</h1>
{{ range PAGES.Pages }}{{ partial "row.html" . }}{{ end }}
{{ with PAGES }}{{ if .HasPrev }}<a href="{{ .Prev.URL }}">newer</a>{{ end }}
page {{ .PageNumber }} of {{ .TotalPages }}
{{ if .HasNext }}<a href="{{ .Next.URL }}">older</a>{{ end }}{{ end }}{{ end }}
"""

_NAMES = """{{ define "main" }}<h1>{{ .Title }}</h1><ul>
{{ range .Data.Terms.ByCount }}<li><a href="{{ .Page.RelPermalink }}">{{ .Page.Title }}</a> {{ .Count }}</li>{{ end }}
</ul>{{ end }}
"""

_CLIP = """<div class="single" id="{{ substr .key 0 8 }}" data-clip="{{ .key }}" data-audio="{{ .audio }}" data-peaks="{{ .peaks }}" data-length="{{ .length }}">
<img src="{{ .cover }}" alt="" width="480" height="96">
<button class="play" type="button"><svg width="24" height="24"><use href="#i-play"/></svg></button>
<a href="{{ .audio }}" download>download MP3</a>
<noscript><audio controls preload="none" src="{{ .audio }}"></audio></noscript></div>
"""

_PROMPT = """{{ define "main" }}
<nav>prompts {{ .Title }}</nav><h1>{{ .Title }}</h1><blockquote dir="auto">{{ .Params.prompt }}</blockquote>
<p>by {{ range .Params.authors }}<a href="{{ "authors/" | relURL }}{{ . | urlize }}/">{{ . }}</a>{{ end }}
<time>{{ .Date.Format "2006-01-02" }}</time>
{{ range .Params.tags }}<a class="tag" href="{{ "tags/" | relURL }}{{ . | urlize }}/">#{{ . }}</a>{{ end }}</p>
{{ range .Params.clips }}{{ partial "clip.html" . }}{{ end }}
<section><h2>Notes</h2>{{ .Content }}</section>
{{ $prompt := .Params.prompt }}
{{ range $clip := .Params.clips }}
<details><summary>Request</summary><table>
{{ range $name := slice "model" "hub" "length" "seed" "cfg_coef" "key" }}
<tr><th>{{ $name }}</th><td>{{ index $clip $name }}</td></tr>{{ end }}
</table><h3>How it was made</h3><table><tr><th>engine</th><td>musicgen</td></tr><tr><th>date</th><td>2026-11-20</td></tr></table>
<pre>from audiocraft.models import MusicGen
import soundfile, torch
model = MusicGen.get_pretrained("{{ .hub }}")
model.set_generation_params(duration={{ .length }}, cfg_coef={{ .cfg_coef }}, top_k=250, top_p=0, temperature=1)
torch.manual_seed({{ .seed }})
audio = model.generate(["{{ $prompt }}"])
soundfile.write("clip.wav", audio[0].cpu().float().numpy().T, model.sample_rate, "FLOAT")</pre>
<pre>{{ dict "model_version" "large" "prompt" $prompt "duration" .length "seed" .seed "top_k" 250 "top_p" 0 | jsonify (dict "indent" "  ") }}</pre>
<pre>{{ dict "text" $prompt "model_name" .hub "duration" .length "topk" 250 "topp" 0 "seed" .seed | jsonify (dict "indent" "  ") }}</pre>
<pre>---
prompt: {{ $prompt }}
seed: {{ .seed }}
cfg_coef: {{ .cfg_coef }}
---</pre>
<a href="https://github.com/octocat/gallery/new/main?filename=prompts%2Fremix.md&amp;value={{ $prompt | urlquery }}">remix</a>
</details>{{ end }}
<nav>{{ with .NextInSection }}<a href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}
{{ with .PrevInSection }}<a href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}</nav>{{ end }}
"""

_EMBED = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ .Title }}</title><meta name="robots" content="noindex">
<link rel="stylesheet" href="{{ "assets/site.css" | relURL }}"></head>
<body class="embed">{{ partialCached "sprites.html" . }}<main><h1><a href="{{ .Permalink }}">{{ .Params.prompt }}</a></h1>
{{ range .Params.clips }}{{ partial "clip.html" . }}{{ end }}</main></body></html>
"""

_SEARCH = """[{{ range $i, $page := site.RegularPages }}{{ if $i }},{{ end }}
{{- $clip := index .Params.clips 0 }}
{{- slice .RelPermalink .Title .Params.prompt .Params.tags .Params.authors $clip.key $clip.length .Params.clips | jsonify }}{{ end }}]
"""

_CATALOGUE = """[{{ range $i, $page := site.RegularPages }}{{ if $i }},
{{ end }}{{ dict "path" .RelPermalink "title" .Title "text" .Params.prompt "tags" .Params.tags "notes" .RawContent "clips" .Params.clips | jsonify }}{{ end }}]
"""


def write_site(folder: Path, size: int) -> None:
    """The whole Hugo site of ``size`` prompts."""
    layouts = {
        "baseof.html": _BASE,
        "home.html": _ROWS.replace("PAGES", "(.Paginate site.RegularPages)"),
        "term.html": _ROWS.replace("PAGES", ".Paginator"),
        "taxonomy.html": _NAMES,
        "page.html": _PROMPT,
        "page.embed.html": _EMBED,
        "home.search.json": _SEARCH,
        "home.catalogue.json": _CATALOGUE,
        "_partials/row.html": _ROW,
        "_partials/clip.html": _CLIP,
        "_partials/sprites.html": _fixed("sprites"),
        "_partials/dock.html": _fixed("dock"),
    }
    for name, text in layouts.items():
        path = folder / "layouts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "hugo.toml").write_text(_CONFIG)
    for number in range(size):
        write_page(folder, number)


def _fixed(name: str) -> str:
    """A part that is the same on every page here, without what Jinja would fill in."""
    return re.sub(
        r"{#.*?#}|{%.*?%}|{{.*?}}", "", (TEMPLATES / "parts" / f"{name}.html").read_text(), flags=re.DOTALL
    )


def write_page(folder: Path, number: int, more: str = "") -> None:
    """One prompt's content file."""
    fields = synthetic.front_matter(number)
    clips = [
        {
            "key": request.key,
            "model": "small",
            "hub": request.model,
            "audio": f"https://audio.example.org/{request.key}.mp3",
            "cover": f"https://audio.example.org/{request.key}.webp",
            "length": 10,
            "seed": request.seed,
            "cfg_coef": request.cfg_coef,
            "peaks": (request.key * 7)[:200],
        }
        for request in synthetic.requests(number)
    ]
    matter = {
        **fields,
        "date": fields["date"].isoformat(),
        "authors": [fields["author"]],
        "models": ["small"],
        "clips": clips,
    }
    path = folder / "content" / "prompts" / f"{synthetic.prompt_path(number)}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{json.dumps(matter, indent=1)}\n\n{synthetic.notes(number)}{more}\n")
