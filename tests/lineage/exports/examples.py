"""Answers to export: one by component and one by instance, with everything in them that can go wrong."""

from datetime import UTC, datetime, timedelta

from lineage.answers import Answer, LeftOut, Question, Reason
from lineage.graph import Kind, Link, Node, Relation, graph_of

SITE = "https://assets.example.org"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

HOSTILE = (
    'say "no"',
    "ends in \\",
    '\\"; } digraph evil { a -> b',
    "\\N \\G \\l \\n",
    "<b>bold</b> &amp; &lt;script&gt; &#65;",
    '"] --> n1; click n1 href "javascript:alert(1)"',
    "%%{init: {'securityLevel': 'loose'}}%%",
    "style n1 fill:#f00;",
    "style: 1; #35; #quot; #9829;",
    "`**markdown**`",
    "1. a list\n2. of two",
    "- item",
    "_em_ and __strong__ in_word_is_plain",
    "end",
    "subgraph",
    "comma, semicolon; and\r\nline",
    "tab\tand\u2028separator",
    "snow \u2603 \u65e5\u672c\u8a9e \N{PILE OF POO} e\u0301",
    "=HYPERLINK(1)",
    "+1",
    "@SUM(A1)",
    "\uff1d1+1",
    " ",
    "'quoted'",
    "$$x^2$$ www.example.org https://example.org/?a=1&b=2",
)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def asset(number: int, name: str, *, kind: Kind = Kind.DATA, branch: str = "main", **more: object) -> Node:
    segment = "models" if kind == Kind.MODEL else "data"
    known = {
        "key": f"asset_{number}",
        "perimeter": "default",
        "project": "churn",
        "branch": branch,
        "branch_name": branch,
        "version": "v3",
        "state": "ready",
        "at": at(number),
        "url": f"/default/churn/{branch}/{segment}/asset_{number}",
    }
    return Node(id=f"d_{number}", kind=kind, name=name, **(known | more))  # type: ignore[arg-type]


def flow(number: int, name: str, *, branch: str = "main", **more: object) -> Node:
    known = {
        "key": f"{name}/7/start/1",
        "perimeter": "default",
        "project": "churn",
        "branch": branch,
        "branch_name": branch,
        "at": at(number),
        "url": f"/default/churn/{branch}/flows/{name}",
    }
    return Node(id=f"c_{number}.{branch}", kind=Kind.FLOW, name=name, **(known | more))  # type: ignore[arg-type]


def produces(source: Node, target: Node, minutes: int = 0) -> Link:
    return Link(source.id, target.id, Relation.PRODUCES, NOON, at(minutes), 2)


def consumes(source: Node, target: Node, minutes: int = 0) -> Link:
    return Link(source.id, target.id, Relation.CONSUMES, NOON, at(minutes), 5)


def promotes(source: Node, target: Node, minutes: int = 0) -> Link:
    return Link(source.id, target.id, Relation.PROMOTES, NOON, at(minutes), 1)


def answer_of(nodes: list[Node], links: list[Link], **more: object) -> Answer:
    known = {"question": Question.AROUND, "as_of": at(600), "found": len(nodes)}
    return Answer(graph=graph_of(nodes, links), **(known | more))  # type: ignore[arg-type]


def hostile() -> Answer:
    """A flow with a hostile name writes an asset with the next one, which the next flow reads, and so on; all in lanes
    with hostile names too."""
    nodes, links = [], []
    for number, name in enumerate(HOSTILE):
        lane = {"branch": f"branch_{number % 3}", "branch_name": HOSTILE[number % 3]}
        task = f"{name}/7/start/1"
        writer = Node(f"c_{number}.{lane['branch']}", Kind.FLOW, name, task, "churn", **lane, at=at(number))
        written = asset(number, name, **lane)
        nodes += [writer, written]
        links.append(produces(writer, written, number))
        if number:
            links.append(consumes(nodes[-3], writer, number))
    return answer_of(nodes, links)


def by_component() -> Answer:
    """Two branches, a cycle, a promotion, an unknown source, something hidden, something deleted, something alone."""
    comics, model = asset(1, "Comics"), asset(2, "Model", kind=Kind.MODEL)
    trial = asset(3, "Trial", kind=Kind.MODEL, branch="feature_x", branch_name="feature/x")
    gone = asset(4, "Gone", deleted=True, url="", version="", state="", at=None)
    alone = asset(5, "Alone")
    train = flow(1, "TrainFlow")
    again = flow(1, "TrainFlow", branch="feature_x", branch_name="feature/x", at=at(90))
    app_url = "/default/churn/main/deployments/app"
    app = Node(
        "c_3.main", Kind.DEPLOYMENT, "app", "app", "churn", "main", "main", at=at(70), url=app_url, perimeter="default"
    )
    somebody = Node("c_4.", Kind.UNKNOWN, "cron", "cron", "churn", perimeter="default")
    lost = Node("x_lost", Kind.UNKNOWN, "i_nobody_knows")
    hidden = Node("x_1", Kind.HIDDEN, "")
    links = [
        consumes(comics, train, 10),
        produces(train, model, 20),
        consumes(model, train, 21),
        consumes(comics, again, 80),
        produces(again, trial, 90),
        promotes(trial, model, 95),
        promotes(lost, comics, 5),
        consumes(model, app, 70),
        produces(somebody, gone),
        consumes(gone, train),
        Link(hidden.id, comics.id, Relation.PRODUCES),
        Link(model.id, hidden.id, Relation.CONSUMES),
    ]
    return answer_of(
        [comics, model, trial, gone, alone, train, again, app, somebody, lost, hidden],
        links,
        left_out=(LeftOut(Reason.DEPTH, 12), LeftOut(Reason.HIDDEN, 1, at_least=True)),
    )


def by_instance() -> Answer:
    """A run that reads twice, so that it is two nodes, and registers after each; one of the results is promoted."""
    raw, labels = instance("1", "raw", "v4"), instance("2", "labels", "v1")
    old, new = instance("3", "churn_model", "v8", Kind.MODEL), instance("4", "churn_model", "v9", Kind.MODEL)
    promoted = instance("5", "churn_model", "v1", Kind.MODEL, branch="prod")
    llm = Node(
        "d_6",
        Kind.MODEL,
        "llm",
        "llm",
        "churn",
        "main",
        "main",
        "v2",
        url="/default/churn/main/models/llm",
        perimeter="default",
    )
    early, late = run("r_1", "TrainFlow/12/start/1", at(20)), run("r_2", "TrainFlow/12/train/3", at(40))
    links = [
        consumes(raw, early, 10),
        produces(early, old, 20),
        consumes(raw, late, 10),
        consumes(labels, late, 30),
        consumes(llm, late, 31),
        produces(late, new, 40),
        promotes(new, promoted, 60),
    ]
    return answer_of([raw, labels, old, new, promoted, llm, early, late], links, question=Question.EXACT)


def instance(uid: str, key: str, version: str, kind: Kind = Kind.DATA, branch: str = "main") -> Node:
    segment = "models" if kind == Kind.MODEL else "data"
    url = f"/default/churn/{branch}/{segment}/{key}/{version}"
    return Node(f"i_{uid}", kind, key, key, "churn", branch, branch, version, "ready", at(0), url, perimeter="default")


def run(uid: str, task: str, moment: datetime, **more: object) -> Node:
    return Node(
        uid,
        Kind.RUN,
        "/".join(task.split("/")[:2]),
        task,
        "churn",
        "main",
        "main",
        at=moment,
        perimeter="default",
        **more,
    )


ANSWERS = {"hostile": hostile, "by component": by_component, "by instance": by_instance}
