"""The prompt files of a gallery -> prompts and their clips, and every fault in them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors import Fault, GalleryError, WrongUse
from gallery.errors.messages import Wording
from gallery.errors.text import shown
from gallery.prompts import frontmatter
from gallery.prompts.file import MOST_FOLDERS, PRESETS_NAME, read_file, read_presets, relative
from gallery.prompts.forms import name_meant
from gallery.prompts.input import read_input
from gallery.prompts.prompt import PROMPT, Findings, Prompts, Reading
from gallery.state.database import CONTENT, FILE, Row
from gallery.state.inputs import stamp_of
from gallery.utils.digest import digest
from gallery.utils.git import refuse_link
from gallery.utils.parallel import spread
from gallery.utils.progress import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gallery.config import Config
    from gallery.prompts.prompt import Outline
    from gallery.state.database import State

# A prompt file under another name: as some editors and systems would have it.
_MISNAMED = re.compile(
    r"(?P<stem>[^.].*?)(?:(?P<markdown>\.(?:md|markdown|mdown|mkdn?|mdwn|mdx)(?:\.(?:txt|rtf|docx?|html?))?)"
    r"|(?P<yaml>\.ya?ml)(?:\.te?xt)?|\.te?xt)|(?P<bare>[^.]+)",
    re.IGNORECASE,
)
# What text in the place of a prompt file begins with; YAML that is none often does so, too.
_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?---[\r\n]")
_BEGINNING_IN_YAML = re.compile(_BEGINNING.pattern + rb"(?:.*\n)*?prompt *:")

# Contents that this build has read well: the last good ones once it is finished.
_READ = "read"

# Of any clip of any gallery, in seconds.
_LONGEST = 600


def read_prompts(config: Config, paths: Sequence[Path] = (), state: State | None = None) -> Reading:
    """Read the gallery's prompt files, or only those at or below ``paths``.

    With ``state``, files that are as they were are not read again, and a file that has faults
    stands for the last good content that is known of it. Raises GalleryError for a path that is
    no prompt file or folder of the gallery.
    """
    reading = Reading(prompts=Prompts(state))
    reader = _Reader(config, reading, reading.prompts.state)
    reader.read_presets()
    files = _find(config, paths)
    due = reader.take_known(files)
    with Tally("reading", len(due), "prompt file") as tally:
        for found in spread(lambda some: [reader.read(file) for file in some], due):
            reader.take(found)
            tally.add(len(found))
    if state:
        reader.take_last_good()
    if state and not paths:
        reader.forget(files)
    reading.prompts.sort()
    _warn_of_duplicates(reading)
    reading.faults.sort()
    reading.warnings.sort()
    return reading


def keep_read(state: State, reading: Reading) -> None:
    """A build is finished: what it read well is the last good content from now on."""
    state.put(_READ, {}, [fault.file for fault in reading.faults])
    state.rename(_READ, CONTENT)


@dataclass
class _Read:
    """What came of one file: the prompt as text, if the file is in order, and what there is to say."""

    file: str
    stamp: str = ""
    digest: str = ""
    content: str = ""
    text: str = ""
    findings: Findings = field(default_factory=Findings)


class _Reader:
    """Reads prompt files into a `Reading`, each only where nothing is known of its content."""

    def __init__(self, config: Config, reading: Reading, state: State) -> None:
        self._config, self._reading, self._state = config, reading, state
        self._top, self._folder = f"{config.root}{os.sep}", f"{config.prompts}{os.sep}"
        self._context = ""

    def read_presets(self) -> None:
        """Of a broken presets.yaml the last good content counts, so that it breaks no prompt file."""
        config, path = self._config, self._config.prompts / PRESETS_NAME
        findings = Findings()
        name = self._name(str(path))
        try:
            data = read_input(path, config.prompts) if path.exists() else b""
            presets = read_presets(config, findings, data) if data else {}
        except frontmatter.Unreadable:
            presets = read_presets(config, findings)
        if not findings.faults:
            self._state.put(_READ, {name: Row(_content_digest(data), data.decode("utf-8-sig"))})
        elif last := self._state.get(CONTENT, name):
            presets = read_presets(config, Findings(), last.value.encode())
        self._reading.add(findings)
        self._reading.presets = presets
        settings = config.model_dump_json(include={"limits", "models"})
        self._context = digest(settings, json.dumps(presets))

    def take_known(self, files: Sequence[str]) -> list[str]:
        """Take in the prompts of files that are as they were. Returns the other files."""
        digests: dict[str, str] = dict.fromkeys(files, "")
        for name, stamped, content in self._state.each(FILE):
            file = f"{self._top}{name}"
            if file in digests and stamp_of(file) == stamped:
                digests[file] = content
        for path, decided_by, text in self._state.each(PROMPT):
            file = self._file(path)
            known = digests.get(file)
            if known and decided_by == self._decided_by(known):
                self._reading.prompts.add(text)
                del digests[file]
        return [*digests]

    def read(self, file: str) -> _Read:
        """Read a file anew, whatever is known of it."""
        path = Path(file)
        if path.is_symlink() and path.is_dir():
            warning = Fault(relative(path, self._config), 0, "", "a link to a folder; not read")
            return _Read(file, findings=Findings(warnings=[warning]))
        stamped = stamp_of(file)
        try:
            data = read_input(path, self._config.prompts)
        except frontmatter.Unreadable:
            data = None
        prompt, findings = read_file(path, self._config, self._reading.presets, data)
        if not prompt:
            return _Read(file, findings=findings)
        if data is None:  # it can be read by now
            return self.read(file)
        # With a melody beside it, with clips that only the store lets pass, or with something to say of
        # it, a file is read each time.
        return _Read(
            file,
            stamped if findings == Findings() else "",
            _content_digest(data),
            data.decode("utf-8-sig"),
            prompt.to_text(),
            findings,
        )

    def take(self, found: Sequence[_Read]) -> None:
        """Take in what was read, and keep it."""
        good = {self._name(read.file): read for read in found if read.text}
        self._state.put_all(
            {
                _READ: {name: Row(read.digest, read.content) for name, read in good.items()},
                PROMPT: {
                    _path(name): Row(self._decided_by(read.digest), read.text) for name, read in good.items()
                },
                FILE: {name: Row(read.stamp, read.digest) for name, read in good.items() if read.stamp},
            },
            {FILE: [name for name, read in good.items() if not read.stamp]},
        )
        for read in found:
            if read.text:
                self._reading.prompts.add(read.text)
            self._reading.add(read.findings)

    def take_last_good(self) -> None:
        """Take in what is known of files that have faults now."""
        for path in sorted(self._reading.broken):
            last = self._state.get(CONTENT, f"{self._config.prompts.name}/{path}.md")
            if not last:
                continue
            data = last.value.encode()
            prompt, findings = read_file(Path(self._file(path)), self._config, self._reading.presets, data)
            if prompt:
                text = prompt.to_text()
                self._state.put(PROMPT, {path: Row(self._decided_by(last.decided_by), text)})
                self._reading.prompts.add(text)
                self._reading.melodies |= findings.melodies

    def forget(self, files: Sequence[str]) -> None:
        """Forget files that are gone."""
        names = {self._name(file) for file in files}
        names.add(f"{self._config.prompts.name}/{PRESETS_NAME}")
        kept = {FILE: names, CONTENT: names, _READ: names, PROMPT: {_path(name) for name in names}}
        for kind, known in kept.items():
            self._state.put(kind, {}, self._state.names(kind) - known)

    def _decided_by(self, content: str) -> str:
        return f"{content} {self._context}"

    def _name(self, file: str) -> str:
        return file.removeprefix(self._top).replace(os.sep, "/")

    def _file(self, path: str) -> str:
        return f"{self._folder}{path.replace('/', os.sep)}.md"


def _path(name: str) -> str:
    """The path of the prompt of a file: ``lofi/rain`` of ``prompts/lofi/rain.md``."""
    return name.partition("/")[2].removesuffix(".md")


def _content_digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def of_any_length(config: Config) -> Config:
    """The same gallery without its own limits on how long clips are: they spare its GPU."""
    models = {
        name: model.model_copy(update={"max_duration": _LONGEST}) for name, model in config.models.items()
    }
    limits = config.limits.model_copy(update={"duration": _LONGEST})
    return config.model_copy(update={"models": models, "limits": limits})


def find_files(config: Config, paths: Sequence[Path] = ()) -> list[Path]:
    """Prompt files in the order of their names, and links to folders, which are not followed.

    Raises GalleryError for a path that is not in the gallery's prompts/.
    """
    return [Path(file) for file in _find(config, paths)]


def find_misnamed(config: Config, paths: Sequence[Path] = ()) -> list[Fault]:
    """Files at or below ``paths`` that nobody reads, since their names are not those of prompt files.

    Names that only prompt files have are looked at alone; of other text, what it begins with.
    """
    return [
        Fault(relative(file, config), 0, "", Wording.MISNAMED.format(name=shown(wanted, quote="")))
        for file in map(Path, _find(config, paths, _may_be_misnamed))
        if _may_be_misnamed(file.name) and (wanted := _name_wanted(config, file))
    ]


def _may_be_misnamed(name: str) -> bool:
    return not is_prompt_file(name) and bool(_MISNAMED.fullmatch(name))


def _name_wanted(config: Config, file: Path) -> str:
    """The name that a misnamed file should have, or nothing where it is none."""
    named = _MISNAMED.fullmatch(file.name)
    stem = (named["stem"] or named["bare"]) if named else ""
    hidden = any(part.startswith(".") for part in file.relative_to(config.prompts).parts)
    if not named or hidden or file.is_dir() or stem.lower() == "readme":
        return ""
    stem = name_meant(stem) or stem
    if named["yaml"] and stem == "presets":
        wanted = config.prompts / PRESETS_NAME
        beside = file.parent == wanted.parent
        return "" if file == wanted else wanted.name if beside else relative(wanted, config)
    if not named["markdown"]:
        try:
            text = read_input(file, config.prompts)
        except frontmatter.Unreadable:
            return ""
        if not (_BEGINNING_IN_YAML if named["yaml"] else _BEGINNING).match(text):
            return ""
    return f"{stem}.md"


def _find(config: Config, paths: Sequence[Path], is_wanted: Callable[[str], bool] | None = None) -> list[str]:
    wanted = is_wanted or is_prompt_file
    refuse_link(config.prompts, config.prompts.name, "publish what lies")
    top = config.prompts.resolve()
    if not top.is_dir():
        raise GalleryError(f"no folder prompts/ in {config.root}; make it, or run `gallery new`")
    files: set[str] = set()
    deepest = str(config.prompts).count(os.sep) + 1 + MOST_FOLDERS
    for path in paths or [top]:
        name = shown(str(path), quote="")
        if not path.exists():
            raise WrongUse(f"{name}: no such file or folder")
        if not path.resolve().is_relative_to(top):
            raise WrongUse(f"{name}: not in this gallery's prompts/")
        inside = config.prompts / path.resolve().relative_to(top)
        files.update(_walk(str(inside), deepest, wanted) if path.is_dir() else [str(inside)])
    return sorted(files, key=lambda file: file.split(os.sep))  # noqa: PTH206 - ten thousand of them


def _walk(start: str, deepest: int, is_wanted: Callable[[str], bool]) -> Iterator[str]:
    """Files and links below a folder, and folders that are too deep to look into."""
    folders = [start]
    while folders:
        try:
            entries = [*os.scandir(folders.pop())]
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.path.count(os.sep) > deepest:
                    yield entry.path
                elif not entry.name.startswith("."):
                    folders.append(entry.path)
            elif is_wanted(entry.name) or (entry.is_symlink() and _leads_to_folder(entry)):
                yield entry.path


def _leads_to_folder(link: os.DirEntry[str]) -> bool:
    return not link.name.startswith(".") and os.path.isdir(link.path)  # noqa: PTH112 - no error for a loop


def is_prompt_file(name: str) -> bool:
    """Whether a file of this name in prompts/ is read as a prompt file."""
    lower = name.lower()
    return lower.endswith(".md") and lower != "readme.md" and not name.startswith(".")


def _warn_of_duplicates(reading: Reading) -> None:
    first: dict[str, Outline] = {}
    for prompt in reading.prompts.outlines:
        seen: set[str] = set()
        for key in prompt.keys:
            owner, stands_twice = first.setdefault(key, prompt), key in seen
            seen.add(key)
            if stands_twice:
                message = "two of its clips are the same request; it is rendered once"
            elif owner is not prompt:
                message = f"a clip is the same request as one of {owner.file}; it is rendered once"
            else:
                continue
            warning = Fault(prompt.file, 0, "", message)
            if warning not in reading.warnings[-1:]:
                reading.warnings.append(warning)
