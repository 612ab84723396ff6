"""Turn the header of a model's file into the facts by which its profile is chosen, without loading the model."""

from pathlib import Path

from fimserver.engine.interface import ModelFacts
from fimserver.models.gguf import Gguf, LongArray, Value, read_gguf

_TOKENS, _KINDS = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"

# Kinds of tokens, as llama.cpp counts them.
_CONTROL, _USER_DEFINED = 3, 4

# By its role, the key under which a header names a token.
_ROLES = {
    "prefix": "tokenizer.ggml.fim_pre_token_id",
    "suffix": "tokenizer.ggml.fim_suf_token_id",
    "middle": "tokenizer.ggml.fim_mid_token_id",
}


def facts_of_file(path: Path) -> ModelFacts:
    """Return what the header says of a model; its vocabulary is read for it. Raises ModelMissing or ModelBroken."""
    gguf = read_gguf(path, keep=(_TOKENS, _KINDS))
    tokens = [str(token) for token in _array(gguf, _TOKENS)]
    kinds = _array(gguf, _KINDS)
    named = {role: gguf.metadata.get(key) for role, key in _ROLES.items()}
    return ModelFacts(
        name=gguf.text("general.name") or path.stem,
        path=str(path),
        architecture=gguf.architecture,
        context_tokens=gguf.number("context_length"),
        file_bytes=gguf.file_bytes,
        parameters=gguf.parameters,
        metadata={
            key: _as_text(value) for key, value in gguf.metadata.items() if not isinstance(value, tuple | LongArray)
        },
        fim={role: tokens[at] for role, at in named.items() if isinstance(at, int) and 0 <= at < len(tokens)},
        control_texts=frozenset(
            token for token, kind in zip(tokens, kinds, strict=False) if kind in (_CONTROL, _USER_DEFINED)
        ),
        chat_template=gguf.text("tokenizer.chat_template") or None,
    )


def _array(gguf: Gguf, key: str) -> tuple[object, ...]:
    value = gguf.metadata.get(key)
    return value if isinstance(value, tuple) else ()


def _as_text(value: Value) -> str:
    """Return a value as llama.cpp writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
