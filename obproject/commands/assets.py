"""``obproject assets``: the assets of a branch, one of them, and its history."""

from __future__ import annotations

import argparse
import heapq
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice

from obproject.assets import Asset
from obproject.commands.place import Place, find_place
from obproject.commands.result import CommandResult
from obproject.commands.tables import format_time, one_line, section, table
from obproject.connection import Query
from obproject.instances import with_text
from obproject.json_types import Json
from obproject.kinds import COLLECTION_OF, KINDS

_INSTANCE_COLUMNS = ("INSTANCE", "STATE", "REGISTERED (UTC)", "BY", "ALIASES", "TAGS")
_ENTITY_COLUMNS = ("LAST (UTC)", "WHO")

Action = Callable[[argparse.Namespace], CommandResult]


def add_arguments(parser: argparse.ArgumentParser, shared: list[argparse.ArgumentParser]) -> None:
    """Add the commands ``list``, ``show`` and ``history``."""
    commands = parser.add_subparsers(required=True, metavar="{list,show,history}")
    listing = commands.add_parser("list", parents=shared, help="the assets of a branch, each with its latest instance")
    listing.add_argument("--kind", choices=KINDS, help="one kind of assets (default: both)")
    listing.add_argument(
        "--tag", action="append", default=[], metavar="KEY[=VALUE]", help="only with this tag; may be repeated"
    )
    listing.add_argument("--text", metavar="WORDS", help="only with these words in id, name or description")
    listing.set_defaults(run=list_assets)
    showing = commands.add_parser("show", parents=shared, help="one asset: definition, instances, aliases, lineage")
    _add_asset(showing, show_asset, "newest entries of each table", 5, 200)
    history = commands.add_parser("history", parents=shared, help="instances and alias moves in the order of time")
    _add_asset(history, show_history, "newest events to tell", 50, 10_000)


def _add_asset(parser: argparse.ArgumentParser, run: Action, what: str, default: int, most: int) -> None:
    parser.add_argument("name", metavar="NAME", help="the asset's id")
    parser.add_argument("--kind", choices=KINDS, help="needed where one name stands for a data and a model asset")
    parser.add_argument(
        "--limit", type=_up_to(most), default=default, metavar="N", help=f"{what} (default: {default}; at most {most})"
    )
    parser.set_defaults(run=run)


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not between 1 and {most}")
        return int(text)

    return number


# list


def list_assets(options: argparse.Namespace) -> CommandResult:
    """List the assets of each branch that is looked at."""
    place = find_place(options)
    assets = place.assets()
    query: Query = {"tag": options.tag, **({"text": options.text} if options.text else {})}
    kinds = (options.kind,) if options.kind else KINDS
    items = [
        {**item, "branch": branch}
        for branch in place.names
        for kind in kinds
        for item in assets.catalogue.list_assets(branch, kind, query)
    ]
    columns = ("ASSET", "BRANCH", "KIND", "LATEST", "REGISTERED (UTC)", "BY", "ALIASES")
    text = table(columns, map(_item_row, items)) if items else f"No such assets on {place.label}."
    return CommandResult({**place.as_json(), "assets": items}, text)


def _item_row(item: Json) -> tuple[str, ...]:
    asset, latest = item["asset"], item["latest_instance"]
    name, branch = _name(asset), item["branch"]
    if latest is None:
        return (name, branch, "", "none yet", "", "", "")
    aliases = " ".join(f"@{alias}" for alias in latest["aliases"])
    return (
        name,
        branch,
        _asset_kind(latest),
        latest["ref"],
        format_time(latest["created_at"]),
        _who(latest["created_by"]),
        aliases,
    )


def _look_up(options: argparse.Namespace, page_size: int) -> tuple[Place, str, Json]:
    """Return the branch that has an asset, its kind and what is there; say which other branch has it too."""
    place = find_place(options)
    reader = place.assets().reader
    kind = reader.kind_of(options.name, options.kind)
    branch, found = reader.asset(kind, options.name, {"state": "any", "page_size": page_size})
    for other in place.names:
        if other != branch and reader.catalogue.has_asset(other, kind, options.name):
            print(
                f"obproject: {options.name!r} is on branch {other!r} too; --branch {other} shows it.", file=sys.stderr
            )
    return place.only(branch), kind, found


# show


def show_asset(options: argparse.Namespace) -> CommandResult:
    """Show one asset."""
    place, kind, found = _look_up(options, options.limit)
    aliases = place.assets().catalogue.aliases(place.names[0], kind, options.name)["aliases"]
    document = {
        "asset": found["asset"],
        "recent_instances": [with_text(instance) for instance in found["recent_instances"]],
        "aliases": aliases,
        "recently_produced_by": found["recently_produced_by"],
        "recently_consumed_by": found["recently_consumed_by"],
    }
    return CommandResult({**place.as_json(), **document}, _describe(document, options.limit))


def _describe(shown: Json, limit: int) -> str:
    asset, instances = shown["asset"], [one for one in shown["recent_instances"] if one["number"] is not None]
    refs = {one["id"]: one["ref"] for one in shown["recent_instances"]}
    aliases = [(f"@{one['name']}", refs.get(one["instance_id"], one["instance_id"])) for one in shown["aliases"]]
    parts = [
        f"{_name(asset)}  {one_line(asset['display_name'])}\n{one_line(asset['description'])}".rstrip(),
        section("Properties", ("KEY", "VALUE"), sorted(asset["properties"].items()), "none declared"),
        section("Newest instances", _INSTANCE_COLUMNS, [_instance_row(one) for one in instances], "none yet"),
        section("Aliases", ("ALIAS", "INSTANCE"), aliases, "none"),
        section("Produced by", _ENTITY_COLUMNS, _entities(shown["recently_produced_by"][:limit]), "nobody yet"),
        section("Consumed by", _ENTITY_COLUMNS, _entities(shown["recently_consumed_by"][:limit]), "nobody yet"),
    ]
    return "\n\n".join(parts)


def _instance_row(instance: Json) -> tuple[str, ...]:
    aliases = " ".join(f"@{alias}" for alias in instance["aliases"])
    tags = " ".join(f"{tag['key']}={tag['value']}" for tag in instance["tags"])
    who = _who(instance["created_by"])
    state = "deprecated" if instance.get("deprecated") else instance["state"]
    return (instance["ref"], state, format_time(instance["created_at"]), who, aliases, tags)


def _entities(entries: list[Json]) -> list[tuple[str, ...]]:
    return [(format_time(entry["at"]), _who(entry["entity_ref"])) for entry in entries]


# history


def show_history(options: argparse.Namespace) -> CommandResult:
    """Tell what happened to an asset, the newest last."""
    place, kind, _ = _look_up(options, 1)
    assets = place.assets()
    registered = _registrations(assets, place, kind, options.name)
    moved = _moves(assets, kind, options.name)
    newest_first = heapq.merge(registered, moved, key=lambda event: datetime.fromisoformat(event["at"]), reverse=True)
    events = list(islice(newest_first, options.limit))[::-1]
    document = {**place.as_json(), "kind": kind, "asset": options.name, "events": events}
    return CommandResult(document, _describe_events(events))


def _registrations(assets: Asset, place: Place, kind: str, name: str) -> Iterator[Json]:
    """Yield the instances in all states, newest first."""
    for instance in assets.catalogue.instances(place.names[0], kind, name, {"state": "any"}):
        if instance["number"] is not None:
            yield _registration(instance)


def _registration(instance: Json) -> Json:
    return {
        "at": instance["created_at"],
        "event": "registered",
        "instance": instance["ref"],
        "instance_id": instance["id"],
        "state": instance["state"],
        "by": instance["created_by"],
    }


def _moves(assets: Asset, kind: str, name: str) -> Iterator[Json]:
    """Yield the moves of aliases, newest first."""
    for move in assets.alias_history(name, kind=kind):
        yield {
            "at": move.updated_at.isoformat(),
            "event": "alias",
            "alias": move.alias,
            "instance_id": move.instance_id,
            "previous_instance_id": move.previous_instance_id,
            "by": move.updated_by._asdict(),
        }


def _describe_events(events: list[Json]) -> str:
    refs = {event["instance_id"]: event["instance"] for event in events if event["event"] == "registered"}
    rows = [(format_time(event["at"]), _what_happened(event, refs), _who(event["by"])) for event in events]
    return table(("TIME (UTC)", "WHAT", "BY"), rows) if rows else "Nothing has happened to it yet."


def _what_happened(event: Json, refs: dict[str, str]) -> str:
    if event["event"] == "registered":
        state = "" if event["state"] == "ready" else f", {event['state']}"
        return f"{event['instance']} registered{state}"
    before, after = (refs.get(uid, uid) for uid in (event["previous_instance_id"], event["instance_id"]))
    if after is None:
        return f"@{event['alias']} deleted, was on {before}"
    return f"@{event['alias']} set to {after}" + (f", before on {before}" if before else "")


def _name(asset: Json) -> str:
    """Return an asset as deploys name it: ``data/xkcd``, ``models/clf``."""
    return f"{COLLECTION_OF[asset['kind']]}/{asset['id']}"


def _who(entity: Json) -> str:
    return f"{entity['entity_kind']} {entity['entity_id']}"


def _asset_kind(instance: Json) -> str:
    properties = instance.get("data_properties") or instance.get("model_properties") or {}
    return str(properties.get("data_kind") or properties.get("model_kind") or "")
