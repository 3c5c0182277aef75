"""What a deployment did, as Markdown for the page of a CI job and for a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from obproject.deploy.report import short_version
from obproject.deploy.result import DeployResult
from obproject.project.definitions import AssetDefinition

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#|!~])")
MOST_ROWS = 200
LONGEST_FAILURE = 8_000
_KINDS = {"models": "Model", "data": "Data"}


def summarise(result: DeployResult) -> str:
    """Return the summary of one project."""
    plan = result.plan
    title = f"### {_text(plan.project.config.title or plan.name)} on {_code(plan.branch)}"
    compared = ["", result.comparison.markdown.rstrip()] if result.comparison else []
    lines = [title, "", _what_happened(result), "", *_table(result), *_gates(result), *_failures(result), *compared]
    return "\n".join(lines) + "\n"


def _what_happened(result: DeployResult) -> str:
    plan = result.plan
    version = _code(short_version(plan.record["version_id"]))
    where = f" to [the catalogue]({result.url})" if result.url else ""
    by = f" by [{plan.ci.system}]({plan.ci.page})" if plan.ci and plan.ci.page else ""
    deed = f"Deployed version {version}" if result.answer is not None else f"Could not deploy version {version}"
    return f"{deed}{where}{by} at {plan.record['spec']['updated_at']}."


def _table(result: DeployResult) -> Iterator[str]:
    """Yield the table of what the project has; of very much, what something was done to comes first."""
    rows = list(_rows(result))
    if len(rows) > MOST_ROWS:
        rows.sort(key=lambda row: row.endswith("|  |"))
    yield "| | | |"
    yield "|---|---|---|"
    yield from rows[:MOST_ROWS]
    if left := len(rows) - MOST_ROWS if len(rows) > MOST_ROWS else 0:
        more = f"and {left:,} more"
        yield from ("", f"[{more}]({result.url})" if result.url else more)


def _rows(result: DeployResult) -> Iterator[str]:
    changed = {name: word for word in ("created", "updated") for name in (result.answer or {}).get(word, ())}
    for folder, kind in _KINDS.items():
        for asset in result.plan.project.assets:
            if asset.folder == folder:
                yield f"| {kind} | {_link(result, asset)} | {changed.get(f'{folder}/{asset.id}', '')} |"
    for flow in result.plan.workflows:
        yield f"| Flow | {_code(flow.flow_name)} | {_flow_state(result, flow.flow_name)} |"
    for app in result.plan.apps:
        failed = "**not deployed**" if app.name in result.apps_not_deployed else ""
        yield f"| App | {_code(app.name)} | {'deployed' if app.name in result.apps else failed} |"
    yield from (f"| Flow | {_code(name)} | deleted: no longer in the project |" for name in result.pruned)
    yield from (f"| Flow | {_code(name)} | no longer in the project, **still live** |" for name in result.left)


def _flow_state(result: DeployResult, name: str) -> str:
    if name in result.deployed:
        deployer = result.plan.deployer
        return f"deployed to {deployer.name} as {_code(result.deployed[name])}" if deployer else ""
    return "**not deployed**, as before" if name in result.not_deployed else ""


def _link(result: DeployResult, asset: AssetDefinition) -> str:
    name = _text(asset.name)
    return f"[{name}]({result.url}/{asset.folder}/{quote(asset.id)})" if result.url else name


def _gates(result: DeployResult) -> Iterator[str]:
    """Yield a line for each asset whose gates are others now."""
    changed = (result.answer or {}).get("gated", ())
    lines = [_text(gates.sentence) for gates in result.gates if gates.asset in changed]
    yield from (line for text in lines for line in ("", text))


def _failures(result: DeployResult) -> Iterator[str]:
    for failure in result.failures:
        failure = _without_middle(failure)
        # A fence that is longer than any in the text can't be ended by it.
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", failure)), default=0))
        yield from ("", "**Not all was done:**", "", f"{fence}text", failure, fence)


def _without_middle(text: str) -> str:
    """Return a text that is not too long for a comment: the first lines and the last ones of it."""
    if len(text) <= LONGEST_FAILURE:
        return text
    half = LONGEST_FAILURE // 2
    first, last = text[:half].rpartition("\n")[0], text[-half:].partition("\n")[2]
    return "\n".join([first or text[:half], "…", last or text[-half:]])


def _text(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """Return a name as code. A vertical bar would end the cell of a table."""
    return f"<code>{text.replace('&', '&amp;').replace('<', '&lt;').replace('|', '&#124;')}</code>"
