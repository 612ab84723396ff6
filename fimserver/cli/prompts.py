"""Show the prompts that tell a chat model what to do, and where the user's own go."""

import click

from fimserver.cli import output
from fimserver.cli.filter import write
from fimserver.errors import SettingsError
from fimserver.review.prompts import PromptFile, prompt_named, prompt_names, stray_prompts, user_prompts_folder


@click.command("prompts")
@click.argument("name", required=False)
def prompts_command(name: str | None) -> None:
    """List the prompts, or write one as it is.

    A file of the same name in the folder that is named last is used instead of ours. To begin one:
    fimserver prompts explain > FOLDER/explain.md
    """
    if name is not None:
        write(prompt_named(name).path.read_text("utf-8"))
        return
    found, wrong = list[PromptFile](), list[str]()
    for each in prompt_names():
        try:
            found.append(prompt_named(each))
        except SettingsError as error:
            wrong.append(str(error))
    output.columns([((one.name, output.GOOD), "yours" if one.of_user else "", one.sentence) for one in found])
    wrong += [f"{path}: no prompt has this name, so it is never used." for path in stray_prompts()]
    for sentence in wrong:
        output.line((sentence, output.BAD))
    output.line((f"Your own go into {user_prompts_folder()}", output.FAINT))
    if wrong:
        raise SettingsError("Some of your own prompts cannot be used: see above.")
