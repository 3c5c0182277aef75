"""The base of API views: caller, address, filters, and writes that are done once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.plumbing import get_lib_doc_excludes
from rest_framework import serializers
from rest_framework.settings import api_settings

from access.errors import BadRequest, SiteError
from access.identity import NotAllowed, Viewer, viewer_of
from access.models import Perimeter, Role
from catalog import limits
from catalog.apikit.framework import JsonView
from catalog.branch_keys import KnownByOtherKey, look_elsewhere, names_of
from catalog.branch_writers import is_only_by
from catalog.filters import FILTERS, Filter, FiltersAsked, refusal_of_unknown, unknown_parameters
from catalog.models import Asset, Branch, Instance
from catalog.reading import Place, checked_asset_id, find_asset
from catalog.recording import BranchAddress, Once, note_refusal, once
from catalog.wire.rendering import Answer
from obproject.branches import MAIN_BRANCHES, branch_key, former_keys

Json = dict[str, Any]
Act = Callable[[], tuple[int, Json | None]]
Done = Callable[[], tuple[int, Json | None] | None]
MOST_KEYS = 3
"""How often a request is done anew at another key of a branch; once, but for names that are given at this moment."""


class CatalogView(JsonView):
    """What the views share: who asks, where, and how a write is done once.

    What is asked by a further key of a branch is done anew at its own key.
    """

    own_keys: tuple[str, ...] = ()

    @cached_property
    def viewer(self) -> Viewer:
        return viewer_of(self.request)

    @property
    def base(self) -> str:
        return f"{self.request.scheme}://{self.request.get_host()}"

    def place(self) -> Place:
        return self.placed(Place.of(self.kwargs["perimeter"], self.kwargs["project"], self.kwargs["branch"]))

    def placed(self, place: Place) -> Place:
        """A place as it was asked for, at the own key of its branch as far as that is known."""
        return replace(place, key=self.own_keys[-1]) if self.own_keys else place

    def look_elsewhere(self, place: Place) -> None:
        """For what is empty where there is no branch: do it anew if the branch is found by a further key."""
        look_elsewhere(self.viewer.require(place.perimeter).pk, place.project, place.key)

    def handle_exception(self, exc: Exception) -> Any:
        if not isinstance(exc, KnownByOtherKey) or len(self.own_keys) == MOST_KEYS:
            note_refusal(exc)  # what asked is undone by now
            return super().handle_exception(exc)
        self.own_keys = (*self.own_keys, exc.key)
        act = getattr(self, str(self.request.method).lower())
        try:
            answer: HttpResponse = act(self.request, *self.args, **self.kwargs)
        except Exception as error:  # the API's own handler says what is no refusal
            return self.handle_exception(error)
        return answer

    def asset(self) -> Asset:
        return find_asset(self.viewer, self.place(), self.kwargs["kind"], self.kwargs["asset_id"], whole=False)

    def ever_here(self) -> QuerySet[Asset]:
        """All assets that were ever at this address, deleted ones too."""
        here = Asset.objects.visible_to(self.viewer)
        return here.ever_at(self.place(), self.kwargs["kind"], checked_asset_id(self.kwargs["asset_id"]))

    def filters(self, *others: str, takes: Sequence[Filter] = FILTERS) -> FiltersAsked:
        """The filters in the query; a parameter that is neither a filter nor in `others` is refused."""
        query, others = self.request.query_params, (*others, api_settings.URL_FORMAT_OVERRIDE)
        if unknown := unknown_parameters(query, takes, others):
            raise refusal_of_unknown(unknown, takes, others)
        return FiltersAsked.of(query, takes)

    def to_write(self, place: Place, name: str = "") -> BranchAddress:
        """The address of a branch that the viewer may write to. A git name sent along must be that of the place.

        It says which branch is meant where the place has what an older rule makes of the name.
        """
        key = place.key
        if name and not self.own_keys:
            key = branch_key(name)
            if place.key != key and place.key not in former_keys(name):
                raise BadRequest(
                    f"The branch name '{name}' has the key '{key}', but the address says '{place.key}'.",
                    field="branch_name",
                )
        return BranchAddress(self.may_write(replace(place, key=key), name), place.project, key, name, place.written)

    def may_write(self, place: Place, name: str = "") -> Perimeter:
        """The perimeter, if the viewer may write to this branch."""
        self.viewer.require(place.perimeter, Role.VIEWER)
        names = self._names_at(place, name) if self.viewer.branch_patterns else [place.key]
        return self.viewer.require(place.perimeter, Role.EDITOR, names)

    def _names_at(self, place: Place, claimed: str) -> list[str]:
        """The names of a branch, for the patterns of a token: the one that it has, else the one that a client claims.

        A claim opens a branch that is known by its key only if nobody but the caller has written there.
        """
        if place.key in MAIN_BRANCHES:
            return [place.key]
        branch = Branch.objects.visible_to(self.viewer).at_place(place).first()
        if branch and not branch.git_name and claimed and self._opens(place, claimed):
            username = self.viewer.user.get_username()
            if not is_only_by(username, branch):
                raise NotAllowed(
                    f"The branch '{place.key}' has no git name yet, and others than {username} have written to it, so "
                    f"a token for {', '.join(self.viewer.branch_patterns)} can't name it '{claimed}'. Let somebody who "
                    f"may write to every branch register there once as '{claimed}', or use a token for '{place.key}'.",
                    branch=place.key,
                    branches=self.viewer.branch_patterns,
                )
        if branch is None:
            self.look_elsewhere(place)
            return [claimed or place.key, place.key]
        return [branch.git_name or claimed or place.key, place.key, *names_of(branch)]

    def _opens(self, place: Place, claimed: str) -> bool:
        """Whether it is the claimed name that lets the token write, and not the key."""
        may = partial(self.viewer.may, place.perimeter, Role.EDITOR)
        return may([claimed]) and not may([place.key])

    def may_settle(self, scope: Perimeter, instances: QuerySet[Instance]) -> None:
        """Refuse unless the viewer may write to every branch that has any of these instances."""
        if self.viewer.branch_patterns:
            for key, git_name in instances.values_list("asset__branch__key", "asset__branch__git_name").distinct():
                self.viewer.require(scope, Role.EDITOR, [git_name or key, key])

    def checked(self, body: type[serializers.Serializer[Any]], said: Any = None, **context: Any) -> Any:
        """The body of the request, or what was `said` in a part of it."""
        checked = body(data=self.request.data if said is None else said, context=context)
        checked.is_valid(raise_exception=True)
        return checked

    def write_id(self, query: type[serializers.Serializer[Any]]) -> str:
        """The id of a deletion in the query; empty if the client gave none."""
        checked = query(data=self.request.query_params.dict())
        checked.is_valid(raise_exception=True)
        return checked.validated_data.get("id") or ""

    def once(self, act: Act) -> Answer:
        """Respond with the result of `act`; a repeat with the same `Idempotency-Key` gets the first response again."""
        status, answer = once(self._once(), act)
        return Answer(answer, status)

    def once_by_id(self, act: Act, done: Done) -> Answer:
        """The same; a repeat with the client's id for its write gets the result of `done`.

        Repeats are rare, so they are not looked up first: the database refuses one, or it finds nothing left to do.
        """
        try:
            return self.once(act)
        except KnownByOtherKey:
            raise
        except (IntegrityError, SiteError):
            answer = done()
            if answer is None:
                raise
            return Answer(answer[1], answer[0])

    def _once(self) -> Once | None:
        key = self.request.META.get("HTTP_IDEMPOTENCY_KEY", "")
        if not key:
            return None
        if len(key) > limits.IDEMPOTENCY_KEY_LENGTH:
            raise BadRequest(
                f"The Idempotency-Key is longer than {limits.IDEMPOTENCY_KEY_LENGTH} characters.",
                field="Idempotency-Key",
            )
        token, user = self.viewer.token, self.viewer.user
        caller = f"token {token.pk}" if token else f"user {user.pk}"
        return Once.of(
            caller=caller,
            method=self.request.method or "",
            path=self.request.path_info,
            key=key,
            body=self.request.data,
        )

    def check_body_agrees(self, place: Place, said: Any) -> None:
        """A perimeter, project or branch repeated in a body must be that of the address."""
        for name, right in (("perimeter", place.perimeter), ("project", place.project)):
            if said.get(name) not in (None, right):
                raise BadRequest(
                    f"The {name} in the body is not '{right}', as the address says. Leave it out.", field=name
                )
        branch = said.get("branch")
        if branch is not None and (not isinstance(branch, str) or not self._is_asked_for(branch)):
            raise BadRequest(
                f"The branch in the body is not '{place.written}', as the address says. Leave it out.", field="branch"
            )

    def _is_asked_for(self, branch: str) -> bool:
        asked = branch_key(self.kwargs["branch"])
        return asked == branch_key(branch) or asked in former_keys(branch)


def bases_without_docs() -> list[type]:
    """The classes whose docstrings are for readers of the code: the OpenAPI document does not show them at calls."""
    return [*get_lib_doc_excludes(), *_with_kinds_of(JsonView)]


def _with_kinds_of(view: type) -> Iterator[type]:
    yield view
    for kind in view.__subclasses__():
        yield from _with_kinds_of(kind)
