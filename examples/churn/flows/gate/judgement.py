"""Why a candidate came as far as it did, in a sentence."""


def why(candidate, present, refusal=None):
    """Return what decided: the rules that refuse it, or that it is better than the model that was in production."""
    if refusal:
        return f"@{refusal.alias} refused: {'; '.join(map(said, failed(refusal.rules)))}"
    if present is None:
        return f"AUC {candidate['auc']}, and nothing was in production"
    return f"AUC {candidate['auc']}, beside {present['auc']} of {present['version']}, which was in production"


def failed(rules):
    """Return the rules that refuse."""
    return [rule for rule in rules if not rule["passes"]]


def said(rule):
    """Return a rule with what the candidate has and needs."""
    found = [f"has {rule['has']}" if rule["has"] else "", f"needs {rule['needs']}" if rule["needs"] else ""]
    told = ", ".join(part for part in [*found, rule["reason"]] if part)
    return f"{rule['rule']} ({told})" if told else rule["rule"]
