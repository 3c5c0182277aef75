"""Keep the newest comic strip as the data asset `comic`."""

from dataclasses import asdict

from metaflow import Parameter, card, current, step
from metaflow.cards import Image, Markdown, Table
from studio import draw_strip

from obproject import ProjectFlow, highlight

PANELS = 3


class ComicData(ProjectFlow):
    """Fetch the newest strip from the studio and register it."""

    number = Parameter("number", default=1, help="number of the newest strip; the same number is always the same strip")

    @step
    def start(self):
        """Fetch the strip. A plain dict can be loaded anywhere; an object of this folder's classes could not."""
        self.comic = asdict(draw_strip(self.number, PANELS))
        self.next(self.end)

    @highlight
    @card(type="blank")  # without Metaflow's own table of the task, the card is all about the asset
    @step
    def end(self):
        """Register it. The card of the task that registers is the picture of the instance in the catalogue."""
        comic = self.comic
        self.prj.register_data(
            "comic",
            "comic",
            annotations={
                "number": comic["number"],
                "title": comic["title"],
                "panels": len(comic["panels"]),
                "width": comic["width"],
                "height": comic["height"],
                "bytes": len(comic["png"]),
            },
            tags={"series": "dot-and-bit", "format": "png"},
            description=f"No. {comic['number']}: {comic['title']}",
        )
        self.highlight.title = comic["title"]
        self.highlight.add_label("new")
        self.highlight.set_image(comic["png"], alt=" ".join(says for _, says in comic["panels"]))
        current.card.append(Markdown(f"## No. {comic['number']}: {comic['title']}"))
        current.card.append(Image(comic["png"]))
        current.card.append(Table([[who, says or "…"] for who, says in comic["panels"]], headers=["Who", "Says"]))


if __name__ == "__main__":
    ComicData()
