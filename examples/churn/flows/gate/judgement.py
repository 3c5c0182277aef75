"""The rules for a candidate: good enough to be validated, and better than the present model to go live."""


def judge(candidate, present, min_auc):
    """Return the aliases that the candidate has earned, and why no other ones."""
    found = f"AUC {candidate['auc']}"
    if candidate["auc"] < min_auc:
        return [], f"{found} is below {min_auc}"
    if present is None:
        return ["validated", "production"], f"{found}, and nothing was in production"
    against = f"{present['auc']} of {present['version']}, which is in production"
    if candidate["auc"] <= present["auc"]:
        return ["validated"], f"{found} is not above {against}"
    return ["validated", "production"], f"{found} is above {against.replace('is in', 'was in')}"
