"""Weights in the published layouts: read without running code, at their revisions, or told missing."""

from __future__ import annotations

import enum
import math
import os
import pickle
import shutil
import warnings
import zipfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

import pytest

from gallery.config import Model
from gallery.engines import Failure, Render
from gallery.engines.musicgen import MusicGenEngine, availability, files
from support.tiny_checkpoints import write_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from support.tiny_engine import Tiny

    MakeTiny = Callable[..., Tiny]

PICKLED = Path(__file__).parent / "pickled"
T5_BASE, T5_LARGE = "a9723ea7f1b39c1eae772870f3b547bf6ef7e6c1", "150ebc2c4b72291e770f58e6057481c8d2ed331a"
ENCODEC, NEWER = "ec" * 20, "f0" * 20
CHECKPOINT = ("state_dict.bin", "compression_state_dict.bin")
T5_FILES = ("config.json", "tokenizer_config.json", "tokenizer.json", "spiece.model", "model.safetensors")


class Author(enum.Enum):
    CLASS = "whoever made the checkpoint"


class Call:
    """What a pickle does that calls something."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def model_of(folder: Path, hub: str = "tests/tiny", **fields: Any) -> Model:
    return Model(**{"hub": hub, "folder": str(folder), "kind": "musicgen", **fields})


def render(models: Sequence[Model], requests: Sequence[Any], root: Path) -> list[Any]:
    engine = MusicGenEngine({str(n): one for n, one in enumerate(models)}, root=root, device="cpu")
    return list(engine.render(requests))


@pytest.fixture
def rewritten(tiny: MakeTiny, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the tiny checkpoint, its configuration given to a function and its codec's, too."""
    import torch
    from omegaconf import OmegaConf

    def rewrite(change: Callable[[Any], Any], names: Sequence[str] = CHECKPOINT) -> Path:
        model = tiny("mono")
        folder = tmp_path / "rewritten"
        shutil.copytree(model.root / model.model.folder, folder)
        for name in names:
            package = torch.load(folder / name)
            package["xp.cfg"] = change(OmegaConf.create(package["xp.cfg"]))
            torch.save(package, folder / name)
        return folder

    return rewrite


class TestPickledConfigurations:
    """As AudioGen's published files have them."""

    def test_they_are_read_without_running_anything(
        self, tiny: MakeTiny, rewritten: Callable[..., Path]
    ) -> None:
        from omegaconf import DictConfig, ListConfig, OmegaConf, nodes

        def publish(config: Any) -> Any:
            config.odd = {
                "nodes": [nodes.IntegerNode(1), nodes.StringNode("x"), nodes.BooleanNode(True)],
                "more": [nodes.FloatNode(0.5), nodes.BytesNode(b"\x00\xff"), nodes.PathNode(Path("a/b"))],
                "typed": DictConfig({"a": 1}, key_type=str, element_type=Union[int, str]),  # noqa: UP007
                "list": ListConfig([None, 2], element_type=Optional[int]),  # noqa: UP045
                "missing": "???",
                "of this configuration": "${device}",
                "of this machine": "/checkpoint/${oc.env:USER}/audiocraft",
            }
            OmegaConf.set_struct(config, True)
            OmegaConf.set_readonly(config, True)
            return config

        model = tiny("mono")
        request = model.request(duration=0.5, seed=3)
        [result] = render([model_of(rewritten(publish))], [request], model.root)
        assert isinstance(result, Render), result
        assert abs(result.audio - model.stock(request)[1]).max() < 1e-5

    @pytest.mark.parametrize("release", ["2.0.6", "2.3.0"])
    def test_of_any_release_of_omegaconf(self, release: str, tmp_path: Path) -> None:
        """A list of configurations as that release pickled it, all its kinds of nodes in it."""
        from gallery.engines.musicgen.package import configuration_of, read_package

        raw = (PICKLED / f"omegaconf-{release}.pkl").read_bytes()
        with pickled(raw, tmp_path / "any.bin") as model:
            configs = read_package(model, tmp_path / "any.bin")["xp.cfg"]
        first = configuration_of({"xp.cfg": configs[0]})
        assert first == {
            "a": 1, "b": [1, 2, {"c": None}], "s": "x", "f": 1.5, "t": True, "m": "???", "i": 1, "e": "???",
        }  # fmt: skip
        assert [set(configuration_of({"xp.cfg": config})) for config in configs[1:]] == [
            {"a", "b", "c", "d"},
            {"l", "d"},
            *([{"e", "p", "u", "o", "dd"}] if release == "2.3.0" else []),
        ]

    def test_classes_of_their_makers_are_refused_by_name(
        self, tiny: MakeTiny, rewritten: Callable[..., Path]
    ) -> None:
        model = tiny("mono")
        folder = rewritten(lambda config: config | {"by": Author.CLASS}, ["state_dict.bin"])
        request = model.request(duration=0.5)
        [refused] = render([model_of(folder)], [request], model.root)
        assert refused == Failure(
            request,
            f"tests/tiny needs unpickling (state_dict.bin holds {__name__}.Author), which runs code of "
            "whoever made it; if you trust its source, set `unpickle = true` for this model in gallery.toml",
        )
        [result] = render([model_of(folder, unpickle=True)], [request], model.root)
        assert isinstance(result, Render)

    @pytest.mark.parametrize(
        ("function", "arguments", "named"),
        [
            (os.system, ["touch {ran}"], "posix.system"),
            (exec, ["open({ran!r}, 'w')"], "exec"),
            (getattr, [dict, "fromkeys"], "getattr"),
            (type, ["Made", (), {}], "builtins.type"),
            (__import__("operator").getitem, [{"a": 1}, "a"], "_operator.getitem"),
            (Path.touch, [Path("{ran}")], "getattr"),
        ],
    )
    def test_calls_in_them_are_refused(
        self, function: Callable[..., Any], arguments: list[Any], named: str, tmp_path: Path
    ) -> None:
        import torch

        from gallery.engines.musicgen.package import CannotLoad, read_package

        ran = tmp_path / "ran"
        filled = [part.format(ran=str(ran)) if isinstance(part, str) else part for part in arguments]
        torch.save({"xp.cfg": Call(function, *filled)}, tmp_path / "state_dict.bin")
        with pytest.raises(CannotLoad) as refused:
            read_package(model_of(tmp_path), tmp_path / "state_dict.bin")
        assert named in str(refused.value)
        assert files.needs(model_of(tmp_path), tmp_path)[1].hub == "t5-base"  # which looks into it, too
        assert not ran.exists()

    def test_none_learns_what_this_machine_knows(
        self, tiny: MakeTiny, rewritten: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Text encoders are looked up on the hub: a name made of a secret would tell it."""
        from omegaconf import DictConfig, OmegaConf

        asked: list[str] = []
        with warnings.catch_warnings(action="ignore"):  # newer releases have another name for it
            OmegaConf.register_new_resolver("ask", lambda: asked.append("asked") or "t5-base", replace=True)
        monkeypatch.setenv("SECRET", "t5-secret")
        model = tiny("mono")
        for name, publish in (
            ("${oc.env:SECRET}", lambda config: config),
            ("${oc.env:SECRET}", lambda config: Call(DictConfig, OmegaConf.to_container(config))),
            ("a${oc.decode:${oc.env:SECRET}}", OmegaConf.to_yaml),
            ("${ask:}", OmegaConf.to_yaml),
        ):

            def name_it(config: Any, name: str = name, publish: Callable[[Any], Any] = publish) -> Any:
                config.conditioners.description.t5.name = name
                return publish(config)

            folder = rewritten(name_it, ["state_dict.bin"])
            [refused] = render([model_of(folder)], [model.request(duration=0.5)], model.root)
            assert isinstance(refused, Failure)
            assert "Missing mandatory value: conditioners.description.t5.name" in refused.reason
            assert "secret" not in refused.reason
            shutil.rmtree(folder)
        assert asked == []
        OmegaConf.clear_resolver("ask")


class pickled:  # noqa: N801 - reads as a word
    """A file of torch's whose package has this pickle for a configuration."""

    def __init__(self, raw: bytes, path: Path) -> None:
        import torch

        whole = BytesIO()
        torch.save({}, whole)
        content = b"\x80\x02}X\x06\x00\x00\x00xp.cfg" + raw[2:-1] + b"s."
        assert isinstance(pickle.loads(content), dict)
        with zipfile.ZipFile(whole) as made, zipfile.ZipFile(path, "w") as written:
            for name in made.namelist():
                written.writestr(name, content if name.endswith("data.pkl") else made.read(name))
        self.model = model_of(path.parent)

    def __enter__(self) -> Model:
        return self.model

    def __exit__(self, *_: object) -> None:
        return


class Hub:
    """The hub's cache, offline."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, name: str, revision: str, source: Path, *only: str, newest: bool = False) -> Path:
        place = self.folder / f"models--{name.replace('/', '--')}"
        snapshot = place / "snapshots" / revision
        snapshot.mkdir(parents=True, exist_ok=True)
        for path in source.iterdir():
            if path.is_file() and (not only or path.name in only):
                shutil.copy(path, snapshot)
        if newest:
            (place / "refs").mkdir(exist_ok=True)
            (place / "refs" / "main").write_text(revision)
        return snapshot


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    from huggingface_hub import constants

    cache = tmp_path / "hub"
    cache.mkdir()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return Hub(cache)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as published: it only names its codec, which is of transformers and has old keys.

    Its folder holds its two files, and below it ``t5-base`` with all of T5's files and ``encodec_32khz``.
    """
    import torch

    folder = write_checkpoint(tmp_path_factory.mktemp("published") / "small")
    (folder / "t5-base" / "spiece.model").write_bytes(b"read with sentencepiece alone")
    torch.save({"pretrained": "facebook/encodec_32khz", "exported": True}, folder / CHECKPOINT[1])
    write_encodec(folder / "encodec_32khz")
    return folder


def write_encodec(folder: Path, ratios: Sequence[int] = (8, 5, 4, 4), rate: int = 32000) -> None:
    import torch
    from safetensors.torch import load_file, save_file
    from transformers import EncodecConfig, EncodecModel

    torch.manual_seed(0)
    EncodecModel(
        EncodecConfig(
            target_bandwidths=[rate / math.prod(ratios) * 40 / 1000], sampling_rate=rate, audio_channels=1,
            upsampling_ratios=list(ratios), codebook_size=1024, codebook_dim=16, hidden_size=16,
            num_filters=2, num_lstm_layers=1, use_causal_conv=False, norm_type="weight_norm",
        )
    ).save_pretrained(folder)  # fmt: skip
    weights = load_file(folder / "model.safetensors")
    old = {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): weight
        for name, weight in weights.items()
    }
    assert any(name.endswith("weight_g") for name in old)
    save_file(old, folder / "model.safetensors", {"format": "pt"})


SMALL = Model(hub="facebook/musicgen-small", revision="5a" * 20, kind="musicgen")


class TestRevisions:
    def test_a_published_model_is_loaded_at_known_commits_which_records_keep(
        self, tiny: MakeTiny, published: Path, hub: Hub
    ) -> None:
        hub.add(SMALL.hub, SMALL.revision, published)
        hub.add("t5-base", T5_BASE, published / "t5-base")
        hub.add("t5-base", NEWER, published / "encodec_32khz", newest=True)  # no text encoder at all
        hub.add("facebook/encodec_32khz", ENCODEC, published / "encodec_32khz", newest=True)
        assert availability({"small": SMALL}, Path()) is None
        request = tiny("mono").request(model=SMALL.hub, duration=0.5)
        [result] = render([SMALL], [request], Path())
        assert isinstance(result, Render), result
        told = result.provenance.to_dict()
        assert told["revision"] == SMALL.revision
        assert told["text_encoder"] == f"t5-base@{T5_BASE}"
        assert told["codec"] == f"facebook/encodec_32khz@{ENCODEC}"
        assert abs(result.audio).max() > 1e-4  # the old keys' weights, not random ones

        local = model_of(published, SMALL.hub)
        [again] = render([local], [request], Path())
        assert isinstance(again, Render)
        assert (again.audio == result.audio).all()
        assert [again.provenance.to_dict()[name] for name in ("text_encoder", "codec")] == [
            "t5-base",
            "encodec_32khz",
        ]

    def test_settings_choose_others(self, tiny: MakeTiny, published: Path, hub: Hub) -> None:
        hub.add(SMALL.hub, SMALL.revision, published)
        hub.add("t5-base", T5_BASE, published / "t5-base", newest=True)
        hub.add("t5-base", NEWER, published / "t5-base")
        hub.add("facebook/encodec_32khz", ENCODEC, published / "encodec_32khz", newest=True)
        hub.add("facebook/encodec_32khz", NEWER, published / "encodec_32khz")
        chosen = SMALL.model_copy(update={"text_encoder_revision": NEWER, "codec_revision": NEWER})
        request = tiny("mono").request(model=SMALL.hub, duration=0.5)
        [result] = render([chosen], [request], Path())
        assert isinstance(result, Render), result
        assert result.provenance.text_encoder == f"t5-base@{NEWER}"
        assert result.provenance.codec == f"facebook/encodec_32khz@{NEWER}"

    def test_other_models_have_the_newest(self, published: Path, hub: Hub) -> None:
        ours = SMALL.model_copy(update={"hub": "tests/tuned"})
        assert [need.revision for need in files.needs(SMALL, Path())] == [SMALL.revision, T5_BASE, ""]
        hub.add(ours.hub, SMALL.revision, published)
        assert [need.revision for need in files.needs(ours, Path())] == [SMALL.revision, "", ""]

    def test_what_is_pinned_and_here_is_taken_without_asking_the_hub(
        self, tiny: MakeTiny, published: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)  # asks the hub of its own accord
        hub.add(SMALL.hub, SMALL.revision, published)
        hub.add("t5-base", T5_BASE, published / "t5-base")
        hub.add("facebook/encodec_32khz", ENCODEC, published / "encodec_32khz")
        pinned = SMALL.model_copy(update={"codec_revision": ENCODEC})
        request = tiny("mono").request(model=SMALL.hub, duration=0.5)
        [result] = render([pinned], [request], Path())
        assert isinstance(result, Render), result

    def test_a_folder_with_copies_of_all_asks_nobody(
        self, tiny: MakeTiny, published: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
        request = tiny("mono").request(model=SMALL.hub, duration=0.5)
        [result] = render([model_of(published, SMALL.hub)], [request], Path())
        assert isinstance(result, Render), result

    @pytest.mark.parametrize("name", ["/etc/passwd", "..", "a\x1b[31m", "x/y/z"])
    def test_a_checkpoint_names_nothing_but_models_of_the_hub(
        self, tiny: MakeTiny, tmp_path: Path, name: str
    ) -> None:
        import torch

        model = tiny("mono")
        folder = tmp_path / "below" / "named"
        shutil.copytree(model.root / model.model.folder, folder)
        torch.save({"pretrained": name}, folder / CHECKPOINT[1])
        [refused] = render([model_of(folder)], [model.request()], tmp_path)
        assert isinstance(refused, Failure)
        assert refused.reason.isprintable()
        assert "no model of the hub" in refused.reason or "cannot be" in refused.reason

    @pytest.mark.parametrize("own", [True, False], ids=["its own", "one that it names"])
    def test_a_codec_of_other_frames_is_refused(self, tiny: MakeTiny, tmp_path: Path, own: bool) -> None:
        """24 kHz at 75 frames a second: a clip of 3 s would last 2."""
        import torch
        from omegaconf import OmegaConf

        model = tiny("mono")
        folder = tmp_path / "faster"
        shutil.copytree(model.root / model.model.folder, folder)
        if own:
            package = torch.load(folder / CHECKPOINT[1])
            config = OmegaConf.create(package["xp.cfg"])
            config.encodec.sample_rate = 48000
            torch.save(package | {"xp.cfg": OmegaConf.to_yaml(config)}, folder / CHECKPOINT[1])
        else:
            torch.save({"pretrained": "facebook/encodec_24khz"}, folder / CHECKPOINT[1])
            write_encodec(folder / "encodec_24khz", ratios=(8, 5, 4, 2), rate=24000)
        faster = model_of(folder, sample_rate=48000 if own else 24000)
        [refused] = render([faster], [model.request()], tmp_path)
        assert isinstance(refused, Failure)
        assert refused.reason == (
            "tests/tiny has a codec of 75 frames a second: only codecs of 50 are supported"
        )


class TestMissingFiles:
    """All that a model needs is looked for before it is said that it can render."""

    def fill(self, hub: Hub, published: Path) -> None:
        hub.add(SMALL.hub, SMALL.revision, published)
        hub.add("t5-base", T5_BASE, published / "t5-base")
        hub.add("facebook/encodec_32khz", ENCODEC, published / "encodec_32khz", newest=True)

    @pytest.mark.parametrize(
        ("gone", "said"),
        [
            (
                ["state_dict.bin"],
                "no model's weights are here: run `gallery setup musicgen`",
            ),
            *[
                (
                    [f"t5-base/{name}"],
                    "facebook/musicgen-small has no text encoder here: run `gallery setup musicgen`",
                )
                for name in ("config.json", "model.safetensors")
            ],
            (
                ["t5-base/tokenizer.json", "t5-base/spiece.model"],
                "facebook/musicgen-small has no text encoder here: run `gallery setup musicgen`",
            ),
            *[
                (
                    [f"encodec_32khz/{name}"],
                    "facebook/musicgen-small has no codec here: run `gallery setup musicgen`",
                )
                for name in ("config.json", "model.safetensors")
            ],
            (["t5-base/tokenizer_config.json", "t5-base/spiece.model"], None),
        ],
    )
    def test_each_is_told(self, published: Path, hub: Hub, gone: list[str], said: str | None) -> None:
        self.fill(hub, published)
        for path in gone:
            [found] = (path for path in hub.folder.rglob(Path(path).name) if is_of(gone[0], path))
            found.unlink()
        assert availability({"small": SMALL}, Path()) == said

    def test_another_commit_of_a_text_encoder_is_none(self, published: Path, hub: Hub) -> None:
        hub.add(SMALL.hub, SMALL.revision, published)
        hub.add("t5-base", NEWER, published / "t5-base", newest=True)
        hub.add("facebook/encodec_32khz", ENCODEC, published / "encodec_32khz", newest=True)
        told = availability({"small": SMALL}, Path())
        assert told
        assert told.startswith("facebook/musicgen-small has no text encoder here: ")

    def test_a_folder_without_copies_takes_them_from_the_cache(self, published: Path, hub: Hub) -> None:
        bare = hub.add("x/bare", NEWER, published)
        model = model_of(bare, SMALL.hub)
        told = availability({"bare": model}, Path())
        assert told
        assert told.startswith("facebook/musicgen-small has no text encoder and no codec here: run `gallery ")
        self.fill(hub, published)
        assert availability({"bare": model}, Path()) is None
        (bare / "t5-base").mkdir()
        assert availability({"bare": model}, Path()) == (
            f"facebook/musicgen-small has no text encoder here: put t5-base into {bare}/t5-base"
        )

    def test_the_checkpoint_says_what_it_names(
        self, rewritten: Callable[..., Path], published: Path, tmp_path: Path
    ) -> None:
        """Text or pickled, without torch; where it isn't here, what the published ones name is assumed."""
        from omegaconf import OmegaConf

        def names(model: Model) -> list[str]:
            return [need.hub for need in files.needs(model, tmp_path)]

        def flan(config: Any) -> Any:
            config.conditioners.description.t5.name = "google/flan-t5-large"
            return config

        assert names(model_of(published)) == ["tests/tiny", "t5-base", "facebook/encodec_32khz"]
        folder = rewritten(flan, ["state_dict.bin"])
        assert names(model_of(folder)) == ["tests/tiny", "google/flan-t5-large"]
        shutil.rmtree(folder)
        folder = rewritten(lambda config: OmegaConf.to_yaml(flan(config)), ["state_dict.bin"])
        assert names(model_of(folder)) == ["tests/tiny", "google/flan-t5-large"]
        (folder / CHECKPOINT[0]).write_bytes(b"torn")
        assert names(model_of(folder)) == ["tests/tiny", "t5-base"]
        assert names(SMALL) == [SMALL.hub, "t5-base", "facebook/encodec_32khz"]
        sound = Model(hub="facebook/audiogen-medium", kind="audiogen")
        assert names(sound) == [sound.hub, "t5-large"]
        assert files.needs(sound, tmp_path)[1].revision == T5_LARGE

    def test_melodies_need_their_separator(self, hub: Hub, tmp_path: Path) -> None:
        melody = Model(hub="facebook/musicgen-melody", kind="melody")

        def separator() -> list[str]:
            needed = files.missing(melody, Path(), melodies=True)
            return [need.advice for need in needed if need.purpose == "separator for melodies"]

        assert separator() == ["run `gallery setup musicgen`"]
        assert len(files.missing(melody, Path())) + 1 == len(files.missing(melody, Path(), melodies=True))
        checkpoints = tmp_path / "torch" / "hub" / "checkpoints"
        checkpoints.mkdir(parents=True)
        (checkpoints / "955717e8-8726e21a.th").touch()
        assert separator() == []
        (checkpoints / "955717e8-8726e21a.th").unlink()
        source = tmp_path / "demucs"
        source.mkdir()
        for name in ("htdemucs.yaml", "955717e8.safetensors"):
            (source / name).touch()
        hub.add("adefossez/HTDemucs", NEWER, source, newest=True)
        assert separator() == []
        assert not [need for need in files.needs(SMALL, Path(), melodies=True) if "melodies" in need.purpose]

    def test_clips_of_incomplete_models_are_told_before_any_is_rendered(
        self, tiny: MakeTiny, published: Path, hub: Hub, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.fill(hub, published)
        medium = Model(hub="facebook/musicgen-medium", kind="musicgen")
        tuned = SMALL.model_copy(update={"hub": "tests/tuned"})
        hub.add(tuned.hub, tuned.revision, published)
        models = [SMALL, medium, tuned]
        assert availability({model.hub: model for model in models}, Path()) is None
        hubs = [SMALL.hub, medium.hub, tuned.hub, medium.hub]
        made = tiny("mono")
        requests = [made.request(model=name, duration=0.5, seed=n) for n, name in enumerate(hubs)]
        results = render(models, requests, Path())
        assert [type(result) for result in results] == [Failure, Failure, Failure, Render]
        reasons = [result.reason for result in results[:3]]
        assert reasons[0] == reasons[1]
        assert reasons[0] == "facebook/musicgen-medium has no weights here: run `gallery setup musicgen`"
        assert reasons[2] == "tests/tuned has no text encoder here: run `gallery setup musicgen`"
        assert capsys.readouterr().err == (
            f"2 clips cannot be rendered: {reasons[0]}\n1 clip cannot be rendered: {reasons[2]}\n"
        )

    def test_only_clips_with_a_melody_wait_for_the_separator(
        self, tiny: MakeTiny, hub: Hub, melody: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import importlib.util

        find = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: find("json" if name == "demucs" else name)
        )
        model = tiny("melody")
        requests = [model.request(duration=0.5, melody=name) for name in ("aa", None)]
        engine = MusicGenEngine({"tiny": model.model}, root=model.root, melodies={"aa": melody}, device="cpu")
        failed, rendered = engine.render(requests)
        assert isinstance(failed, Failure)
        assert failed.reason == (
            "tests/tiny has no separator for melodies here: run `gallery setup musicgen`"
        )
        assert isinstance(rendered, Render)

    def test_the_report_says_which_models_are_here(self, published: Path, hub: Hub) -> None:
        self.fill(hub, published)
        tuned = SMALL.model_copy(update={"hub": "tests/tuned"})
        hub.add(tuned.hub, tuned.revision, published)
        models = {
            "small": SMALL,
            "medium": Model(hub="facebook/musicgen-medium", kind="musicgen"),
            "large": Model(hub="facebook/musicgen-large", kind="musicgen"),
            "tuned": tuned,
        }
        assert files.report(models, Path()) == (
            "here: small; tests/tuned has no text encoder here: run `gallery setup musicgen`; "
            "weights not here: medium, large"
        )

    def test_doctor_has_it(self, tiny: MakeTiny, tmp_path: Path) -> None:
        from gallery.doctor import examine

        whole = tiny("mono")
        (tmp_path / "gallery.toml").write_text(
            f'[models.tiny]\nhub = "tests/tiny"\nkind = "musicgen"\n'
            f'folder = "{whole.root / whole.model.folder}"\n'
            f'[models.absent]\nhub = "tests/absent"\nkind = "musicgen"\nfolder = "nowhere"\n'
        )
        found = {finding.subject: finding for finding in examine(tmp_path)}
        assert found["engine"].text.startswith("musicgen: ")
        assert found["models"].text == "here: tiny; weights not here: absent"


def is_of(place: str, path: Path) -> bool:
    folder = place.partition("/")[0] if "/" in place else "musicgen-small"
    return folder in str(path)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever asks the network fails at once, and is found out."""
    import socket

    asked: list[Any] = []

    def refuse(*arguments: Any, **_named: Any) -> None:
        asked.append(arguments)
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield
    assert asked == []
