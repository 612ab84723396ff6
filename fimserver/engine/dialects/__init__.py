"""Turn requests into what other makers' servers understand, and their answers into pieces: a row for each kind."""

from collections.abc import Callable, Mapping

from fimserver.engine.dialects.llama_server import LlamaServer
from fimserver.engine.dialects.ollama import Ollama
from fimserver.engine.dialects.openai import OpenAi
from fimserver.engine.dialects.speech import Dialect
from fimserver.settings import EngineSettings

# By the setting engine.kind.
DIALECTS: Mapping[str, Callable[[EngineSettings], Dialect]] = {
    "llama-server": LlamaServer,
    "ollama": Ollama,
    "openai": OpenAi,
}
