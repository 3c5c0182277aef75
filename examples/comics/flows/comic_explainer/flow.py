"""Explain the newest comic strip with a language model, as the data asset `explanations`."""

from metaflow import card, current, step
from metaflow.cards import Image, Markdown, Table

from obproject import ProjectFlow

PROVIDER = "bedrock"


class ComicExplainer(ProjectFlow):
    """Consume the newest strip and a hosted model, and register what the model says."""

    @step
    def start(self):
        """Load the strip, and ask the catalogue which model to use. Both calls make this task a consumer."""
        self.comic = self.prj.get_data("comic")
        # Nothing of a hosted model can be loaded: what counts are the properties in its asset_config.toml.
        model = self.prj.asset.consume_model_asset("small_llama")
        self.model_id = model["asset"]["properties"][PROVIDER]
        self.explanation = ask(self.model_id, self.comic)
        self.next(self.end)

    @card(type="blank")
    @step
    def end(self):
        """Register the explanation."""
        self.prj.register_data(
            "explanations",
            "explanation",
            annotations={
                "number": self.comic["number"],
                "title": self.comic["title"],
                "words": len(self.explanation.split()),
                "model_id": self.model_id,
            },
            tags={"provider": PROVIDER},
        )
        current.card.append(Markdown(f"## {self.comic['title']}, explained"))
        current.card.append(Image(self.comic["png"]))
        current.card.append(Markdown(self.explanation))
        current.card.append(Table([["Strip", f"No. {self.comic['number']}"], ["Model", self.model_id]]))


def ask(model_id: str, comic: dict) -> str:
    """Stand in for a call of the model, which would need a network and an account."""
    spoken = [(who, says) for who, says in comic["panels"] if says]
    (opener, opening), (closer, punchline) = spoken[0], spoken[-1]
    silence = " The silent panel in between lets the thought sink in." if len(spoken) < len(comic["panels"]) else ""
    return (
        f"{opener} begins with something that sounds certain: *{opening}* "
        f"One question later {closer} takes it back: *{punchline}* "
        f"The joke is the distance between the two.{silence}"
    )


if __name__ == "__main__":
    ComicExplainer()
