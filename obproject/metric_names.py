"""Which names of annotations are those of no metric, whatever their value: of an identity, of a moment, or reserved.

An identity tells one thing from another, and a moment says when: their numbers are neither more nor less of anything.
The last word of a name says what it is: `grid_id` is an id, `id_errors` are errors; before a preposition it is the one
before it: `days_since_commit` are days. Plurals are counts, so no word stands here in the plural.

Pure functions of strings. docs/data-model.md states the rule to users.
"""

import functools
import re

RESERVED_KEYS = frozenset(
    {"artifact", "run_pathspec"}
    | {"promoted_from_branch", "promoted_from_instance", "promoted_from_chain", "promoted_by"}
)
"""Annotations that say where an instance comes from; they may look like numbers but measure nothing."""

IDENTITIES = frozenset(
    # what tells one row, object or text from another
    {"id", "uid", "uuid", "guid", "oid", "pid", "identifier", "name", "slug", "ref", "token", "serial"}
    # the same, run together with what it is the id of; no rule for the ending: `valid`, `grid` and `paid` have it too
    | {"userid", "runid", "taskid", "jobid"}
    # what tells one content or one state of the code from another
    | {"commit", "sha", "md5", "crc", "checksum", "hash", "digest", "fingerprint", "etag"}
    | {"revision", "version", "ver", "build"}
    # kinds that have numbers for names: of places, errors, countries, products
    | {"code", "zip", "zipcode", "postcode", "postalcode", "isbn", "issn", "ean", "gtin", "sku", "upc", "vin", "imei"}
    # how somebody is reached, and whose money it is
    | {"phone", "telephone", "tel", "fax", "account", "acct", "iban", "ssn", "isin"}
)
IDENTITIES_ALONE = frozenset({"run", "job", "task", "session", "user", "owner", "customer", "ticket", "issue"})
"""Identities if nothing stands before them: `run` is one, `tests_run` are tests."""
NUMBERED = frozenset({"order", "card", "reference", "part", "tracking", "tax", "run", "job", "ticket", "issue"})
"""What has a number for its name: `order_number` is one, a plain `number` and a `condition_number` are none."""
NUMBER_WORDS = frozenset({"number", "num", "no", "nr"})
SPELLINGS = NUMBER_WORDS | {"int", "str", "string", "text", "hex", "short", "full", "raw", "major", "minor", "patch"}
"""What may stand behind the word that says what it is, and says how it is written."""

DATES = frozenset({"date", "datetime", "timestamp", "ts", "dob", "birthday", "birthdate", "mtime", "ctime", "unixtime"})
TIMES = frozenset({"time", "year", "quarter", "month", "week", "weekday", "day", "hour", "minute"})
"""Moments if they stand alone or with words of MOMENTS: `start_time` is one; `train_time` and `sales_year` are not."""
MOMENTS = frozenset(
    {"start", "started", "begin", "began", "end", "ended", "stop", "stopped", "finish", "finished"}
    | {"create", "created", "creation", "update", "updated", "modified", "changed", "publish", "published"}
    | {"release", "released", "expiry", "expiration", "birth", "built", "event", "commit", "snapshot", "scheduled"}
    | {"recorded", "registered", "observed", "captured", "ingested", "arrival", "departure", "due"}
    | {"first", "last", "next", "previous", "prev", "current", "local", "fiscal", "calendar"}
)
UNITS = frozenset({"ns", "us", "ms", "s", "sec", "secs", "seconds", "nanos", "micros", "millis", "milliseconds"})
"""Behind a moment they say since when it is counted; behind `time` alone, that it is a duration."""
ZONES = frozenset({"utc", "gmt", "iso"})

COUNTS = frozenset({"n", "num", "nb", "count", "total", "sum", "mean", "avg", "average", "median"})
"""In front they make a count or a mean of what follows: `num_version`, `n_key`."""
PREPOSITIONS = frozenset({"of", "per", "by", "for", "from", "to", "at", "since", "until", "before", "after"})

BORDER = re.compile(r"(?<=[^\W_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][^\W\d_A-Z])")
"""Where a word of camelCase ends: `runId`, `HTTPCode`, `sha256Sum`."""
WORD = re.compile(r"[^\W\d_]+\d*|\d+")

Words = tuple[str, ...]


@functools.lru_cache(maxsize=4096)
def may_be_metric(key: str) -> bool:
    """Whether an annotation of this name is a metric if its value is a number."""
    return not is_reserved(key) and not names_no_metric(key)


def is_reserved(key: str) -> bool:
    """Whether an annotation of this name says where an instance comes from, or is a client's own."""
    return key.startswith("_") or key in RESERVED_KEYS


def names_no_metric(name: str) -> bool:
    """Whether a name is that of an identity or of a moment, by its words; in snake_case, camelCase or any other."""
    words = words_of(name)
    if len(words) > 1 and words[0] in COUNTS:
        return False
    if len(words) > 1 and _without(words, UNITS | ZONES)[-1] == "at":
        return True
    end = next((place for place, word in enumerate(words) if place and word in PREPOSITIONS), len(words))
    return _is_identity(words[:end]) or _is_moment(words[:end], words[end:])


def words_of(name: str) -> Words:
    """The words of a name in lower case, each with the digits behind it: `valAUC@10` has `val`, `auc` and `10`."""
    return tuple(word.lower() for word in WORD.findall(BORDER.sub(" ", name)))


def _is_identity(words: Words) -> bool:
    bare = _without(words, SPELLINGS)
    if not bare:
        return False
    numbered = bare[-1] in NUMBERED and not NUMBER_WORDS.isdisjoint(words[len(bare) :])
    alone = len(bare) == 1 and bare[0] in IDENTITIES_ALONE
    is_key = words[-1] == "key"  # `key_3` may be anything
    return numbered or alone or is_key or _is_one_of(bare[-1], IDENTITIES)


def _is_moment(words: Words, rest: Words) -> bool:
    """`rest` begins with the preposition behind the words: a `time_of_day` is a moment, a `time_to_train` is not."""
    bare = _without(words, UNITS | ZONES)
    behind = words[len(bare) :]
    if not bare:
        return False
    if "unix" in words or (bare[-1] == "epoch" and not UNITS.isdisjoint(behind)):
        return True
    if _is_one_of(bare[-1], DATES):
        return True
    if bare == ("time",) and (not UNITS.isdisjoint(behind) or (rest and rest[0] != "of")):
        return False
    return all(word in TIMES or word in MOMENTS for word in bare) and not TIMES.isdisjoint(bare)


def _without(words: Words, behind: frozenset[str]) -> Words:
    """The words without those behind that are in a set, or are numbers; one is left."""
    while len(words) > 1 and (words[-1] in behind or (words[-1].isdigit() and words[-2] != "at")):
        words = words[:-1]
    return words


def _is_one_of(word: str, known: frozenset[str]) -> bool:
    return word in known or word.rstrip("0123456789") in known
