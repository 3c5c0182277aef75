"""The versions that are to be compared, looked up together: as many queries for twenty as for two.

What is not there and what the viewer may not see is the same to who asks: neither is found, and both have the same
words.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet, Subquery

from access.identity import Viewer
from catalog.models import Alias, Asset, Instance
from catalog.reading import Resolved
from comparing.references import Asked, AssetName, Mistake, Wanted
from obproject.references import ReferenceKind

NOT_THERE = "It isn't there, or you may not see it."
Address = tuple[str, str, str, str]
"""Project, key of the branch, kind and id of an asset."""
BULK = tuple(f"asset__{name}" for name in ("readme", "declared_properties", "declared_blobs", "properties"))
"""What can be large, and is not compared of an asset that has the version."""
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
        none_ready = not self.asset.newest_ready_id and not self.asset.deprecated_count
        stands_for_latest = self.is_newest and none_ready and self.asset.is_declared
        return stands_for_latest or self.uid == self.asset.definition_uid


def find_versions(viewer: Viewer, home: Asset, asked: Asked) -> Found:
    """Look up what is asked for from the page of an asset, which was found with its perimeter.

    One query finds all that is called by versions, aliases, ids and own keys of branches. What it does not find, and
    `latest-1` and its like, is looked for step by step.
    """
    rows = _at_once(viewer, home, asked.wanted)
    near = {home.pk: home} | {row.asset_id: row.asset for row in rows if row.asset_id != home.pk}
    meant = _with_assets(viewer, home, asked.wanted, near.values())
    further = [one for one in meant if one.wanted.reference.offset or (one.asset and one.asset.pk not in near)]
    instances = _Instances.of_rows(rows, *_further(viewer, further))
    elsewhere = near | _definitions(viewer, [one.uid for one in meant if one.is_alone], instances, home)
    versions: dict[str, Version] = {}
    by_text, missing = {}, list(asked.mistakes)
    for one in meant:
        text, resolved = one.wanted.text, _resolved(one, instances, elsewhere)
        if resolved is None:
            missing.append(Mistake(text, NOT_THERE))
        else:
            by_text[text] = versions.setdefault(resolved.uid, Version(text, resolved))
    return Found(tuple(versions.values()), by_text, tuple(missing), asked.more)


# all at once


def _at_once(viewer: Viewer, home: Asset, wanted: Iterable[Wanted]) -> list[Instance]:
    """The instances, each with its asset. The names of an asset are a question of their own within the query, which is
    asked first, so that an index finds the instance."""
    asked = Q(pk__in=())
    for one in wanted:
        address = _address(one.places[0] if one.places else AssetName(), home)
        if one.places and address != _address(AssetName(), home):
            asked |= _of_named(viewer, home, address, one)
        else:
            asked |= _of_home(home, one)
    rows = Instance.objects.visible_to(viewer).filter(asked)
    return list(rows.select_related("component", "asset__branch__project__perimeter").defer(*BULK))


def _of_home(home: Asset, one: Wanted) -> Q:
    meant = _Meant(one, home)
    if meant.uid:
        return Q(uid=meant.uid)
    return Q(asset=home.pk, number=one.reference.number or (meant.is_newest and home.ready_number) or 0)


def _of_named(viewer: Viewer, home: Asset, address: Address, one: Wanted) -> Q:
    assets = _named(viewer, home, address)
    match one.reference.kind:
        case ReferenceKind.NUMBER:
            return Q(asset=Subquery(assets.values("pk")[:1]), number=one.reference.number)
        case ReferenceKind.ALIAS:
            aliases = Alias.objects.visible_to(viewer).filter(asset__in=assets.values("pk"), name=one.reference.alias)
            return Q(pk=Subquery(aliases.values("instance")[:1]))
        case ReferenceKind.ID:
            return Q(asset=Subquery(assets.values("pk")[:1]), uid=one.reference.id)
    return Q(pk=Subquery(assets.values("newest_ready")[:1]))


def _named(viewer: Viewer, home: Asset, address: Address) -> QuerySet[Asset]:
    project, key, kind, asset_id = address
    perimeter = home.branch.project.perimeter_id
    at = {"branch__project__perimeter": perimeter, "branch__project__name": project, "branch__key": key}
    return Asset.objects.visible_to(viewer).live().filter(**at, kind=kind, asset_id=asset_id)


# assets by their names


def _with_assets(viewer: Viewer, home: Asset, wanted: Iterable[Wanted], near: Iterable[Asset]) -> list[_Meant]:
    """The entries with their assets: no query if they are all among those that are known, else one or two."""
    assets = {_address(AssetName(), row): row for row in near if _perimeter(row) == _perimeter(home)}
    addresses = {one.text: [_address(place, home) for place in one.places] for one in wanted}
    for by_further_keys in (False, True):
        lacking = [several for several in addresses.values() if several and not any(one in assets for one in several)]
        assets |= _assets(viewer, home, set().union(*lacking), by_further_keys=by_further_keys)
    meant = []
    for one in wanted:
        named = next((assets[address] for address in addresses[one.text] if address in assets), None)
        is_of_home = not one.places and one.reference.kind is not ReferenceKind.ID
        meant.append(_Meant(one, home if is_of_home else named))
    return meant


def _perimeter(asset: Asset) -> int:
    key: int = asset.branch.project.perimeter_id
    return key


def _address(name: AssetName, home: Asset) -> Address:
    branch = home.branch
    project, key = name.project or branch.project.name, name.key or branch.key
    return project, key, name.kind or home.kind, name.asset_id or home.asset_id


def _assets(
    viewer: Viewer, home: Asset, addresses: Collection[Address], *, by_further_keys: bool = False
) -> dict[Address, Asset]:
    """The live assets at these addresses in the perimeter of the one at hand: by the own keys of their branches, or by
    further ones that are theirs alone."""
    if not addresses:
        return {}
    key = "branch__further_keys__key" if by_further_keys else "branch__key"
    alone = {"branch__further_keys__shared": False} if by_further_keys else {}
    named = Q()
    for names, several in _grouped(addresses).items():
        columns = ("branch__project__name", "kind", "asset_id")
        named |= Q(**dict(zip(columns, names, strict=True)), **{f"{key}__in": several}, **alone)
    rows = Asset.objects.visible_to(viewer).live().with_place().filter(named).annotate(called=F(key))
    rows = rows.filter(branch__project__perimeter=home.branch.project.perimeter_id)
    return {(row.branch.project.name, row.called, row.kind, row.asset_id): row for row in rows}


def _grouped(addresses: Iterable[Address]) -> dict[tuple[str, str, str], list[str]]:
    """The keys of branches by the names of project, kind and asset."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for project, key, kind, asset_id in addresses:
        found.setdefault((project, kind, asset_id), []).append(key)
    return found


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

    @classmethod
    def of_rows(
        cls, rows: list[Instance], further: list[Instance], before_newest: Mapping[Offset, int]
    ) -> "_Instances":
        found = [*rows, *further]
        return cls({row.uid: row for row in found}, {(row.asset_id, row.number): row for row in found}, before_newest)

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


def _further(viewer: Viewer, meant: Iterable[_Meant]) -> tuple[list[Instance], Mapping[Offset, int]]:
    """The instances of assets that are found by now, in one query, and one more for `latest-N`."""
    meant = list(meant)
    before_newest = _before_newest(viewer, meant)
    uids = {one.uid for one in meant if one.uid}
    numbers = [(one.asset.pk, number) for one in meant if one.asset and (number := _number(one))]
    asked = Q(uid__in=uids)
    for asset, number in {*numbers, *((pk, number) for (pk, _), number in before_newest.items())}:
        asked |= Q(asset=asset, number=number)
    rows = Instance.objects.visible_to(viewer).filter(asked).select_related("component") if meant else []
    return list(rows), before_newest


def _number(one: _Meant) -> int | None:
    newest = one.asset.ready_number if one.asset and one.is_newest else None
    return one.wanted.reference.number or newest


def _definitions(viewer: Viewer, uids: Iterable[str], instances: _Instances, home: Asset) -> dict[int | str, Asset]:
    """The assets whose definitions have these ids, where they are no ids of instances; one query, or none."""
    known: dict[int | str, Asset] = {home.definition_uid: home}
    lacking = {uid for uid in uids if uid not in instances.by_uid} - known.keys()
    if lacking:
        rows = Asset.objects.visible_to(viewer).live().with_place().filter(definition_uid__in=lacking)
        known |= {row.definition_uid: row for row in rows}
    return known


def _resolved(one: _Meant, instances: _Instances, elsewhere: Mapping[int | str, Asset]) -> Resolved | None:
    if one.asset and one.is_definition:
        return Resolved(one.asset, None)
    instance = instances.of(one)
    if instance is not None:
        asset = one.asset or elsewhere.get(instance.asset_id)
        if asset is None:
            return None
        instance.asset = asset
        return Resolved(asset, instance)
    asset = elsewhere.get(one.uid) if one.is_alone else None
    return Resolved(asset, None) if asset else None
