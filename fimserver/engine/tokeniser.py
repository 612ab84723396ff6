"""Turn text into a model's tokens, tokens back into bytes and names, and a grammar into what it allows of them."""

import ctypes
from functools import cached_property
from typing import Any

from fimserver.engine.grammar import Candidates, Grammar
from fimserver.engine.native import native
from fimserver.errors import EngineRefused

_FIM_ROLES = {
    "prefix": native.llama_vocab_fim_pre,
    "suffix": native.llama_vocab_fim_suf,
    "middle": native.llama_vocab_fim_mid,
    "pad": native.llama_vocab_fim_pad,
    "repo": native.llama_vocab_fim_rep,
    "file": native.llama_vocab_fim_sep,
}
_CONTROL = 1 << 3  # LLAMA_TOKEN_ATTR_CONTROL
_USER_DEFINED = 1 << 4  # LLAMA_TOKEN_ATTR_USER_DEFINED


class Tokeniser:
    """A model's vocabulary. It is the model's: it goes when the model is freed."""

    def __init__(self, vocabulary: Any) -> None:
        """Take llama.cpp's handle of it."""
        self._vocabulary = vocabulary
        self._piece = ctypes.create_string_buffer(256)
        self.size = int(native.llama_vocab_n_tokens(vocabulary))

    def tokenise(self, text: str, *, control: bool = False) -> list[int]:
        """Return the tokens of a text; with `control`, names of control tokens become those tokens."""
        encoded = text.encode("utf-8", "replace")
        room = len(encoded) + 8
        while True:
            tokens = (native.llama_token * room)()
            count = native.llama_tokenize(self._vocabulary, encoded, len(encoded), tokens, room, False, control)
            if count >= 0:
                return list(tokens[:count])
            room = -count

    def piece(self, token: int) -> bytes:
        """Return a token's bytes: perhaps part of a character. Control tokens have none."""
        while True:
            buffer = self._piece
            count = native.llama_token_to_piece(self._vocabulary, token, buffer, len(buffer), 0, False)
            if count >= 0:
                return ctypes.string_at(buffer, count)
            self._piece = ctypes.create_string_buffer(-count)

    def name(self, token: int) -> str:
        """Return a control token's text."""
        return str(native.llama_vocab_get_text(self._vocabulary, token), "utf-8", "replace")

    def fim_tokens(self) -> dict[str, int]:
        """Return the token of each role in filling in the middle that this model knows."""
        found = {role: int(token_of(self._vocabulary)) for role, token_of in _FIM_ROLES.items()}
        return {role: token for role, token in found.items() if token >= 0}

    @cached_property
    def control_tokens(self) -> frozenset[int]:
        """Every control and user-defined token."""
        attribute, vocabulary = native.llama_vocab_get_attr, self._vocabulary
        marks = _CONTROL | _USER_DEFINED
        return frozenset(token for token in range(self.size) if attribute(vocabulary, token) & marks)

    def end_tokens(self) -> list[int]:
        """Return the tokens by which the model says that it is done. All but the header's own are control tokens."""
        named = (native.llama_vocab_eos(self._vocabulary), native.llama_vocab_eot(self._vocabulary))
        candidates = {*self.control_tokens, *(int(token) for token in named if token >= 0)}
        return sorted(token for token in candidates if native.llama_vocab_is_eog(self._vocabulary, token))

    def grammar(self, text: str) -> Grammar:
        """Return the grammar that a GBNF text describes. Raises EngineRefused."""
        sampler = native.llama_sampler_init_grammar(self._vocabulary, text.encode(), b"root")
        if not sampler:
            raise EngineRefused("The grammar of this request is not a GBNF grammar with a rule named root.")

        def restrict(candidates: Candidates) -> None:
            pointer = candidates.ctypes.data_as(native.llama_token_data_p)
            array = native.llama_token_data_array(pointer, len(candidates), -1, False)
            native.llama_sampler_apply(sampler, ctypes.byref(array))

        return Grammar(
            self.size,
            restrict,
            accept=lambda token: native.llama_sampler_accept(sampler, token),
            close=lambda: native.llama_sampler_free(sampler),
        )
