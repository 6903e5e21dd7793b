"""What this installation can do, and a gallery of one's own to do it in."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gallery.cli.options import FAULTY
from gallery.errors import GalleryError
from gallery.utils.progress import say


@click.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Tell which engine would be used and why, and what this installation consists of.

    Exits with 1 where `gallery build` could not run.
    """
    from gallery.doctor import examine

    healthy = True
    for finding in examine(ctx.obj):
        healthy &= finding.fine
        click.echo(f"{'ok ' if finding.fine else 'BAD'} {finding.subject:12} {finding.text}")
    if not healthy:
        ctx.exit(FAULTY)


def _address(text: str) -> str:
    from gallery.scaffolding.source import given_source

    try:
        return given_source(text)
    except GalleryError as error:
        raise click.BadParameter(error.format_message()) from error


@click.command()
@click.option(
    "--source",
    metavar="ADDRESS",
    callback=lambda _ctx, _param, text: None if text is None else _address(text),
    help="Where the gallery's workflows install this tool from, such as git+https://HOST/OWNER/NAME@COMMIT "
    "or a wheel's https address.  [default: where this installation came from]",
)
@click.argument("folder", type=click.Path(path_type=Path))
def init(folder: Path, source: str | None) -> None:
    """Write a small, complete gallery to FOLDER.

    Settings, a few prompt files, and all that a repository on GitHub needs to take
    contributions and to publish the site. `gallery build` makes its site at once.

    FOLDER is new, empty, or a clone of a repository that has at most a README, a licence
    and a .gitignore, which stay as they are. Where its remote is on GitHub, gallery.toml
    has the addresses of the repository and of its pages.

    Where nothing tells from which address others can install this tool, and --source is
    left out, it asks.
    """
    from gallery.scaffolding import make_gallery
    from gallery.scaffolding.place import is_readme, kept_files
    from gallery.scaffolding.source import doubts, known_source

    kept_files(folder)  # before anything is asked
    address = source or known_source() or _ask_source()
    made = make_gallery(folder, address)
    more = "docs/publishing.md" if any(map(is_readme, made.kept)) else "README.md"
    click.echo(f"wrote a gallery to {folder}; `gallery build` makes its site, {more} tells more")
    if made.kept:
        click.echo(f"left as they were: {', '.join(made.kept)}")
    if made.home:
        click.echo(f"gallery.toml has the remote's addresses: {made.home.repository}, {made.home.base_url}")
    if made.unignored:
        say(f"warning: .gitignore does not keep pages out of git; add the lines {', '.join(made.unignored)}")
    if doubt := doubts(address):
        say(f"warning: {address}: {doubt}")


def _ask_source() -> str:
    from gallery.scaffolding.source import FORMS

    unknown = "nothing tells from which address others can install this tool"
    if not sys.stdin.isatty():
        raise click.UsageError(f"{unknown}: pass --source with it, {FORMS}")
    say(f"{unknown}, and the new gallery's requirements need it")
    address: str = click.prompt(f"Address ({FORMS})", value_proc=_address, err=True)
    return address
