"""A real S3 server for the tests, and galleries that keep their clips in it."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache

from gallery.config import load_config
from gallery.preview import Preview
from gallery.prompts.folder import read_prompts
from gallery.store.clips import Store
from support.galleries import SETTINGS, Gallery

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "somebody",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    # s3fs tries again by itself, too: one of the two is enough here.
    "AWS_MAX_ATTEMPTS": "1",
}


@cache
def _prepare_once() -> None:
    """Have read once what each client, and the server at each request, would read from the disk anew."""
    from aiobotocore import httpsession
    from botocore import session
    from moto import backends

    session.create_loader = cache(session.create_loader)  # what S3 is, by a megabyte of JSON
    services = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: services
    httpsession.get_cert_path = lambda _verify: None  # nothing here is encrypted


class ObjectStore:
    """S3 on this machine. It can be killed and started again, and remembers what it holds."""

    def __init__(self) -> None:
        _prepare_once()
        self._port = 0
        self.start()

    def start(self) -> None:
        from moto.server import ThreadedMotoServer

        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._server.start()
        _, self._port = self._server.get_host_and_port()

    def kill(self) -> None:
        self._server.stop()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"


@dataclass
class Bucket:
    """A bucket, by Amazon's own client: nothing of the gallery looks at it here."""

    store: ObjectStore
    name: str
    unfinished: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        import boto3
        from botocore.config import Config as Settings

        settings = Settings(retries={"max_attempts": 0})
        self.client = boto3.client(
            "s3",
            endpoint_url=self.store.address,
            aws_access_key_id="somebody",
            aws_secret_access_key="secret",
            region_name="us-east-1",
            config=settings,
        )
        self.client.create_bucket(Bucket=self.name)

    @property
    def url(self) -> str:
        return f"s3://{self.name}/clips"

    def names(self) -> set[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return {entry["Key"].removeprefix("clips/") for page in pages for entry in page.get("Contents", ())}

    def get(self, name: str) -> bytes:
        return self.client.get_object(Bucket=self.name, Key=f"clips/{name}")["Body"].read()

    def put(self, name: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=f"clips/{name}", Body=data)

    def remove(self, name: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=f"clips/{name}")

    def keys(self) -> set[str]:
        return {name[:32] for name in self.names() if name.endswith(".json")}

    def broken(self) -> list[str]:
        """Clips whose files are not what their records say."""
        found = []
        for key in sorted(self.keys()):
            said = json.loads(self.get(f"{key}.json"))["preview"]
            for suffix, digest in ((".mp3", said["audio_sha256"]), (".webp", said["cover_sha256"])):
                if hashlib.sha256(self.get(f"{key}{suffix}")).hexdigest() != digest:
                    found.append(f"{key}{suffix}")
        return found

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look again and again meanwhile; nobody may ever see a record without its audio and cover."""
        from botocore.exceptions import BotoCoreError

        stop, looks, names = threading.Event(), [], set()

        def watch() -> None:
            nonlocal names
            while not stop.is_set():
                with suppress(BotoCoreError):  # while the server is killed there is nothing to see
                    names = self.names()
                looks.append(len(names))
                for name in names:
                    if name.endswith(".json") and not {f"{name[:32]}.mp3", f"{name[:32]}.webp"} <= names:
                        self.unfinished.append(name)
                time.sleep(0.05)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        assert len(set(looks)) > 2, "nothing was seen half-way"
        assert self.unfinished == []


def keeping(gallery: Gallery, url: str, more: str = "") -> Gallery:
    """The gallery, its store at this address."""
    gallery.write(
        "gallery.toml", f'{SETTINGS}\n[limits]\nclips_per_prompt = 100\n\n[store]\nurl = "{url}"\n{more}'
    )
    return gallery


def shelve(
    gallery: Gallery, count: int, sound: bytes = b"sound", *, folder: str = ".gallery/store"
) -> list[str]:
    """A prompt of so many clips, all in the mirror, as if they had been rendered; returns their keys."""
    gallery.prompt(
        "many", "prompt: drums", "duration: 1", f"vary: {{seed: [{', '.join(map(str, range(count)))}]}}"
    )
    config = load_config(gallery.root)
    store, keys = Store(gallery.root / folder, "renders", mirror=True), []
    [prompt] = [prompt for prompt in read_prompts(config).prompts if prompt.path == "many"]
    for clip in prompt.clips:
        preview = Preview(
            mp3=sound * 4000 + clip.key.encode(),
            cover=b"cover" + clip.key.encode(),
            peaks="A" * 200,
            duration=1.0,
            loudness_before=-20.0,
            loudness_after=-16.0,
            true_peak_before=-3.0,
            true_peak_after=-1.0,
        )
        about = {"engine_version": 1, "date": "2026-11-20T00:00:00Z", "device": sound.decode()}
        store.put(clip.request, "musicgen", about, preview, config.preview.digest)
        keys.append(clip.key)
    return keys
