"""Starts workers on a cluster, gives them clips, hears what comes of it, and replaces those that die."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from gallery import __version__
from gallery.engines import Failure, Render
from gallery.engines.cluster.queues import Queues
from gallery.engines.cluster.worker import Worker
from gallery.errors import GalleryError
from gallery.errors.text import one_line
from gallery.utils.progress import count, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from gallery.config import Config
    from gallery.engines.cluster.worker import Greeting
    from gallery.prompts.request import Request

# Seconds to wait for a worker to start while nobody is at work: others may be using the cluster.
PATIENCE = 120

# So many deaths while one machine loads one model: it is not tried there again.
MOST_DEATHS = 2


@dataclass(eq=False)
class _Hand:
    """A worker as the foreman knows it. ``task`` is what Ray knows its work by, None while it is idle."""

    actor: Any
    task: Any
    doing: Literal["greeting", "loading", "rendering"] = "greeting"
    host: str = ""  # empty until it has greeted
    model: str = ""  # what it holds or is loading
    clips: list[int] = field(default_factory=list)  # in hand


class Foreman:
    """Has requests rendered by the workers of a Ray cluster that is connected."""

    def __init__(
        self,
        ray: Any,
        workers: int | None,
        config: Config,
        melodies: Mapping[str, Path],
        scratch: str | None,
    ) -> None:
        self._ray, self._melodies = ray, melodies
        self._device, self._workers, resources = _places(ray, workers)
        # Never restarted by Ray: what it had in hand must be known here first.
        self._actor = ray.remote(Worker).options(**resources, max_restarts=0, max_task_retries=0)
        self._arguments = (dict(config.models), config.root, self._device, scratch)
        self._problems: dict[tuple[str, str], str] = {}  # what keeps a host from holding a model
        self._deaths: Counter[tuple[str, str]] = Counter()  # of a host's workers while they load a model
        self._hands: list[_Hand] = []

    def render(self, requests: Sequence[Request]) -> Iterator[Render | Failure]:
        """Render every request, each exactly once; after Ctrl-C yield what was finished by then."""
        self._requests = requests
        self._queues = Queues(requests, self._device)
        for _ in range(min(self._workers, len(requests))):
            self._hire()
        try:
            # A worker that has delivered its last clip may still have its melodies to remove.
            while self._queues.models or any(
                hand.task is not None and hand.doing == "rendering" for hand in self._hands
            ):
                self._assign()
                yield from self._give_up()
                yield from self._hear(timeout=PATIENCE)
        except KeyboardInterrupt:
            yield from self._hear(timeout=0)
            raise

    def _hire(self) -> None:
        actor = self._actor.remote(*self._arguments)
        self._hands.append(_Hand(actor, actor.greet.remote()))

    def _assign(self) -> None:
        """Give everyone who is idle a model to load or clips to render."""
        for hand in self._hands:
            if hand.task is not None:
                continue
            holders = Counter(other.model for other in self._hands if other.model)
            refused = {
                model
                for host, model in self._problems
                if host == hand.host and model != hand.model  # another worker of this host failed on it
            }
            model = self._queues.choose(hand.model, holders, refused)
            if model is None:
                continue
            if model != hand.model:
                hand.model, hand.doing = model, "loading"
                hand.task = hand.actor.hold.remote(model)
            else:
                self._hand_out(hand)

    def _hand_out(self, hand: _Hand) -> None:
        sharers = sum(other.model == hand.model or other.task is None for other in self._hands)
        hand.clips = self._queues.take(hand.model, sharers)
        requests = [self._requests[number] for number in hand.clips]
        melodies = {
            request.melody: (path.suffix, path.read_bytes())
            for request in requests
            if request.melody and (path := self._melodies.get(request.melody))
        }
        clips = [
            (number, request.model_dump(mode="json"))
            for number, request in zip(hand.clips, requests, strict=True)
        ]
        hand.doing = "rendering"
        hand.task = hand.actor.render.options(num_returns="streaming").remote(clips, melodies)

    def _give_up(self) -> Iterator[Failure]:
        """Fail the clips of models that no machine can load."""
        if any(not hand.host for hand in self._hands):
            return  # who knows what the newcomer can do
        hosts = sorted({hand.host for hand in self._hands})
        for model in self._queues.models:
            held = any(hand.model == model for hand in self._hands)
            if not held and all((host, model) in self._problems for host in hosts):
                reason = "; ".join(f"{host}: {self._problems[host, model]}" for host in hosts)
                for number in self._queues.give_up(model):
                    yield Failure(self._requests[number], reason)

    def _hear(self, timeout: float) -> Iterator[Render | Failure]:
        """Wait for something to happen, then deal with all that has."""
        tasks = {hand.task: hand for hand in self._hands if hand.task is not None}
        if not tasks:
            return
        first, _ = self._ray.wait(list(tasks), num_returns=1, timeout=timeout)
        ready, _ = self._ray.wait(list(tasks), num_returns=len(tasks), timeout=0)
        if timeout and not first and not any(hand.host for hand in tasks.values()):
            for hand in tasks.values():  # nobody is at work, and these may never come
                self._dismiss(hand, f"a worker has not started within {PATIENCE} s; `ray status` tells more")
        for task in ready:
            yield from self._deal_with(tasks[task])

    def _deal_with(self, hand: _Hand) -> Iterator[Render | Failure]:
        errors = self._ray.exceptions
        try:
            if hand.doing == "rendering":
                yield from self._results(hand)
                return
            answer = self._ray.get(hand.task)
            hand.task = None
        except errors.RayTaskError as error:  # nothing of the engine: its errors are results
            hand.task = None
            yield from self._failed(hand, one_line(error.cause))
        except errors.RayError as error:
            yield from self._bury(hand, error)
        else:
            if hand.doing == "loading":
                self._loaded(hand, answer)
            else:
                self._greeted(hand, answer)

    def _failed(self, hand: _Hand, problem: str) -> Iterator[Failure]:
        """Go on after an error that a worker has survived."""
        if hand.doing == "greeting":
            self._dismiss(hand, f"a worker could not start: {problem}")
        elif hand.doing == "loading":
            self._loaded(hand, problem)
        for number in hand.clips:
            yield Failure(self._requests[number], f"{hand.host}: {problem}")
        hand.clips = []

    def _results(self, hand: _Hand) -> Iterator[Render | Failure]:
        """All that a worker has finished by now."""
        while True:
            try:
                number, result = self._ray.get(next(hand.task))
            except StopIteration:
                hand.task = None
                return
            hand.clips.remove(number)
            yield replace(result, request=self._requests[number])
            if not self._ray.wait([hand.task], timeout=0)[0]:
                return

    def _greeted(self, hand: _Hand, greeting: Greeting) -> None:
        if greeting.version != __version__:
            raise GalleryError(
                f"gallery is {greeting.version} on {greeting.host} and {__version__} on this machine: "
                "install the same version on both"
            )
        if greeting.problem:
            self._dismiss(hand, f"{greeting.host}: {greeting.problem}")
        hand.host = greeting.host

    def _loaded(self, hand: _Hand, problem: str | None) -> None:
        if problem:
            self._problems[hand.host, hand.model] = problem
            hand.model = ""

    def _bury(self, hand: _Hand, error: Exception) -> Iterator[Failure]:
        """Take back what a dead worker had in hand, and start another in its place."""
        if not hand.host:
            self._dismiss(hand, f"a worker could not start: {_cause(error)}")
            return
        self._hands.remove(hand)
        self._ray.kill(hand.actor)  # it may only be out of reach
        if hand.doing == "loading":
            what = f"while it loaded {hand.model}"
            self._deaths[hand.host, hand.model] += 1
            if self._deaths[hand.host, hand.model] >= MOST_DEATHS:
                self._problems[hand.host, hand.model] = (
                    f"the worker died twice {what}: out of memory, or a broken file"
                )
        else:
            what = f"with {count(len(hand.clips), 'clip')} in hand"
        say(f"a worker on {hand.host} died {what}; another takes its place")
        for number in self._queues.give_back(hand.model, hand.clips) if hand.clips else ():
            reason = f"every worker that rendered it died, the last alone with it on {hand.host}"
            yield Failure(self._requests[number], reason)
        self._hire()

    def _dismiss(self, hand: _Hand, problem: str) -> None:
        """Go on without a worker that cannot render anything."""
        self._hands.remove(hand)
        self._ray.kill(hand.actor)
        if not self._hands:
            raise GalleryError(f"MusicGen cannot run on the cluster: {problem}")
        say(f"the cluster has a worker less: {problem}")


def _places(ray: Any, workers: int | None) -> tuple[str, int, dict[str, Any]]:
    """What workers render on, how many there are, and the resources that Ray is asked for for each."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    gpus = int(ray.cluster_resources().get("GPU", 0))
    cores = int(sum(node["CPU"] for node in nodes))
    most, what = (gpus, "GPU") if gpus else (cores, "core")
    if not most:
        raise GalleryError("the Ray cluster has neither a GPU nor a core to render on")
    if workers and workers > most:
        raise GalleryError(f"the Ray cluster has {count(most, what)}: no room for {workers} workers")
    if gpus:
        return "cuda", workers or gpus, {"num_gpus": 1, "num_cpus": 0}
    workers = workers or len(nodes)
    smallest = int(min(node["CPU"] for node in nodes))
    cores_each = max(1, smallest // -(-workers // len(nodes)))
    return "cpu", workers, {"num_cpus": cores_each, "scheduling_strategy": "SPREAD"}


def _cause(error: Exception) -> str:
    """The last line of Ray's explanation, which says what was raised."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
