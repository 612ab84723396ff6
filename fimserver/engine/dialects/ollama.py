"""Speak to Ollama: `/api/generate`, raw."""

from fimserver.engine.dialects.conversation import messages
from fimserver.engine.dialects.speech import Call, Json, Piece, as_text, sampling
from fimserver.engine.interface import Finish, GenerateRequest, ModelFacts, Prompt
from fimserver.errors import EngineRefused
from fimserver.settings import EngineSettings


class Ollama:
    """Ollama: `/api/generate`, raw, which sends the prompt to the model as it is."""

    framing = "lines"

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings

    async def describe(self, call: Call) -> ModelFacts:
        """Ask `/api/show`."""
        model = self._settings.remote_model
        if not model:
            raise EngineRefused("Say which of Ollama's models to ask: set engine.remote_model (see `ollama list`).")
        shown = await call("POST", "/api/show", {"model": model})
        known = shown.get("model_info") or {}
        architecture = str(known.get("general.architecture") or "")
        trained = int(known.get(f"{architecture}.context_length") or self._settings.context_tokens)
        names = {key: str(known[key]) for key in ("general.name", "general.basename") if known.get(key)}
        return ModelFacts(
            name=model,
            path="",
            architecture=architecture,
            context_tokens=min(trained, self._settings.context_tokens),
            metadata=names,
        )

    async def question(self, request: GenerateRequest, call: Call) -> tuple[str, Json]:  # noqa: ARG002
        """Write the prompt as one text, a conversation as its messages."""
        options = {
            "num_predict": request.max_tokens,
            "num_ctx": self._settings.context_tokens,
            "stop": list(request.prompt.stop_controls),
            **sampling(request),
        }
        if request.prompt.turns:
            return "/api/chat", {
                "model": self._settings.remote_model,
                "messages": messages(request.prompt),
                "stream": True,
                "options": options,
            }
        return "/api/generate", {
            "model": self._settings.remote_model,
            "prompt": as_text(request, self._settings.context_tokens),
            "raw": True,
            "stream": True,
            "logprobs": True,
            "options": options,
        }

    def piece(self, event: Json) -> Piece:
        """Read a line of `/api/generate` or `/api/chat`."""
        if "message" in event:
            event = {**event, "response": event["message"].get("content") or ""}
        told = [float(one["logprob"]) for one in event.get("logprobs") or ()]
        if not event.get("done"):
            return Piece(text=str(event["response"]), tokens=len(told), logprob=sum(told))
        counts = {
            "prompt_tokens": int(event.get("prompt_eval_count") or 0),
            "evaluated_tokens": int(event.get("prompt_eval_count") or 0),
            "prefill_ms": float(event.get("prompt_eval_duration") or 0) / 1e6,
            "generated_tokens": int(event.get("eval_count") or 0),
        }
        finish = Finish.MAX_TOKENS if event.get("done_reason") == "length" else Finish.END_OF_TEXT
        return Piece(text=str(event.get("response") or ""), finish=finish, counts=counts)

    def simplify(self) -> bool:
        """Return False: it leaves out by itself what it does not know."""
        return False

    async def stop_ids(self, prompt: Prompt, call: Call) -> frozenset[int]:  # noqa: ARG002
        """Return none: pieces come as text."""
        return frozenset()
