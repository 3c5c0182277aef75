"""The versions that are to be compared, looked up together: as many queries for twenty as for two.

What is not there and what the viewer may not see is the same to who asks: neither is found, and both have the same
words.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q, Subquery

from access.identity import Viewer
from catalog.models import Asset, Branch, Instance
from catalog.reading import Resolved
from comparing.references import Asked, AssetName, Mistake, Wanted
from obproject.references import ReferenceKind

NOT_THERE = "It isn't there, or you may not see it."
Place = tuple[str, str]
"""The project and a key of a branch."""
Address = tuple[str, str, str, str]
"""The same, with the kind and the id of an asset."""
Offset = tuple[int, int]
"""The key of an asset, and how many of its ready instances come after the one that is meant."""


@dataclass(frozen=True)
class Version:
    """One that is compared: an instance, or the definition of an asset. `text` is how it was asked for."""

    text: str
    found: Resolved

    @property
    def asset(self) -> Asset:
        return self.found.asset

    @property
    def instance(self) -> Instance | None:
        return self.found.instance

    @property
    def uid(self) -> str:
        return self.found.uid


@dataclass(frozen=True)
class Found:
    """What was asked for, each once and in order; what was not found, with a sentence each; how many were too many.

    `by_text`: what each entry leads to, as two may lead to one.
    """

    versions: tuple[Version, ...]
    by_text: Mapping[str, Version]
    missing: tuple[Mistake, ...] = ()
    more: int = 0


@dataclass(frozen=True)
class _Meant:
    """An entry with the asset that it names; None if there is no such one, and if an id stands alone."""

    wanted: Wanted
    asset: Asset | None

    @property
    def kind(self) -> ReferenceKind:
        return self.wanted.reference.kind

    @property
    def uid(self) -> str:
        """The id that is meant, by itself or by an alias; empty if none is."""
        reference = self.wanted.reference
        if self.kind is ReferenceKind.ALIAS and self.asset:
            return self.asset.alias_index.get(reference.alias) or ""
        return reference.id

    @property
    def is_alone(self) -> bool:
        """Whether it is an id without an asset before it."""
        return self.kind is ReferenceKind.ID and not self.wanted.places

    @property
    def is_newest(self) -> bool:
        return self.kind is ReferenceKind.LATEST and not self.wanted.reference.offset

    @property
    def is_definition(self) -> bool:
        """Whether the definition of its asset is meant: by its id, by an alias, or as there is no ready instance."""
        if self.asset is None:
            return False
        stands_for_latest = self.is_newest and not self.asset.newest_ready_id and self.asset.is_declared
        return stands_for_latest or self.uid == self.asset.definition_uid


def find_versions(viewer: Viewer, home: Asset, asked: Asked) -> Found:
    """Look up what is asked for from the page of an asset, which was found with its perimeter."""
    meant = _with_assets(viewer, home, asked.wanted)
    instances = _instances(viewer, meant, _before_newest(viewer, meant))
    elsewhere = _elsewhere(viewer, home, meant, instances)
    versions: dict[str, Version] = {}
    by_text, missing = {}, list(asked.mistakes)
    for one in meant:
        text, resolved = one.wanted.text, _resolved(one, instances, elsewhere)
        if resolved is None:
            missing.append(Mistake(text, NOT_THERE))
        else:
            by_text[text] = versions.setdefault(resolved.uid, Version(text, resolved))
    return Found(tuple(versions.values()), by_text, tuple(missing), asked.more)


# assets by their names


def _with_assets(viewer: Viewer, home: Asset, wanted: Iterable[Wanted]) -> list[_Meant]:
    at_home = _address(AssetName(), home)
    addresses = {one.text: [_address(place, home) for place in one.places] for one in wanted}
    asked = {address for several in addresses.values() for address in several} - {at_home}
    assets = _assets(viewer, home, asked) | {at_home: home}
    meant = []
    for one in wanted:
        named = next((assets[address] for address in addresses[one.text] if address in assets), None)
        is_of_home = not one.places and one.reference.kind is not ReferenceKind.ID
        meant.append(_Meant(one, home if is_of_home else named))
    return meant


def _address(name: AssetName, home: Asset) -> Address:
    branch = home.branch
    return (
        name.project or branch.project.name,
        name.key or branch.key,
        name.kind or home.kind,
        name.asset_id or home.asset_id,
    )


def _assets(viewer: Viewer, home: Asset, addresses: Collection[Address]) -> dict[Address, Asset]:
    """The live assets at these addresses, in the perimeter of the one at hand."""
    branches = _branches(viewer, home, {address[:2] for address in addresses})
    rows = {address: (branches[address[:2]], *address[2:]) for address in addresses if address[:2] in branches}
    if not rows:
        return {}
    named = Q()
    for branch, kind, asset_id in set(rows.values()):
        named |= Q(branch=branch, kind=kind, asset_id=asset_id)
    assets = Asset.objects.visible_to(viewer).live().with_place().filter(named)
    found = {(row.branch_id, row.kind, row.asset_id): row for row in assets}
    return {address: found[row] for address, row in rows.items() if row in found}


def _branches(viewer: Viewer, home: Asset, places: Collection[Place]) -> dict[Place, int]:
    """The branches of these places, by their own keys or by further ones that are theirs alone."""
    if not places:
        return {}
    perimeter, projects = home.branch.project.perimeter_id, {project for project, _ in places}
    keys = {key for _, key in places}
    called = Q(key__in=keys) | Q(further_keys__key__in=keys, further_keys__shared=False)
    rows = Branch.objects.visible_to(viewer).filter(called, project__perimeter=perimeter, project__name__in=projects)
    told = list(rows.values_list("project__name", "key", "further_keys__key", "further_keys__shared", "pk"))
    further = {(project, key): pk for project, _, key, shared, pk in told if key and not shared}
    own = {(project, key): pk for project, key, _, _, pk in told}
    return {place: pk for place, pk in (further | own).items() if place in places}


# instances


def _before_newest(viewer: Viewer, meant: Iterable[_Meant]) -> dict[Offset, int]:
    """The numbers of the instances that are so many before the newest ready one, in one query for all."""
    offsets = {(one.asset.pk, one.wanted.reference.offset): one.asset for one in meant if one.asset}
    wanted = {offset: asset for offset, asset in offsets.items() if offset[1]}
    if not wanted:
        return {}
    numbers = [
        Subquery(Instance.objects.of(asset).in_states(()).latest_first().values("number")[offset : offset + 1])
        for (_, offset), asset in wanted.items()
    ]
    some = next(iter(wanted.values()))
    (found,) = Asset.objects.visible_to(viewer).filter(pk=some.pk).values_list(*numbers) or [[None] * len(numbers)]
    return {offset: number for offset, number in zip(wanted, found, strict=True) if number}


@dataclass(frozen=True)
class _Instances:
    """Those that were found, by all that they are asked for by; and the numbers that `latest-N` means."""

    by_uid: Mapping[str, Instance]
    by_number: Mapping[tuple[int, int], Instance]
    before_newest: Mapping[Offset, int]

    def of(self, one: _Meant) -> Instance | None:
        asset, reference = one.asset, one.wanted.reference
        if one.is_alone:
            return self.by_uid.get(one.uid)
        if asset is None:
            return None
        if one.uid:
            found = self.by_uid.get(one.uid)
            return found if found and found.asset_id == asset.pk else None
        newest = asset.ready_number if one.is_newest else self.before_newest.get((asset.pk, reference.offset))
        return self.by_number.get((asset.pk, reference.number or newest or 0))


def _instances(viewer: Viewer, meant: Iterable[_Meant], before_newest: Mapping[Offset, int]) -> _Instances:
    """All in one query, each by its id or by the number within its asset."""
    uids = {one.uid for one in meant if one.uid}
    numbers: dict[int, set[int]] = {}
    for one in meant:
        number = one.wanted.reference.number or (one.is_newest and one.asset and one.asset.ready_number)
        if one.asset and number:
            numbers.setdefault(one.asset.pk, set()).add(number)
    for (asset, _), number in before_newest.items():
        numbers.setdefault(asset, set()).add(number)
    asked = Q(uid__in=uids)
    for asset, several in numbers.items():
        asked |= Q(asset=asset, number__in=several)
    rows = list(Instance.objects.visible_to(viewer).filter(asked).select_related("component"))
    return _Instances({row.uid: row for row in rows}, {(row.asset_id, row.number): row for row in rows}, before_newest)


def _elsewhere(
    viewer: Viewer, home: Asset, meant: Iterable[_Meant], instances: _Instances
) -> Mapping[int | str, Asset]:
    """The assets of ids that stand alone, by their keys and by the ids of their definitions."""
    alone = [one.uid for one in meant if one.is_alone]
    found = [instances.by_uid[uid].asset_id for uid in alone if uid in instances.by_uid]
    rows = [home]
    definitions = {uid for uid in alone if uid not in instances.by_uid} - {home.definition_uid}
    if definitions or set(found) - {home.pk}:
        asked = Q(pk__in=found) | Q(definition_uid__in=definitions)
        rows += Asset.objects.visible_to(viewer).live().with_place().filter(asked)
    return {row.pk: row for row in rows} | {row.definition_uid: row for row in rows}


def _resolved(one: _Meant, instances: _Instances, elsewhere: Mapping[int | str, Asset]) -> Resolved | None:
    if one.asset and one.is_definition:
        return Resolved(one.asset, None)
    instance = instances.of(one)
    if instance is not None:
        asset = one.asset or elsewhere.get(instance.asset_id)
        return Resolved(asset, instance) if asset else None
    asset = elsewhere.get(one.uid) if one.is_alone else None
    return Resolved(asset, None) if asset else None
