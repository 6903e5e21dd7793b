"""Starts workers on a cluster, gives them clips, collects what comes of it, and replaces those that die."""

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
    from gallery.engines.cluster.worker import WorkerStatus
    from gallery.prompts.request import Request

# Seconds to wait for a worker to start while none is at work: others may be using the cluster.
START_TIMEOUT = 120

# So many deaths while one machine loads one model: it is not tried there again.
MAX_DEATHS = 2


@dataclass(eq=False)
class _WorkerHandle:
    """A worker as the dispatcher knows it. ``task`` is Ray's handle of its work, None while it is idle."""

    actor: Any
    task: Any
    doing: Literal["starting", "loading", "rendering"] = "starting"
    host: str = ""  # empty until it has started
    model: str = ""  # what it holds or is loading
    clips: list[int] = field(default_factory=list)  # given and not finished


class Dispatcher:
    """Has requests rendered by the workers of a Ray cluster that is connected."""

    def __init__(
        self,
        ray: Any,
        workers: int | None,
        config: Config,
        melodies: Mapping[str, Path],
        scratch: str | None,
        device: str = "auto",
    ) -> None:
        self._ray, self._melodies = ray, melodies
        self._device, self._wanted, resources = _resources(ray, workers, device)
        # Never restarted by Ray: what it was at work on must be known here first.
        self._actor = ray.remote(Worker).options(**resources, max_restarts=0, max_task_retries=0)
        settings = config.musicgen
        self._arguments = (dict(config.models), config.root, self._device, scratch, settings.batch_size)
        self._problems: dict[tuple[str, str], str] = {}  # what keeps a host from holding a model
        self._deaths: Counter[tuple[str, str]] = Counter()  # of a host's workers while they load a model
        self._workers: list[_WorkerHandle] = []

    def render(self, requests: Sequence[Request]) -> Iterator[Render | Failure]:
        """Render every request, each exactly once; after Ctrl-C yield what was finished by then."""
        self._requests = requests
        self._queues = Queues(requests, self._device)
        for _ in range(min(self._wanted, len(requests))):
            self._start_worker()
        try:
            # A worker that has delivered its last clip may still have its melodies to remove.
            while self._queues.models or any(
                worker.task is not None and worker.doing == "rendering" for worker in self._workers
            ):
                self._assign()
                yield from self._fail_unloadable()
                yield from self._collect(timeout=START_TIMEOUT)
        except KeyboardInterrupt:
            yield from self._collect(timeout=0)
            raise

    def _start_worker(self) -> None:
        actor = self._actor.remote(*self._arguments)
        self._workers.append(_WorkerHandle(actor, actor.status.remote()))

    def _assign(self) -> None:
        """Give every idle worker a model to load or clips to render."""
        for worker in self._workers:
            if worker.task is not None:
                continue
            holders = Counter(other.model for other in self._workers if other.model)
            refused = {
                model
                for host, model in self._problems
                if host == worker.host and model != worker.model  # another worker of this host failed on it
            }
            model = self._queues.choose(worker.model, holders, refused)
            if model is None:
                continue
            if model != worker.model:
                worker.model, worker.doing = model, "loading"
                worker.task = worker.actor.hold.remote(model)
            else:
                self._send_clips(worker)

    def _send_clips(self, worker: _WorkerHandle) -> None:
        sharers = sum(other.model == worker.model or other.task is None for other in self._workers)
        worker.clips = self._queues.take(worker.model, sharers)
        requests = [self._requests[number] for number in worker.clips]
        melodies = {
            request.melody: (path.suffix, path.read_bytes())
            for request in requests
            if request.melody and (path := self._melodies.get(request.melody))
        }
        clips = [
            (number, request.model_dump(mode="json"))
            for number, request in zip(worker.clips, requests, strict=True)
        ]
        worker.doing = "rendering"
        worker.task = worker.actor.render.options(num_returns="streaming").remote(clips, melodies)

    def _fail_unloadable(self) -> Iterator[Failure]:
        """Fail the clips of models that no machine can load."""
        if any(not worker.host for worker in self._workers):
            return  # what the one that is starting can do is not known yet
        hosts = sorted({worker.host for worker in self._workers})
        for model in self._queues.models:
            held = any(worker.model == model for worker in self._workers)
            if not held and all((host, model) in self._problems for host in hosts):
                reason = "; ".join(f"{host}: {self._problems[host, model]}" for host in hosts)
                for number in self._queues.give_up(model):
                    yield Failure(self._requests[number], reason)

    def _collect(self, timeout: float) -> Iterator[Render | Failure]:
        """Wait until a worker has something to tell, then take all that there is."""
        tasks = {worker.task: worker for worker in self._workers if worker.task is not None}
        if not tasks:
            return
        first, _ = self._ray.wait(list(tasks), num_returns=1, timeout=timeout)
        ready, _ = self._ray.wait(list(tasks), num_returns=len(tasks), timeout=0)
        if timeout and not first and not any(worker.host for worker in tasks.values()):
            for worker in tasks.values():  # none is at work, and these may never start
                self._drop(
                    worker, f"a worker has not started within {START_TIMEOUT} s; `ray status` tells more"
                )
        for task in ready:
            yield from self._receive(tasks[task])

    def _receive(self, worker: _WorkerHandle) -> Iterator[Render | Failure]:
        errors = self._ray.exceptions
        try:
            if worker.doing == "rendering":
                yield from self._results(worker)
                return
            answer = self._ray.get(worker.task)
            worker.task = None
        except errors.RayTaskError as error:  # nothing of the engine: its errors are results
            worker.task = None
            yield from self._failed(worker, one_line(error.cause))
        except errors.RayError as error:
            yield from self._replace(worker, error)
        else:
            if worker.doing == "loading":
                self._loaded(worker, answer)
            else:
                self._started(worker, answer)

    def _failed(self, worker: _WorkerHandle, problem: str) -> Iterator[Failure]:
        """Go on after an error that a worker has survived."""
        if worker.doing == "starting":
            self._drop(worker, f"a worker could not start: {problem}")
        elif worker.doing == "loading":
            self._loaded(worker, problem)
        for number in worker.clips:
            yield Failure(self._requests[number], f"{worker.host}: {problem}")
        worker.clips = []

    def _results(self, worker: _WorkerHandle) -> Iterator[Render | Failure]:
        """All that a worker has finished by now."""
        while True:
            try:
                number, result = self._ray.get(next(worker.task))
            except StopIteration:
                worker.task = None
                return
            worker.clips.remove(number)
            yield replace(result, request=self._requests[number])
            if not self._ray.wait([worker.task], timeout=0)[0]:
                return

    def _started(self, worker: _WorkerHandle, status: WorkerStatus) -> None:
        if status.version != __version__:
            raise GalleryError(
                f"gallery is {status.version} on {status.host} and {__version__} on this machine: "
                "install the same version on both"
            )
        if status.problem:
            self._drop(worker, f"{status.host}: {status.problem}")
        worker.host = status.host

    def _loaded(self, worker: _WorkerHandle, problem: str | None) -> None:
        if problem:
            self._problems[worker.host, worker.model] = problem
            worker.model = ""

    def _replace(self, worker: _WorkerHandle, error: Exception) -> Iterator[Failure]:
        """Take back the clips of a dead worker, and start another in its place where clips are waiting."""
        if not worker.host:
            self._drop(worker, f"a worker could not start: {_cause(error)}")
            return
        self._workers.remove(worker)
        self._ray.kill(worker.actor)  # it may only be out of reach
        if worker.doing == "loading":
            what = f"while it loaded {worker.model}"
            self._deaths[worker.host, worker.model] += 1
            if self._deaths[worker.host, worker.model] >= MAX_DEATHS:
                self._problems[worker.host, worker.model] = (
                    f"the worker died twice {what}: out of memory, or a broken file"
                )
        else:
            what = f"with {count(len(worker.clips), 'clip')} in hand"
        blamed = self._queues.give_back(worker.model, worker.clips) if worker.clips else []
        if self._queues.models:
            self._start_worker()
            what += "; another takes its place"
        say(f"a worker on {worker.host} died {what}")
        for number in blamed:
            reason = f"every worker that rendered it died, the last alone with it on {worker.host}"
            yield Failure(self._requests[number], reason)

    def _drop(self, worker: _WorkerHandle, problem: str) -> None:
        """Go on without a worker that cannot render anything."""
        self._workers.remove(worker)
        self._ray.kill(worker.actor)
        if not self._workers:
            raise GalleryError(f"MusicGen cannot run on the cluster: {problem}")
        say(f"the cluster has a worker less: {problem}")


def _resources(ray: Any, workers: int | None, device: str) -> tuple[str, int, dict[str, Any]]:
    """What workers render on, how many there are, and the resources that Ray is asked for for each."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    gpus = 0 if device == "cpu" else int(ray.cluster_resources().get("GPU", 0))
    if device == "cuda" and not gpus:
        raise GalleryError("--device cuda: the Ray cluster has no GPU")
    cores = int(sum(node["CPU"] for node in nodes))
    most, what = (gpus, "GPU") if gpus else (cores, "core")
    if not most:
        raise GalleryError("the Ray cluster has neither a GPU nor a core to render on")
    if workers and workers > most:
        raise GalleryError(f"the Ray cluster has {count(most, what)}: no room for {workers} workers")
    if gpus:
        return "cuda", workers or gpus, {"num_gpus": 1, "num_cpus": 0}
    if device == "auto":
        say("the cluster has no GPU: MusicGen renders on its CPUs, which is slow")
    workers = workers or len(nodes)
    smallest = int(min(node["CPU"] for node in nodes))
    cores_each = max(1, smallest // -(-workers // len(nodes)))
    return "cpu", workers, {"num_cpus": cores_each, "scheduling_strategy": "SPREAD"}


def _cause(error: Exception) -> str:
    """The last line of Ray's explanation, which says what was raised."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
