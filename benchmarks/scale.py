"""What grows with a gallery: the builder's seconds and memory by prompts, rendering by workers.

    python benchmarks/scale.py                               # 1,000 to 100,000 prompts; 1 and 2 workers
    python benchmarks/scale.py --prompts 1000                # --prompts or --workers alone: none
    python benchmarks/scale.py --prompts --model small --workers 1 2 4
    python benchmarks/scale.py --prompts --cluster HOST:PORT --workers 1 2 4 8

Prompts: every fourth is a grid of three, and most have eight kin by their wording; all are rendered,
and their audio is elsewhere. Memory is that of all processes together, at its most. 100,000 take some
minutes and much disk.

Workers: clips on a Ray cluster. The checkpoint has random weights, which take as long as trained
ones; `small` has the width, layers and heads of musicgen-small, `tiny` shows little but what
distributing costs. Workers without a GPU share the cores of their machine. On a cluster of
several machines, `--folder` must be one that all of them see.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import torch
from omegaconf import OmegaConf
from sites import synthetic
from sites.machine import processor

from gallery.config import Config, load_config
from gallery.engines import Render
from gallery.engines.cluster import Cluster, ClusterEngine
from gallery.engines.musicgen.checkpoint import text_encoder_known
from gallery.engines.musicgen.standins import placed
from gallery.prompts.request import Request

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from support.tiny_checkpoints import SNIPPETS, TEXT_ENCODER, write_checkpoint

PROMPTS = (1_000, 10_000, 100_000)
WORKERS = (1, 2)
CHECK = [*synthetic.BUILD[:3], "check"]

MODELS = {"tiny": {}, "small": {"dim": 1024, "num_layers": 24, "num_heads": 16}}
TEXT_WIDTH = 32


def write_model(folder: Path, size: str) -> None:
    write_checkpoint(folder, "mono", text_width=TEXT_WIDTH)
    if not MODELS[size]:
        return
    from audiocraft.models import builders  # which write_checkpoint has made importable

    package = torch.load(folder / "state_dict.bin")
    config = OmegaConf.create(package["xp.cfg"])
    config.transformer_lm |= MODELS[size]
    package["xp.cfg"] = OmegaConf.to_yaml(config)
    encoder = str(folder / TEXT_ENCODER)
    config.conditioners.description.t5.name = encoder
    with text_encoder_known(encoder, TEXT_WIDTH), placed():
        package["best_state"] = builders.get_lm_model(config).state_dict()
    torch.save(package, folder / "state_dict.bin")


def gallery_with_model(root: Path, size: str) -> Config:
    write_model(root / "tiny-mono", size)
    (root / "gallery.toml").write_text(SNIPPETS["mono"])
    return load_config(root)


def measure_builder(root: Path, prompts: int) -> dict[str, synthetic.Run]:
    """The commands of a curator's day on a gallery of so many prompts, nothing known at first."""
    synthetic.write_gallery(root, prompts, cards=0, kin=True)
    runs = {"check": synthetic.run(CHECK, root)}
    runs["build, cold"] = synthetic.run(synthetic.BUILD, root)
    changed = synthetic.write_prompt(root, prompts // 2, title="Another", more="\n\nAgain.", kin=True)
    runs["check, one file"] = synthetic.run([*CHECK, str(changed)], root)
    runs["build, one changed"] = synthetic.run(synthetic.BUILD, root)
    time.sleep(0.2)  # what was written just now is looked at once more
    synthetic.run(synthetic.BUILD, root)
    runs["build, nothing changed"] = synthetic.run(synthetic.BUILD, root)
    return runs


def measure_rendering(config: Config, cluster: Cluster, requests: list[Request]) -> tuple[float, float]:
    """Seconds to the first clip, and clips a minute from then on."""
    start = time.perf_counter()
    times = []
    for result in ClusterEngine(cluster, config, {}).render(requests):
        if not isinstance(result, Render):
            raise SystemExit(result.reason)
        times.append(time.perf_counter() - start)
    return times[0], 60 * (len(times) - 1) / (times[-1] - times[0])


def show_builder(sizes: list[int]) -> None:
    print("| prompts | command | seconds | for each 1,000 | MiB |\n|---|---|---|---|---|")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            for name, run in measure_builder(Path(folder), size).items():
                each = 1000 * run.seconds / size
                memory = f"{run.mebibytes:.0f}" if run.mebibytes else ""  # over before it was looked at
                print(f"| {size:,} | {name} | {run.seconds:.2f} | {each:.3f} | {memory} |", flush=True)


def show_rendering(options: argparse.Namespace) -> None:
    # Of several lengths, so that clips don't all finish at once.
    lengths = [options.seconds * share for share in (1, 0.9, 0.8, 0.7)]
    requests = [
        Request(model="tests/tiny-mono", prompt="slow drums", seed=seed, duration=lengths[seed % 4])
        for seed in range(options.clips)
    ]
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        config = gallery_with_model(Path(folder), options.model)
        print(f"\n{options.clips} clips of up to {options.seconds:g} s, {options.model}\n")
        print("| workers | first clip after | clips a minute from then on |\n|---|---|---|")
        for workers in options.workers:
            first, rate = measure_rendering(config, Cluster(options.cluster, workers), requests)
            print(f"| {workers} | {first:.1f} s | {rate:.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--prompts", type=int, nargs="*", default=PROMPTS)
    parser.add_argument("--workers", type=int, nargs="*", default=WORKERS)
    parser.add_argument("--model", choices=MODELS, default="tiny")
    parser.add_argument("--clips", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of the longest clips")
    parser.add_argument("--cluster", default="auto", help="auto or host:port")
    parser.add_argument("--folder", type=Path, help="where to write the checkpoint")
    options = parser.parse_args()
    print(f"{processor()}\n")
    show_builder(options.prompts)
    if options.workers:
        show_rendering(options)


if __name__ == "__main__":
    main()
