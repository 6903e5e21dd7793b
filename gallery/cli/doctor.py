"""What this installation can do."""

from __future__ import annotations

import click

from gallery.cli.options import FAULTY


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
