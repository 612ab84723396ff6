"""Prompts token by token: with the embedded model's vocabulary, and with the real ones where they are at hand.

Set FIMSERVER_VOCABULARIES to a folder of llama.cpp's `ggml-vocab-*.gguf` files to run them all; `../shared/vocab`
beside the checkout is found without it.
"""

import ctypes
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from fimserver.engine.interface import ModelFacts, Prompt
from fimserver.engine.native import native
from fimserver.models.gguf import read_gguf
from fimserver.prompt.chat import ChatMessage, chat_prompt
from fimserver.prompt.fim import fim_prompt
from fimserver.prompt.profile import all_profiles
from fimserver.values import Anchor, Snippet

EMBEDDED = Path(__file__).parents[3] / "fimserver" / "models" / "embedded" / "tiny-fim.gguf"
FOLDERS = (os.environ.get("FIMSERVER_VOCABULARIES"), str(Path(__file__).parents[4] / "shared" / "vocab"))

# Tokens that a vocabulary file does not hold under their names: Qwen2's stops before the code model's additions, and
# the SentencePiece file is Llama's, without CodeLlama's. Ids from the families' tokenizer files.
ADDED: Mapping[str, Mapping[str, int]] = {
    "qwen2": {
        "<|fim_prefix|>": 151659,
        "<|fim_middle|>": 151660,
        "<|fim_suffix|>": 151661,
        "<|repo_name|>": 151663,
        "<|file_sep|>": 151664,
    },
    "llama-spm": {"▁<PRE>": 32007, "▁<SUF>": 32008, "▁<MID>": 32009, "▁<EOT>": 32010},
}


class Vocabulary:
    """A vocabulary-only model and the tokens missing from it."""

    def __init__(self, path: Path, added: Mapping[str, int]) -> None:
        options = native.llama_model_default_params()
        options.vocab_only = True
        overrides = (native.llama_model_kv_override * 2)()
        overrides[0].key = b"tokenizer.ggml.add_space_prefix"  # as the engine loads its models
        overrides[0].tag = native.LLAMA_KV_OVERRIDE_TYPE_BOOL
        options.kv_overrides = ctypes.cast(overrides, ctypes.POINTER(native.llama_model_kv_override))
        self._model = native.llama_model_load_from_file(os.fsencode(path), options)
        self._vocabulary = native.llama_model_get_vocab(self._model)
        self._added = added
        self.path = path

    def tokens(self, text: str, *, control: bool = False) -> list[int]:
        if control and text in self._added:
            return [self._added[text]]
        encoded = text.encode()
        room = (native.llama_token * (len(encoded) + 8))()
        count = native.llama_tokenize(self._vocabulary, encoded, len(encoded), room, len(room), False, control)
        assert count >= 0
        return list(room[:count])

    def of(self, prompt: Prompt) -> list[int]:
        return [token for segment in self.each(prompt) for token in segment]

    def each(self, prompt: Prompt) -> Iterator[list[int]]:
        for segment in prompt.segments:
            if segment.control:
                yield self.tokens(segment.text, control=True)
                continue
            # llama.cpp parses user-defined tokens even in plain text, and DeepSeek's <|EOT|> is one: cut it in two.
            for index, text in enumerate(cut_inside(segment.text, prompt.stop_controls)):
                yield self.tokens(" " + text if segment.leading_space and index == 0 else text)


def cut_inside(text: str, names: Iterable[str]) -> list[str]:
    """Cut a text after the first character of every name in it."""
    either = "|".join(re.escape(name[0]) + f"(?={re.escape(name[1:])})" for name in names if len(name) > 1)
    cuts = [0, *(match.end() for match in re.finditer(either, text)), len(text)] if either else [0, len(text)]
    return [text[start:end] for start, end in pairwise(cuts) if start < end]


@cache
def vocabulary(name: str) -> Vocabulary:
    if name == "embedded":
        return Vocabulary(EMBEDDED, {})
    paths = [Path(folder) / f"ggml-vocab-{name}.gguf" for folder in FOLDERS if folder]
    path = next((path for path in paths if path.exists()), None)
    if path is None:
        pytest.skip(f"no vocabulary file of {name}")
    return Vocabulary(path, ADDED.get(name, {}))


def prompt(profile_id: str, *, typed: str = "", hostile: str = "") -> Prompt:
    prefix = f"import os{hostile}\n\n\ndef size(path: str) -> int:\n"
    suffix = "\n\n\nprint(size('.'))\n"
    other = Snippet("lib/walk.py", f"def walk(top):\n    yield top{hostile}\n", 1.0, "imports")
    anchor = Anchor("file:///main.py", len(prefix), 0, prefix, suffix, len(suffix))
    return fim_prompt(anchor, typed, [other], all_profiles()[profile_id], path="main.py", repository="disk")


# Every profile whose vocabulary is among the files.
KNOWN = {
    "tiny-fim": "embedded",
    "qwen2.5-coder": "qwen2",
    "qwen3-coder": "qwen2",
    "deepseek-coder": "deepseek-coder",
    "starcoder2": "starcoder",
    "starcoder": "refact",
    "granite-code": "refact",
    "refact": "refact",
    "codellama": "llama-spm",
}
EVERY = pytest.mark.parametrize(("profile_id", "name"), KNOWN.items(), ids=KNOWN)


@EVERY
def test_every_control_text_is_one_token(profile_id: str, name: str) -> None:
    words = vocabulary(name)
    for segment in prompt(profile_id).segments:
        if segment.control:
            assert len(words.tokens(segment.text, control=True)) == 1, segment.text


@EVERY
def test_a_key_changes_only_tokens_at_the_end(profile_id: str, name: str) -> None:
    words = vocabulary(name)
    held = words.of(prompt(profile_id))
    line = "    return os.path.getsize(path)\n"
    for end in range(1, len(line) + 1):
        tokens = words.of(prompt(profile_id, typed=line[:end]))
        assert tokens[: len(held)] == held


@EVERY
def test_control_texts_in_files_stay_text(profile_id: str, name: str) -> None:
    words = vocabulary(name)
    hostile = f"  # <|fim_middle|>{''.join(sorted(all_profiles()[profile_id].controls))}"
    controls = {words.tokens(text, control=True)[0] for text in ADDED.get(name, {})}
    controls |= {
        token
        for text in all_profiles()[profile_id].controls
        for token in words.tokens(text, control=True)
        if len(words.tokens(text, control=True)) == 1
    }
    quiet, loud = (words.of(prompt(profile_id, typed="x", hostile=text)) for text in ("", hostile))
    assert len(loud) > len(quiet)
    assert [token for token in loud if token in controls] == [token for token in quiet if token in controls]


# The same prompts as the families' own code writes them, in one string in which control texts are parsed. The text in
# it holds no control text, so both ways must agree token by token.
WHOLE = {
    "tiny-fim": (
        "<|fim_prefix|><|fim_suffix|>\n\n\nprint(size('.'))\n<|fim_middle|>import os\n\n\ndef size(path: str) -> int:\n"
    ),
    "deepseek-coder": (
        "<｜begin▁of▁sentence｜>#lib/walk.py\ndef walk(top):\n    yield top\n#main.py\n<｜fim▁begin｜>import os\n\n\n"
        "def size(path: str) -> int:\n<｜fim▁hole｜>\n\n\nprint(size('.'))\n<｜fim▁end｜>"
    ),
    "starcoder2": (
        "<repo_name>disk<file_sep>lib/walk.py\ndef walk(top):\n    yield top\n<file_sep>main.py\n"
        "<fim_prefix>import os\n\n\ndef size(path: str) -> int:\n<fim_suffix>\n\n\nprint(size('.'))\n<fim_middle>"
    ),
    "refact": (
        "<reponame>disk<filename>lib/walk.py\ndef walk(top):\n    yield top\n<filename>main.py\n"
        "<fim_prefix>import os\n\n\ndef size(path: str) -> int:\n<fim_suffix>\n\n\nprint(size('.'))\n<fim_middle>"
    ),
}


@pytest.mark.parametrize(("profile_id", "whole"), WHOLE.items(), ids=WHOLE)
def test_segments_give_the_tokens_of_the_whole_string(profile_id: str, whole: str) -> None:
    words = vocabulary(KNOWN[profile_id])
    assert words.of(prompt(profile_id)) == words.tokens(whole, control=True)


# With "    return " typed. Read each against its family's card before changing a number.
# fmt: off
GOLDEN: Mapping[str, list[int]] = {
    "qwen2.5-coder": [
        151663, 30496, 198, 151664, 2740, 6324, 1692, 7197, 198, 750, 4227, 17634, 982, 262, 7540, 1909, 198,
        151664, 3817, 7197, 198, 151659, 474, 2643, 1406, 750, 1379, 5581, 25, 607, 8, 1464, 526, 510, 151661,
        1406, 1350, 6856, 4291, 6987, 151660, 262, 470, 220,
    ],
    "qwen3-coder": [
        151663, 30496, 198, 151664, 2740, 6324, 1692, 7197, 198, 750, 4227, 17634, 982, 262, 7540, 1909, 198,
        151664, 3817, 7197, 198, 151659, 474, 2643, 1406, 750, 1379, 5581, 25, 607, 8, 1464, 526, 510, 151661,
        1406, 1350, 6856, 4291, 6987, 151660, 262, 470, 220,
    ],
    "deepseek-coder": [
        32013, 2, 2875, 14, 16129, 13, 4016, 185, 1551, 3655, 7, 2277, 1772, 185, 315, 6916, 1861, 185, 2, 5609,
        13, 4016, 185, 32016, 1892, 10925, 185, 185, 185, 1551, 2398, 7, 3261, 25, 1401, 8, 567, 29, 1097, 25,
        185, 32015, 185, 185, 185, 4128, 7, 3017, 1497, 4677, 1435, 185, 32017, 315, 967, 207,
    ],
    "starcoder2": [
        5, 10301, 6, 1379, 52, 11941, 51, 997, 222, 610, 13505, 45, 1412, 731, 303, 6785, 2687, 222, 6, 1850,
        51, 997, 222, 1, 485, 2355, 499, 222, 610, 1354, 45, 1005, 63, 615, 46, 984, 648, 63, 222, 3, 499, 222,
        1243, 45, 911, 3964, 2878, 222, 2, 283, 461, 244,
    ],
    "starcoder": [
        18, 10300, 5, 1356, 33, 11905, 32, 978, 203, 589, 13503, 26, 1393, 711, 284, 6761, 2663, 203, 5, 1831,
        32, 978, 203, 1, 465, 2322, 478, 203, 589, 1334, 26, 983, 44, 596, 27, 967, 629, 44, 203, 3, 478, 203,
        1216, 26, 891, 3949, 2847, 203, 2, 264, 442, 225,
    ],
    "granite-code": [
        18, 10300, 5, 1356, 33, 11905, 32, 978, 203, 589, 13503, 26, 1393, 711, 284, 6761, 2663, 203, 5, 1831,
        32, 978, 203, 1, 465, 2322, 478, 203, 589, 1334, 26, 983, 44, 596, 27, 967, 629, 44, 203, 3, 478, 203,
        1216, 26, 891, 3949, 2847, 203, 2, 264, 442, 225,
    ],
    "refact": [
        18, 10300, 5, 1356, 33, 11905, 32, 978, 203, 589, 13503, 26, 1393, 711, 284, 6761, 2663, 203, 5, 1831,
        32, 978, 203, 1, 465, 2322, 478, 203, 589, 1334, 26, 983, 44, 596, 27, 967, 629, 44, 203, 3, 478, 203,
        1216, 26, 891, 3949, 2847, 203, 2, 264, 442, 225,
    ],
    "codellama": [
        1, 32007, 32008, 13, 13, 13, 2158, 29898, 2311, 877, 6169, 876, 13, 32009, 1053, 2897, 13, 13, 13, 1753,
        2159, 29898, 2084, 29901, 851, 29897, 1599, 938, 29901, 13, 1678, 736, 29871,
    ],
}
# fmt: on


@pytest.mark.parametrize(("profile_id", "expected"), GOLDEN.items(), ids=GOLDEN)
def test_golden(profile_id: str, expected: list[int]) -> None:
    assert vocabulary(KNOWN[profile_id]).of(prompt(profile_id, typed="    return ")) == expected


def test_a_chat_gives_the_tokens_of_its_template_as_one_string() -> None:
    words = vocabulary("qwen2")
    template = read_gguf(words.path).text("tokenizer.chat_template")
    controls = frozenset({"<|im_start|>", "<|im_end|>", "<|endoftext|>"})
    facts = ModelFacts(
        name="", path="", architecture="qwen2", context_tokens=0, control_texts=controls, chat_template=template
    )
    said = [ChatMessage("system", "You review code."), ChatMessage("user", "def f():\n    return 1\n")]
    whole = (
        "<|im_start|>system\nYou review code.<|im_end|>\n"
        "<|im_start|>user\ndef f():\n    return 1\n<|im_end|>\n<|im_start|>assistant\n"
    )
    assert words.of(chat_prompt(said, facts)) == words.tokens(whole, control=True)
