"""The heads of the columns of a comparison: which version each is of, and what it came from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.addresses import asset_url, instance_url
from catalog.models import Asset, Run
from catalog.pagekit.run_facts import RunFacts
from catalog.states import DEFINITION
from catalog.wire.shapes import aliases_of
from comparing.found import Found, Version
from comparing.pages.question import Question

Json = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """`base_url` makes it the base, `remove_url` takes it out. `run` is None if nothing is known of its run."""

    version: Version
    home: Asset
    is_base: bool
    run: RunFacts | None
    base_url: str
    remove_url: str

    @property
    def ref(self) -> str:
        instance = self.version.instance
        return instance.ref if instance else DEFINITION

    @property
    def url(self) -> str:
        asset, instance = self.version.asset, self.version.instance
        return instance_url(asset, instance) if instance else asset_url(asset)

    @property
    def state(self) -> str:
        instance = self.version.instance
        return instance.state if instance else DEFINITION

    @property
    def reason(self) -> str:
        instance = self.version.instance
        return instance.state_reason if instance else ""

    @property
    def at(self) -> datetime:
        asset, instance = self.version.asset, self.version.instance
        return instance.created_at if instance else asset.declared_at or asset.created_at

    @property
    def aliases(self) -> list[str]:
        return aliases_of(self.version.asset, self.version.uid)

    @property
    def place(self) -> list[str]:
        """Where it is, as far as that is elsewhere: perimeter, project and branch."""
        own, home = self.version.asset.branch, self.home.branch
        if own.pk == home.pk:
            return []
        if own.project_id == home.project_id:
            return [own.name]
        if own.project.perimeter_id == home.project.perimeter_id:
            return [own.project.name, own.name]
        return [own.project.perimeter.name, own.project.name, own.name]

    @property
    def title(self) -> str:
        """Of its asset, where that has another name; empty for the same asset on any branch."""
        own, home = self.version.asset, self.home
        return "" if (own.kind, own.asset_id) == (home.kind, home.asset_id) else own.title

    @property
    def label(self) -> str:
        """Its whole name in one line."""
        of = [f"of {self.title}"] if self.title else []
        return " ".join([self.ref, *of, *self._on])

    @property
    def name(self) -> str:
        """The same, with its asset before it."""
        return " ".join([self.version.asset.title, self.ref, *self._on])

    @property
    def _on(self) -> list[str]:
        return [f"on {'/'.join(self.place)}"] if self.place else []

    @property
    def shape(self) -> Json:
        asset, run = self.version.asset, self.run.run if self.run else None
        return {
            "asked": self.version.text,
            "id": self.version.uid,
            "perimeter": asset.branch.project.perimeter.name,
            "project": asset.branch.project.name,
            "branch": asset.branch.key,
            "kind": asset.kind,
            "asset": asset.asset_id,
            "ref": self.ref,
            "state": self.state,
            "aliases": self.aliases,
            "created_at": self.at.isoformat(),
            "run": self.run.name if self.run else None,
            "commit": (run.commit or None) if run else None,
            "dirty": run.dirty if run else None,
            "is_base": self.is_base,
            "url": self.url,
        }


def columns_of(question: Question, found: Found, base: int, runs: Sequence[Run | None]) -> list[Column]:
    """`runs`: what is known of the run of each version."""
    return [
        Column(
            version=version,
            home=question.home,
            is_base=place == base,
            run=RunFacts.of(version.instance.run, run) if version.instance and version.instance.run else None,
            base_url=question.with_base(version),
            remove_url=question.without(version, found),
        )
        for place, (version, run) in enumerate(zip(found.versions, runs, strict=True))
    ]
