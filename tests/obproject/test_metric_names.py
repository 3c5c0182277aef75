"""Which names are those of identities and moments, by many of both kinds and their neighbours."""

import pytest

from catalog.metrics import metrics_of
from obproject.metric_names import names_no_metric, words_of

IDENTITIES = {
    "ids": "id ID Id run_id runId runID run-id run.id grid_id user_id_2 id2 id_str uuid instance_uuid uid userid",
    "names": "name model_name slug key primary_key api.key ref token serial serial_number run run_number job issue",
    "content": "commit git_commit git.commit.sha commitSha commit_sha_short commit_hash sha sha256 sha_256 fileMD5 "
    "hash contentHash hash_hex checksum crc32 digest fingerprint hash_of_input",
    "versions": "version modelVersion schema-version python.version version_number version_major revision build "
    "build_number",
    "codes": "code status_code HTTPStatusCode http-status-code zip_code zipCode zip postcode postal_code "
    "country_code isbn sku",
    "people": "phone phoneNumber phone_1 telephone account account_number account_no accountNumber bank-account "
    "iban ssn",
    "numbered": "order_number ticket_number id_for_run",
}
MOMENTS = {
    "dates": "date Date start_date startDate dateUTC date_of_birth date_from birthday timestamp timestamp_ms "
    "timestampMs ts event_timestamp ts_ns datetime",
    "at": "created_at createdAt created-at created.at created_at_ms updated_at run_at",
    "times": "time Time start_time startTime start_time_ms end_time time_start last_update_time time_utc time_of_day",
    "epochs": "unix_time unix_ms time_unix epoch_seconds epoch_ms epochMs",
    "parts": "year birth_year month day day_of_week year_month month_start week weekday hour",
}
METRICS = {
    "letters of an id": "valid valid_accuracy grid paid centroid width identity_loss hidden kid idf1 id_switches",
    "epochs": "epoch epochs epoch_time epoch_loss",
    "durations": (
        "runtime runtime_s duration latency_ms latencyMs time_to_train timeToTrain train_time time_s time_ms "
        "time_per_step inference_time cpu_time elapsed_time run_time time_in_queue time_to_commit on_time "
        "uptime timeout"
    ),
    "quality": "accuracy val_AUC valAUC mAP mAP50 f1 f1-score f1Score recall@10 recall_at_10 recallAt10 "
    "precision_at_k r2 top5Accuracy p95_latency metrics.train.loss auc_pr bic log_loss loss_at_1",
    "counts": (
        "rows ids IDs userIDs n_ids unique_ids keys hashes versions num_versions num_version commits accounts "
        "dates years days n_days months hours sessions issues tokens users total_tokens n_account row_number "
        "number condition_number tests_run"
    ),
    "of identities": "id_count id_errors key_errors hash_rate hash_collisions version_drift days_since_commit "
    "code_coverage lines_of_code zip_coverage phone_match_rate account_age_days revenue_per_account "
    "accuracy_by_zip cost_per_token error_per_version",
    "of moments": "date_coverage dates_missing sales_year revenue_last_month time_saved timesteps updates updated "
    "created",
    "others": "seed port shape monthly_users yearly_revenue candidates mandate zipf key_3 2024_sales % città",
}


def names(row):
    return row.split(" ")


@pytest.mark.parametrize("row", [*IDENTITIES.items(), *MOMENTS.items()], ids=lambda row: row[0])
def test_identities_and_moments_are_no_metrics_whatever_their_value(row):
    assert [name for name in names(row[1]) if not names_no_metric(name)] == []
    assert metrics_of(dict.fromkeys(names(row[1]), 1234567)) == metrics_of(dict.fromkeys(names(row[1]), "0.5")) == {}


@pytest.mark.parametrize("row", METRICS.items(), ids=lambda row: row[0])
def test_their_neighbours_are_metrics(row):
    assert [name for name in names(row[1]) if names_no_metric(name)] == []
    assert metrics_of(dict.fromkeys(names(row[1]), "0.5")) == dict.fromkeys(names(row[1]), 0.5)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gitSHA256", "git sha256"),
        ("HTTPStatusCode", "http status code"),
        ("val-AUC@10", "val auc 10"),
        ("cittàId", "città id"),
        ("a.b_c/d", "a b c d"),
        ("", ""),
    ],
)
def test_names_have_words_in_any_spelling(name, words):
    assert " ".join(words_of(name)) == words
