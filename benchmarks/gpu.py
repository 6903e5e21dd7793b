"""Whether the engine `musicgen` keeps its promises on this machine's GPU, and how fast it is.

    python benchmarks/gpu.py                            # on the GPU: at most 8 minutes
    python benchmarks/gpu.py --parts kernel speed       # some of its parts
    python benchmarks/gpu.py --device cpu --quick       # tiny sizes, in seconds; so without a GPU

The networks have random weights, of the published models' dimensions where that counts, and nothing
is fetched. What is found is printed and written to a JSON file line by line, so that a run that is
interrupted leaves what it found. Each part has its time, is cut short at its end, and is left out where
little is left. A part that fails is a finding, too. The exit code is 1 where a promise does not hold.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import logging
import signal
import sys
import tempfile
import time
import traceback
import warnings
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

# The checkout, for whoever has not installed it; tiny checkpoints are made as for the tests.
ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT), str(ROOT / "tests")]

from gpu_parts import Finding  # noqa: E402
from gpu_parts.networks import Bench, tidy  # noqa: E402

from gallery.engines.musicgen.standins import import_audiocraft  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

# Each part with its module and its seconds, the most telling ones first, the riskiest last.
PARTS = {
    "kernel": ("equality", 40),
    "stock": ("equality", 50),
    "independence": ("equality", 90),
    "codec": ("shortage", 45),
    "speed": ("speed", 110),
    "nan": ("faults", 15),
    "previews": ("faults", 15),
    "memory": ("shortage", 65),
}
TOTAL = 460  # seconds, so that with the time to start it is 8 minutes at most

LEAST = 5  # seconds that a part is begun with

HOLDS, BROKEN, FAILED, CUT, LEFT_OUT, MEASURED = (
    "holds", "does not hold", "failed", "cut short", "left out", "measured"
)  # fmt: skip


class TimeIsUp(BaseException):
    """A part's time is over. No ``except Exception`` of what runs may take it for its own."""


class Report:
    """What is found, printed and written as it comes."""

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self._path = path
        self._content = {**about, "parts": {}}
        self.parts: dict[str, dict[str, Any]] = self._content["parts"]
        print(", ".join(f"{name} {value}" for name, value in about.items()), flush=True)

    def begin(self, part: str, seconds: float) -> None:
        """Begin a part that may take so long."""
        self.parts[part] = {"verdict": CUT, "findings": []}
        print(f"\n{part} (at most {seconds:.0f} s)", flush=True)
        self.write()

    def add(self, part: str, finding: Finding) -> None:
        """Take a finding."""
        self.parts[part]["findings"].append(vars(finding))
        mark = {None: "", True: HOLDS, False: BROKEN.upper()}[finding.holds]
        print(f"  {finding.what:48} {finding.found:58} {mark}".rstrip(), flush=True)
        self.write()

    def end(self, part: str, verdict: str, seconds: float, note: str = "") -> None:
        """Close a part."""
        known = self.parts.setdefault(part, {"findings": []})
        known |= {"verdict": verdict, "seconds": round(seconds, 1), "note": note}
        print(f"  {part}: {verdict}, {seconds:.1f} s" + (f": {note}" if note else ""), flush=True)
        self.write()

    def write(self) -> None:
        """Write what is known so far."""
        new = self._path.with_name(self._path.name + ".new")
        new.write_text(json.dumps(self._content, indent=1) + "\n")
        new.replace(self._path)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TimeIsUp after so many seconds, where the system has an alarm."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def ring(*_: object) -> None:
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run(part: str, bench: Bench, report: Report, seconds: float) -> None:
    """Run a part and write down what became of it, whatever it raises."""
    start, verdict, note = time.monotonic(), FAILED, ""
    report.begin(part, seconds)
    try:
        with limited(seconds):
            module = import_module(f"gpu_parts.{PARTS[part][0]}")
            for finding in getattr(module, part)(bench):
                report.add(part, finding)
        verdict = ""
    except TimeIsUp:
        verdict, note = CUT, "its time was over"
    except Exception as error:  # noqa: BLE001 - whatever it is, it was found out
        note = " ".join(f"{type(error).__name__}: {error}".split())[:500]
        traceback.print_exc()
    said = [finding["holds"] for finding in report.parts[part]["findings"]]
    if False in said:
        verdict = BROKEN
    elif not verdict:
        verdict = HOLDS if True in said else MEASURED
    report.end(part, verdict, time.monotonic() - start, note)
    with suppress(RuntimeError):  # a card that has failed answers nothing any more
        tidy(bench)


def about(device: str) -> dict[str, Any]:
    """What the figures depend on."""
    libraries = {}
    for library in ("audiocraft", "transformers", "triton"):
        with suppress(PackageNotFoundError):
            libraries[library] = version(library)
    known = {
        "device": f"CPU ({torch.get_num_threads()} threads)",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": sys.version.split()[0],
        "torch": str(torch.__version__),
        **libraries,
    }
    if device != "cpu":
        card = torch.cuda.get_device_properties(torch.cuda.current_device())
        known["device"] = card.name
        known["memory"] = f"{card.total_memory / 2**30:.1f} GiB"
        known["capability"] = f"{card.major}.{card.minor}"
        known["multiprocessors"] = card.multi_processor_count
    return known


def be_quiet() -> None:
    """Without the libraries' bars, whose threads would keep copies of this process away, and warnings."""
    import_audiocraft()
    from transformers.utils import logging as bars

    bars.disable_progress_bar()
    logging.disable()  # findings tell of what fails on purpose
    warnings.simplefilter("ignore")


def main() -> None:
    """Run the parts that are asked for."""
    start = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--device",
        default="cuda" if torch.cuda.is_available() else "cpu",
        help="cpu, cuda or cuda:N; by default the GPU where there is one",
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, as always on the CPU")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--seconds", type=float, default=TOTAL, help=f"for all parts together: {TOTAL}")
    parser.add_argument("--output", type=Path, default=Path("gpu.json"), help="the JSON file: gpu.json")
    options = parser.parse_args()
    be_quiet()
    if options.device != "cpu":
        torch.cuda.set_device(torch.device(options.device).index or 0)
    device = torch.device(options.device).type  # from here on the card that was asked for is the only one
    # Where something hangs in C, no alarm is heard: the process ends itself.
    faulthandler.dump_traceback_later(options.seconds + 10, exit=True)
    report = Report(options.output, about(device))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(device, options.quick or device == "cpu", Path(folder))
        for number, part in enumerate(options.parts):
            later = sum(PARTS[name][1] for name in options.parts[number + 1 :])
            left = start + options.seconds - time.monotonic()
            seconds = min(max(PARTS[part][1], left - later), left)
            if seconds < LEAST:
                report.end(part, LEFT_OUT, 0, f"only {max(left, 0):.0f} s are left")
            else:
                run(part, bench, report, seconds)
    faulthandler.cancel_dump_traceback_later()
    verdicts = {part: known["verdict"] for part, known in report.parts.items()}
    print("\n" + "\n".join(f"{part:16} {verdict}" for part, verdict in verdicts.items()))
    print(f"written to {options.output}")
    sys.exit(1 if {BROKEN, FAILED} & set(verdicts.values()) else 0)


if __name__ == "__main__":
    main()
