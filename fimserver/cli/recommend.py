"""Turn two seconds of measuring this machine into the model to use on it, and the reasons."""

from typing import Any

import click

from fimserver.cli import output
from fimserver.cli.progress import told
from fimserver.models.hardware import this_machine
from fimserver.models.recommend import Candidate, recommend


@click.command("recommend")
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
def recommend_command(as_json: bool) -> None:
    """Measure this machine and name the model to use on it, with the reasons.

    Takes about three seconds. Nothing is downloaded.
    """
    with told(lambda: "This machine is being measured."):
        recommendation = recommend(this_machine())
    pick = recommendation.pick
    if as_json:
        values = {"pick": _values(pick), "runner_up": _values(recommendation.runner_up)}
        output.as_json({**values, "reasons": list(recommendation.reasons)})
        return
    output.line((pick.choice.id if pick else "embedded", output.GOOD))
    for reason in recommendation.reasons:
        output.line(reason)
    if pick:
        output.line(f"Get it: fimserver pull {pick.choice.id}, then: fimserver use {pick.choice.id}")


def _values(candidate: Candidate | None) -> dict[str, Any] | None:
    if candidate is None:
        return None
    return {
        "id": candidate.choice.id,
        "bytes": candidate.choice.file.bytes,
        "memory_bytes": candidate.memory_bytes,
        "tokens_per_s": round(candidate.tokens_per_s, 1),
        "licence": candidate.choice.model.licence,
    }
