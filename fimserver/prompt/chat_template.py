"""Turn a model's chat template and the roles of a conversation into text: a program of its own, with limits.

    python -I -m fimserver.prompt.chat_template < request.json

A template is a program that came with a downloaded file. Jinja's sandbox keeps it from reaching anything; it does not
keep it from computing for ever or from filling the memory, so it is rendered in a process that may do neither.
"""

import json
import sys
from typing import Any, NoReturn

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

_LONGEST_RESULT = 1024 * 1024
_CPU_S = 1
_MEMORY_BYTES = 512 * 1024 * 1024


def rendered(request: dict[str, Any]) -> str:
    """Return the text. Raises jinja2.TemplateError where the template refuses the conversation or is no template."""
    # Not optimised: constants would be folded while compiling, before any limit of the sandbox applies.
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, optimized=False, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = _refuse
    messages = [
        {"role": role, "content": content} for role, content in zip(request["roles"], request["contents"], strict=True)
    ]
    pieces = environment.from_string(request["template"]).generate(
        messages=messages,
        add_generation_prompt=True,
        bos_token=request["bos"],
        eos_token=request["eos"],
        enable_thinking=False,
    )
    text = ""
    for piece in pieces:
        text += piece
        if len(text) > _LONGEST_RESULT:
            _refuse("it writes too much")
    return text


def _refuse(reason: str = "") -> NoReturn:
    raise jinja2.TemplateError(str(reason))


def _limit_this_process() -> None:
    if sys.platform == "win32":  # only the parent's time limit holds there
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # macOS does not keep this limit
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def main() -> None:
    """Read the request from standard input, write the text or the refusal to standard output, as JSON."""
    request = json.load(sys.stdin)
    _limit_this_process()
    try:
        answer = {"text": rendered(request)}
    # What template code can raise; anything else ends this process, which the parent takes as a refusal too.
    except (
        jinja2.TemplateError,
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        RecursionError,
    ) as e:
        answer = {"refused": f"{type(e).__name__}: {e}"[:500]}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
