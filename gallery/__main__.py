"""``python -m gallery``: the command, wherever the package can be imported."""

from gallery.cli import main

if __name__ == "__main__":
    main(prog_name="gallery")
