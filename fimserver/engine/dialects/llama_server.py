"""Speak to llama.cpp's own server: `/completion` with tokens, or `/infill` where a gateway lets only that through.

The server tokenises segment by segment, so that what a file says never becomes a control token; a segment is asked for
once. `/infill` knows neither our order nor our anchors, and writes the prompt by itself.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from fimserver.engine.dialects.conversation import chat_piece, messages
from fimserver.engine.dialects.speech import Call, Json, Piece, control_texts, cut_inside, sampling
from fimserver.engine.encoding import trim
from fimserver.engine.interface import Finish, GenerateRequest, Keep, ModelFacts, Prompt, Segment
from fimserver.errors import EngineRefused
from fimserver.settings import EngineSettings

# Two windows with all their segments and what was typed in the last minutes.
_KEPT_SEGMENTS = 256


class LlamaServer:
    """llama-server. Keeps the tokens of the segments it has asked for."""

    framing = "events"

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._context_tokens = settings.context_tokens
        self._seen: OrderedDict[Segment, tuple[int, ...]] = OrderedDict()
        self._only_infill = False

    async def describe(self, call: Call) -> ModelFacts:
        """Ask `/props`."""
        props = await call("GET", "/props", None)
        slot = props["default_generation_settings"]
        self._context_tokens = int(slot.get("n_ctx") or self._settings.context_tokens)
        path = str(props.get("model_path") or "")
        return ModelFacts(
            name=self._settings.remote_model or str(props.get("model_alias") or path),
            path=path,
            architecture="",
            context_tokens=self._context_tokens,
            chat_template=props.get("chat_template") or None,
        )

    async def question(self, request: GenerateRequest, call: Call) -> tuple[str, Json]:
        """Write tokens for `/completion`, a conversation as its messages; the server keeps what it has read."""
        if request.prompt.turns:
            return "/v1/chat/completions", {
                "messages": messages(request.prompt),
                "max_tokens": request.max_tokens,
                "stream": True,
                "cache_prompt": True,
                **({"grammar": request.grammar} if request.grammar else {}),
                **sampling(request),
            }
        options: dict[str, Any] = {
            "n_predict": request.max_tokens,
            "stream": True,
            "cache_prompt": True,
            "return_tokens": True,
            "timings_per_token": True,
            "n_probs": 1,
            **sampling(request),
        }
        if request.grammar:
            options["grammar"] = request.grammar
        if self._only_infill:
            return "/infill", {**options, **_infill(request)}
        return "/completion", {**options, "prompt": await self._prompt_tokens(request, call)}

    def simplify(self) -> bool:
        """Try `/infill`, where `/tokenize` or `/completion` was refused."""
        tried, self._only_infill = self._only_infill, True
        return not tried

    def piece(self, event: Json) -> Piece:
        """Read an event of `/completion`, `/infill` or `/v1/chat/completions`."""
        if "choices" in event:
            return chat_piece(event["choices"][0]) if event["choices"] else Piece()
        probabilities = event.get("completion_probabilities") or ()
        ended = Finish.MAX_TOKENS if event.get("stop_type") == "limit" else Finish.END_OF_TEXT
        return Piece(
            text=str(event["content"]),
            tokens=len(probabilities),
            logprob=sum(float(one["logprob"]) for one in probabilities),
            token_ids=tuple(event.get("tokens") or ()),
            finish=ended if event.get("stop") else None,
            counts=_counts(event),
        )

    async def stop_ids(self, prompt: Prompt, call: Call) -> frozenset[int]:
        """Ask for the token of each control text; those the model does not have cannot end an answer."""
        if self._only_infill:
            return frozenset()
        try:
            ids = [await self._tokens(Segment(text, control=True), prompt, call) for text in prompt.stop_controls]
        except EngineRefused:
            return frozenset()  # `/tokenize` is not let through; asking for the answer will say so
        return frozenset(tokens[0] for tokens in ids if len(tokens) == 1)

    async def _prompt_tokens(self, request: GenerateRequest, call: Call) -> list[int]:
        segments = [segment for segment in (*request.prompt.segments, Segment(request.forced)) if segment.text]
        parts = [(segment.keep, await self._tokens(segment, request.prompt, call)) for segment in segments]
        return trim(parts, self._context_tokens)

    async def _tokens(self, segment: Segment, prompt: Prompt, call: Call) -> tuple[int, ...]:
        """Return a segment's tokens, asked for once."""
        if segment not in self._seen:
            texts = [segment.text] if segment.control else cut_inside(segment.text, control_texts(prompt))
            texts[0] = f" {texts[0]}" if segment.leading_space else texts[0]
            tokens = [await _tokenised(text, call, control=segment.control) for text in texts]
            self._seen[segment] = tuple(token for some in tokens for token in some)
            if len(self._seen) > _KEPT_SEGMENTS:
                self._seen.popitem(last=False)
        return self._seen[segment]


async def _tokenised(text: str, call: Call, *, control: bool) -> Sequence[int]:
    asked = {"content": text, "add_special": False, "parse_special": control}
    tokens = (await call("POST", "/tokenize", asked))["tokens"]
    return [int(token) for token in tokens]


def _counts(event: Json) -> Json:
    """Return what an event says of the work so far, as fields of Usage."""
    timings = event.get("timings") or {}
    prompt, evaluated = int(event.get("tokens_evaluated") or 0), int(timings.get("prompt_n") or 0)
    return {
        "prompt_tokens": prompt,
        "evaluated_tokens": evaluated,
        "reused_tokens": max(0, prompt - evaluated),
        "prefill_ms": float(timings.get("prompt_ms") or 0.0),
        "generated_tokens": int(event.get("tokens_predicted") or 0),
    }


def _infill(request: GenerateRequest) -> Json:
    """Return what `/infill` takes instead of a prompt: the text around the cursor, and other files."""
    texts = [segment for segment in request.prompt.segments if not segment.control]
    prefix, suffix = ("".join(s.text for s in texts if s.keep is keep) for keep in (Keep.TAIL, Keep.HEAD))
    typed = texts[-1].text if texts and texts[-1].keep is Keep.ALL else ""
    files = [segment.text.partition("\n") for segment in texts if segment.keep is Keep.DROP]
    return {
        "input_prefix": prefix + typed + request.forced,
        "input_suffix": suffix,
        "input_extra": [{"filename": name, "text": content} for name, _, content in files],
    }
