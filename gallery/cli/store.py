"""Looking after the store."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from gallery.cli.messages import tell_flaws
from gallery.cli.options import FAULTY, INCOMPLETE, config_of
from gallery.errors import GalleryError
from gallery.errors.text import shown
from gallery.utils.progress import count, say, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gallery.config import Config
    from gallery.store.sync import Sync


@click.group()
def store() -> None:
    """Look after the store of rendered clips."""


@store.command()
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Check every file of the store against its record. Exits with 1 where one is wrong.

    Of a store elsewhere: the files of its mirror by their digests, and those elsewhere by
    their sizes and records. Whatever is fetched from there is checked by its digest.
    """
    from gallery.store.places import Stores

    config = config_of(ctx)
    here = Stores.of(config).store
    problems = here.verify()
    for problem in problems:
        say(problem)
    clips, wrong = len(list(here)), len(problems)
    if config.store.remote:
        with _elsewhere(ctx) as elsewhere:
            elsewhere.look(take=False)
            elsewhere.tell_faulty()
            strays = [name for names in elsewhere.strays().values() for name in names]
            for name in strays:
                say(f"{elsewhere.remote.url}/{name}: without a record; see `gallery store gc`")
            clips = sum(name.endswith(".json") for name in elsewhere.listing)
            wrong += len(elsewhere.faulty) + len(elsewhere.differing) + len(strays)
    click.echo(f"{count(clips, 'clip')}, {count(wrong, 'problem')}")
    if wrong:
        ctx.exit(FAULTY)


@store.command()
@click.option("--new", is_flag=True, help="Begin the store anew where one was before and is gone.")
@click.pass_context
def push(ctx: click.Context, new: bool) -> None:
    """Take the clips that a store elsewhere lacks there from its mirror on this machine.

    A store in a folder, file://, is made by the first push to it, be there clips or not.

    What is there stays, be it damaged, but for a clip that only this machine has encoded anew
    since. Exits with 3 where a clip was left here, since it is damaged, or another one is in its
    place.
    """
    with _elsewhere(ctx) as elsewhere:
        elsewhere.look(take=False, make=True, anew=new)
        elsewhere.tell_faulty()
        _push(ctx, elsewhere)


@store.command()
@click.pass_context
def pull(ctx: click.Context) -> None:
    """Bring every clip of a store elsewhere, with its audio, to its mirror on this machine.

    Exits with 3 where a clip cannot be used.
    """
    with _elsewhere(ctx) as elsewhere:
        if not _pull(elsewhere):
            ctx.exit(INCOMPLETE)


@store.command()
@click.pass_context
def sync(ctx: click.Context) -> None:
    """Pull, then push.

    Exits with 3 where a clip cannot be used, or was left here since another one is in its place.
    """
    with _elsewhere(ctx) as elsewhere:
        usable = _pull(elsewhere)
        _push(ctx, elsewhere)
        if not usable:
            ctx.exit(INCOMPLETE)


def _pull(elsewhere: Sync) -> bool:
    """Returns whether everything can be used, there and here."""
    records = elsewhere.look(take=True)
    clips = elsewhere.fetch()
    elsewhere.tell_faulty()
    click.echo(
        f"{count(records, 'record')} and the audio of {count(clips, 'clip')} pulled, "
        f"{count(len(elsewhere.faulty), 'clip')} left out"
    )
    flawed = elsewhere.store.survey().flawed.values()
    tell_flaws([f"{flaw.state}: {flaw}" for flaw in flawed])
    return not (elsewhere.faulty or flawed)


def _push(ctx: click.Context, elsewhere: Sync) -> None:
    pushed = elsewhere.push()
    left = len(elsewhere.conflicts)
    click.echo(f"{count(pushed, 'clip')} pushed, {left} left here")
    if left:
        ctx.exit(INCOMPLETE)


@contextmanager
def _sync(config: Config) -> Iterator[Sync | None]:
    """The exchange with the gallery's store elsewhere, if it has one, while no build works on its mirror."""
    from gallery.state.opening import open_state
    from gallery.store.lock import build_lock
    from gallery.store.sync import sync_of

    with build_lock(config), open_state(config.workspace) as state, sync_of(config, state) as elsewhere:
        yield elsewhere


@contextmanager
def _elsewhere(ctx: click.Context) -> Iterator[Sync]:
    config = config_of(ctx)
    with _sync(config) as elsewhere:
        if not elsewhere:
            raise GalleryError(
                f"the store is a folder here, {config.store.url}: there is nowhere to push to or pull from; "
                "[store] url in gallery.toml names a place"
            )
        yield elsewhere


# The value of --remove where no number stands behind it.
_LISTED = "what is listed"


def _number(_ctx: click.Context, _option: click.Parameter, value: str | None) -> int | str | None:
    if value in (None, _LISTED):
        return value
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise click.BadParameter(f"{shown(value)} is no number of clips.")
    return int(value)


@store.command()
@click.argument("keys", nargs=-1, required=True)
@click.pass_context
def remove(ctx: click.Context, keys: tuple[str, ...]) -> None:
    """Give up clips that are damaged or of a newer version, so that the next build renders them.

    KEYS are those that builds and `gallery store verify` name. A clip that is in order is refused.
    Of a store elsewhere: there and in its mirror on this machine, wherever the clip is not in order.
    """
    from gallery.store.places import Stores
    from gallery.store.survey import KEY

    config = config_of(ctx)
    with _sync(config) as elsewhere:
        if elsewhere:
            elsewhere.look(take=False)
        store = Stores.of(config).store
        named = [key for key in keys if KEY.fullmatch(key)]
        here = store.flawed(named)
        there = {key for key in named if elsewhere and elsewhere.examine(key)}
        if others := [key for key in keys if key not in here and key not in there]:
            raise GalleryError(
                f"{shown(others[0])} is no key of a clip that is damaged or of a newer version; "
                "nothing was removed (`gallery store gc` removes what no prompt asks for)"
            )
        for key in named:
            if elsewhere and key in there:
                elsewhere.remove(key)
            if key in here:
                store.remove(key)
    click.echo(f"{count(len(named), 'clip')} removed; the next build renders what prompts ask for")


@store.command()
@click.option(
    "--remove",
    is_flag=False,
    flag_value=_LISTED,
    callback=_number,
    metavar="[N]",
    help="Remove what is listed. Rendering it again costs GPU time. Where less than half of all clips would "
    "remain, only if N is the number of clips that was listed.",
)
@click.option(
    "--keep-refs",
    "refs",
    multiple=True,
    metavar="REF...",
    help="Keep what the prompts of these commits or branches ask for, too.",
)
@click.argument("more_refs", nargs=-1, metavar="")
@click.pass_context
def gc(
    ctx: click.Context, remove: int | str | None, refs: tuple[str, ...], more_refs: tuple[str, ...]
) -> None:
    """List clips that no prompt asks for any more, and remove them if told to.

    Those that came just now stay: [store] grace_days in gallery.toml. Of a store elsewhere:
    there and in its mirror on this machine, in this gallery's store alone. No push may be
    under way.
    """
    from gallery.prompts.folder import read_prompts
    from gallery.review.baseline import keys_asked
    from gallery.store import gc as collector

    if more_refs and not refs:
        raise click.UsageError(f"Got unexpected extra argument ({shown(more_refs[0], quote='')})")
    config = config_of(ctx)
    with _sync(config) as elsewhere:
        reading = read_prompts(config)
        kept = keys_asked(config.root, (*refs, *more_refs), reading)
        found = collector.find_orphans(config, reading, kept, elsewhere)
        for orphan in found:
            click.echo(orphan.describe())
        for line in found.left:
            say(line)
        if found.young:
            who = f"{count(found.young, 'clip')} of no prompt came less than"
            say(f"{who} {config.store.grace_days:g} days ago and stay: [store] grace_days")
        clips = count(len(found.clips), "clip")
        told = f"{clips}, {count(len(found.leftovers), 'leftover')}, {size(found.bytes)}"
        if remove is not None:
            collector.remove(found, config, remove if isinstance(remove, int) else None, elsewhere)
            told += " removed"
        elif found:
            number = f" {len(found.clips)}" if found.too_many else ""
            told += f"; `gallery store gc --remove{number}` removes them"
    click.echo(told)
