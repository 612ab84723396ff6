/** Shows the explanations that the server's commands return. */

import { commands, workspace } from "vscode";

/** Show what a command answered, where that is an explanation; return the answer. */
export async function shown<Answer>(answer: Answer): Promise<Answer> {
  const markdown = (answer as { markdown?: string } | null | undefined)?.markdown;
  if (markdown) {
    const document = await workspace.openTextDocument({ language: "markdown", content: markdown });
    await commands.executeCommand("markdown.showPreviewToSide", document.uri);
  }
  return answer;
}
