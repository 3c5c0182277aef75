"""Who produced or consumed: entities as clients name them, and the components that they roll up into."""

from dataclasses import dataclass

from catalog.models import Component


@dataclass(frozen=True)
class Entity:
    """An `entity_ref` of the wire; both strings are non-empty and otherwise free."""

    kind: str
    id: str

    @property
    def pathspec(self) -> tuple[str, str, str, str] | None:
        """Flow, run, step and task of a Metaflow task; None for everything else."""
        parts = self.id.split("/")
        if self.kind == "task" and len(parts) == 4 and all(parts):
            return parts[0], parts[1], parts[2], parts[3]
        return None

    @property
    def run(self) -> str:
        """`Flow/run` of a task; empty for everything else."""
        return "/".join(self.pathspec[:2]) if self.pathspec else ""

    @property
    def component(self) -> tuple[Component.Kind, str]:
        """Kind and name of the component: a task belongs to its flow, a disguised deployer or promoter is CI."""
        if self.pathspec:
            return Component.Kind.FLOW, self.pathspec[0]
        if self.kind == "task" and self.id in ("deployer", "obproject/promote"):
            return Component.Kind.CI, self.id
        known = {
            "user": Component.Kind.PERSON,
            "deployment": Component.Kind.DEPLOYMENT,
            "ci": Component.Kind.CI,
        }
        return known.get(self.kind, Component.Kind.OTHER), self.id
