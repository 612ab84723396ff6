"""Speak to vLLM, LM Studio, Jan, Text Generation Inference, llama-cpp-python's server: OpenAI's `/v1/completions`."""

from collections.abc import Mapping
from dataclasses import replace

from fimserver.engine.dialects.conversation import chat_piece, messages
from fimserver.engine.dialects.speech import Call, Json, Piece, as_text, sampling
from fimserver.engine.interface import Finish, GenerateRequest, ModelFacts, Prompt
from fimserver.errors import EngineRefused
from fimserver.settings import EngineSettings


class OpenAi:
    """`/v1/completions` as vLLM, LM Studio, Jan, TGI and llama-cpp-python's own server speak it."""

    framing = "events"

    # Text Generation Inference and others take no more.
    _MOST_STOPS = 4

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._model = settings.remote_model
        self._context_tokens = settings.context_tokens
        self._wants_logprobs = True

    async def describe(self, call: Call) -> ModelFacts:
        """Ask `/v1/models`."""
        models = (await call("GET", "/v1/models", None))["data"]
        found = next((one for one in models if self._model in ("", one["id"])), None)
        if found is None:
            known = ", ".join(str(one["id"]) for one in models) or "none"
            raise EngineRefused(f"The server has no model {self._model!r}; it has {known}. Set engine.remote_model.")
        self._model = str(found["id"])
        self._context_tokens = min(int(found.get("max_model_len") or self._context_tokens), self._context_tokens)
        return ModelFacts(name=self._model, path=self._model, architecture="", context_tokens=self._context_tokens)

    async def question(self, request: GenerateRequest, call: Call) -> tuple[str, Json]:  # noqa: ARG002
        """Write the prompt as one text, a conversation as its messages."""
        if request.prompt.turns:
            return "/v1/chat/completions", {
                "model": self._model,
                "messages": messages(request.prompt),
                "max_tokens": request.max_tokens,
                "stream": True,
                **sampling(request),
            }
        return "/v1/completions", {
            "model": self._model,
            "prompt": as_text(request, self._context_tokens),
            "max_tokens": request.max_tokens,
            "stop": list(request.prompt.stop_controls[: self._MOST_STOPS]),
            "stream": True,
            **({"logprobs": 1} if self._wants_logprobs else {}),
            **sampling(request),
        }

    def simplify(self) -> bool:
        """Do without log-probabilities, which some servers refuse or fail at."""
        wanted, self._wants_logprobs = self._wants_logprobs, False
        return wanted

    def piece(self, event: Json) -> Piece:
        """Read an event of `/v1/completions` or `/v1/chat/completions`."""
        counts = None
        if isinstance(usage := event.get("usage"), Mapping):
            prompt = int(usage.get("prompt_tokens") or 0)
            reused = int((usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0)
            counts = {
                "prompt_tokens": prompt,
                "reused_tokens": reused,
                "evaluated_tokens": prompt - reused,
                "generated_tokens": int(usage.get("completion_tokens") or 0),
            }
        choices = event["choices"]
        if not choices:
            return Piece(counts=counts)
        if "delta" in choices[0]:
            return replace(chat_piece(choices[0]), counts=counts)
        told = [float(one) for one in (choices[0].get("logprobs") or {}).get("token_logprobs") or () if one is not None]
        reason = choices[0].get("finish_reason")
        finish = None if not reason else Finish.MAX_TOKENS if reason == "length" else Finish.END_OF_TEXT
        text = str(choices[0].get("text") or "")
        return Piece(text=text, tokens=len(told), logprob=sum(told), finish=finish, counts=counts)

    async def stop_ids(self, prompt: Prompt, call: Call) -> frozenset[int]:  # noqa: ARG002
        """Return none: pieces come as text."""
        return frozenset()
