"""What a deployment did, as Markdown for the page of a CI job and for a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from obproject.deploy.outcome import Outcome
from obproject.deploy.report import short_version
from obproject.project.definitions import AssetDefinition

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#|!~])")
_KINDS = {"models": "Model", "data": "Data"}


def summarise(outcome: Outcome) -> str:
    """Return the summary of one project."""
    plan = outcome.plan
    title = f"### {_text(plan.project.config.title or plan.name)} on {_code(plan.branch)}"
    return "\n".join([title, "", _what_happened(outcome), "", *_rows(outcome), *_failures(outcome)]) + "\n"


def _what_happened(outcome: Outcome) -> str:
    plan = outcome.plan
    version = _code(short_version(plan.record["version_id"]))
    where = f" to [the catalogue]({outcome.url})" if outcome.url else ""
    by = f" by [{plan.ci.system}]({plan.ci.page})" if plan.ci and plan.ci.page else ""
    deed = f"Deployed version {version}" if outcome.answer is not None else f"Could not deploy version {version}"
    return f"{deed}{where}{by} at {plan.record['spec']['updated_at']}."


def _rows(outcome: Outcome) -> Iterator[str]:
    yield "| | | |"
    yield "|---|---|---|"
    changed = {name: word for word in ("created", "updated") for name in (outcome.answer or {}).get(word, ())}
    for folder, kind in _KINDS.items():
        for asset in outcome.plan.project.assets:
            if asset.folder == folder:
                yield f"| {kind} | {_link(outcome, asset)} | {changed.get(f'{folder}/{asset.id}', '')} |"
    for flow in outcome.plan.workflows:
        yield f"| Flow | {_code(flow.flow_name)} | {_flow_state(outcome, flow.flow_name)} |"
    for app in outcome.plan.apps:
        failed = "**not deployed**" if app.name in outcome.apps_not_deployed else ""
        yield f"| App | {_code(app.name)} | {'deployed' if app.name in outcome.apps else failed} |"
    yield from (f"| Flow | {_code(name)} | deleted: no longer in the project |" for name in outcome.pruned)
    yield from (f"| Flow | {_code(name)} | no longer in the project, **still live** |" for name in outcome.left)


def _flow_state(outcome: Outcome, name: str) -> str:
    if name in outcome.deployed:
        deployer = outcome.plan.deployer
        return f"deployed to {deployer.name} as {_code(outcome.deployed[name])}" if deployer else ""
    return "**not deployed**, as before" if name in outcome.not_deployed else ""


def _link(outcome: Outcome, asset: AssetDefinition) -> str:
    name = _text(asset.name)
    return f"[{name}]({outcome.url}/{asset.folder}/{quote(asset.id)})" if outcome.url else name


def _failures(outcome: Outcome) -> Iterator[str]:
    for failure in outcome.failures:
        # A fence that is longer than any in the text can't be ended by it.
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", failure)), default=0))
        yield from ("", "**Not all was done:**", "", f"{fence}text", failure, fence)


def _text(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """Return a name as code. A vertical bar would end the cell of a table."""
    return f"<code>{text.replace('&', '&amp;').replace('<', '&lt;').replace('|', '&#124;')}</code>"
