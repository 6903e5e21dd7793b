"""Clips rendered a minute on a Ray cluster, by its number of workers.

    python benchmarks/throughput.py                            # this machine, 1 and 2 workers
    python benchmarks/throughput.py --size small --workers 1 2 4
    python benchmarks/throughput.py --cluster HOST:PORT --workers 1 2 4 8

The checkpoint has random weights, which take as long as trained ones; `small` has the
width, layers and heads of musicgen-small, `tiny` shows little but what distributing
costs. Workers without a GPU share the cores of their machine. On a cluster of several
machines, `--folder` must be one that all of them see.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import torch
from omegaconf import OmegaConf

from gallery.config import Config, load_config
from gallery.engines import Render
from gallery.engines.cluster import Cluster, ClusterEngine
from gallery.engines.musicgen.checkpoint import text_encoder_known
from gallery.engines.musicgen.standins import placed
from gallery.request import Request

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from musicgen.tiny_checkpoints import SNIPPETS, TEXT_ENCODER, write_checkpoint

SIZES = {"tiny": {}, "small": {"dim": 1024, "num_layers": 24, "num_heads": 16}}
TEXT_WIDTH = 32


def checkpoint(folder: Path, size: str) -> None:
    write_checkpoint(folder, "mono", text_width=TEXT_WIDTH)
    if not SIZES[size]:
        return
    from audiocraft.models import builders  # which write_checkpoint has made importable

    package = torch.load(folder / "state_dict.bin")
    config = OmegaConf.create(package["xp.cfg"])
    config.transformer_lm |= SIZES[size]
    package["xp.cfg"] = OmegaConf.to_yaml(config)
    encoder = str(folder / TEXT_ENCODER)
    config.conditioners.description.t5.name = encoder
    with text_encoder_known(encoder, TEXT_WIDTH), placed():
        package["best_state"] = builders.get_lm_model(config).state_dict()
    torch.save(package, folder / "state_dict.bin")


def gallery(root: Path, size: str) -> Config:
    checkpoint(root / "tiny-mono", size)
    (root / "gallery.toml").write_text(SNIPPETS["mono"])
    return load_config(root)


def measure(config: Config, cluster: Cluster, requests: list[Request]) -> tuple[float, float]:
    """Seconds to the first clip, and clips a minute from then on."""
    start = time.perf_counter()
    times = []
    for result in ClusterEngine(cluster, config, {}).render(requests):
        if not isinstance(result, Render):
            raise SystemExit(result.reason)
        times.append(time.perf_counter() - start)
    return times[0], 60 * (len(times) - 1) / (times[-1] - times[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--clips", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of the longest clips")
    parser.add_argument("--cluster", default="auto", help="auto or host:port")
    parser.add_argument("--folder", type=Path, help="where to write the checkpoint")
    options = parser.parse_args()
    # Of several lengths, so that clips don't all finish at once.
    lengths = [options.seconds * share for share in (1, 0.9, 0.8, 0.7)]
    requests = [
        Request(model="tests/tiny-mono", prompt="slow drums", seed=seed, duration=lengths[seed % 4])
        for seed in range(options.clips)
    ]
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        config = gallery(Path(folder), options.size)
        print(f"{options.clips} clips of up to {options.seconds:g} s, {options.size}\n")
        print("| workers | first clip after | clips a minute from then on |\n|---|---|---|")
        for workers in options.workers:
            first, rate = measure(config, Cluster(options.cluster, workers), requests)
            print(f"| {workers} | {first:.1f} s | {rate:.0f} |", flush=True)


if __name__ == "__main__":
    main()
