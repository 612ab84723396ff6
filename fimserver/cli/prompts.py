"""Show the prompts that tell a chat model what to do, and where the user's own go."""

from collections.abc import Sequence
from typing import Any

import click

from fimserver.cli import output
from fimserver.cli.filter import write
from fimserver.errors import SettingsError
from fimserver.review.prompts import PromptFile, prompt_named, prompt_names, stray_prompts, user_prompts_folder


@click.command("prompts")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
def prompts_command(name: str | None, as_json: bool) -> None:
    """List the prompts, or write one as it is.

    A file of the same name in the folder that is named last is used instead of ours. To begin one:
    fimserver prompts explain > FOLDER/explain.md
    """
    if name is not None:
        _show_one(prompt_named(name), as_json=as_json)
        return
    found, wrong = list[PromptFile](), list[str]()
    for each in prompt_names():
        try:
            found.append(prompt_named(each))
        except SettingsError as error:
            wrong.append(str(error))
    wrong += [f"{path}: no prompt has this name, so it is never used." for path in stray_prompts()]
    if as_json:
        folder = str(user_prompts_folder())
        output.as_json({"prompts": [_values(one) for one in found], "wrong": wrong, "folder": folder})
    else:
        _show(found, wrong)
    if wrong:
        raise SettingsError("Some of your own prompts cannot be used: see above.")


def _show_one(prompt: PromptFile, *, as_json: bool) -> None:
    text = prompt.path.read_text("utf-8")
    if as_json:
        output.as_json({**_values(prompt), "text": text})
    else:
        write(text)


def _values(prompt: PromptFile) -> dict[str, Any]:
    return {"name": prompt.name, "sentence": prompt.sentence, "yours": prompt.of_user, "path": str(prompt.path)}


def _show(found: Sequence[PromptFile], wrong: Sequence[str]) -> None:
    output.columns([((one.name, output.GOOD), "yours" if one.of_user else "", one.sentence) for one in found])
    for sentence in wrong:
        output.line((sentence, output.BAD))
    output.line((f"Your own go into {user_prompts_folder()}", output.FAINT))
