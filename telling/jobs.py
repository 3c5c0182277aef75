"""The jobs of this room, for `catalog/jobs/table.py` (`MORE_JOBS` in the settings)."""

from catalog.jobs.table import Doing, Job
from telling.mailing import send_mail
from telling.pruning import prune
from telling.working import deliver

DELIVERS_EVERY = 2.0  # seconds
MAILS_EVERY = 5.0
PRUNES_EVERY = 3600.0


def _deliver(doing: Doing) -> str:
    return deliver(should_stop=doing.should_stop)


def _mail(doing: Doing) -> str:
    return send_mail(should_stop=doing.should_stop)


def _prune(doing: Doing) -> str:
    return prune(should_stop=doing.should_stop)


JOBS: tuple[Job, ...] = (
    Job("deliver", "messages to those who want to be told", lambda: DELIVERS_EVERY, _deliver, apart=True),
    Job("mail", "mail to people who watch", lambda: MAILS_EVERY, _mail, apart=True),
    Job("prune", "messages of long ago", lambda: PRUNES_EVERY, _prune),
)
