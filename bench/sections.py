"""The sections of docs/performance.md, each of which one command keeps; what stands around them is written by hand."""

from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"


def keep(command: str, text: str, page: Path = PAGE) -> None:
    """Put what a command measured in the place of what it had measured before."""
    begin, end = f"<!-- {command} -->\n", f"<!-- end of {command} -->"
    before, found, rest = page.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{page.name} has no section of {command}.")
    page.write_text(f"{before}{begin}\n{text.strip()}\n\n{end}{after}")


def table(columns: list[str], rows: list[list[str]]) -> str:
    """In Markdown; all columns but the first are numbers."""
    lines = [columns, ["---", *["--:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
