// Upload sessions: chunks become written and reported only as the bytes allow, and end once.
#include "store/conformance/uploads.h"

#include <algorithm>

namespace kinodex::store::conformance {

using base::Errc;
using domain::ChunkState;
using domain::Upload;
using domain::UploadStatus;
using std::chrono::hours;
using std::chrono::milliseconds;

Upload UploadConformance::add_upload(std::int64_t total_size_bytes) {
    return add_upload(account_, total_size_bytes);
}

Upload UploadConformance::add_upload(domain::AccountId account, std::int64_t total_size_bytes) {
    Upload upload;
    upload.id = domain::UploadId::next();
    upload.account_id = account;
    upload.asset_id = domain::AssetId::next();
    upload.type = domain::AssetType::audio;
    upload.filename = "tone.mp3";
    upload.total_size_bytes = total_size_bytes;
    upload.chunk_size_bytes = domain::chunk_size_for(total_size_bytes);
    upload.enable_thumbnail = true;
    upload.user_metadata = {{"n", std::int64_t{5}}};
    upload.created_at = base::now();
    upload.updated_at = upload.created_at;
    upload.expires_at = upload.created_at + hours(24);
    constexpr std::int64_t kOpenMax = 100;
    EXPECT_TRUE(wait(uploads().insert_upload(upload, kOpenMax)));
    return upload;
}

domain::Chunk UploadConformance::chunk(const Upload& upload, std::int64_t index) {
    return wait(uploads().find_chunk(upload.id, index)).value().chunk;
}

void UploadConformance::write(const Upload& upload, std::int64_t index, const std::string& etag) {
    const auto attempt = chunk(upload, index).attempt;
    EXPECT_TRUE(wait(uploads().finish_chunk(upload.id, index, attempt, etag, base::now())));
}

base::Result<ReportOutcome> UploadConformance::report(const Upload& upload,
                                                      std::vector<ReportedChunk> chunks) {
    return wait(uploads().report_chunks(account_, upload.id, std::move(chunks), base::now()));
}

namespace {

constexpr std::int64_t kChunk = domain::kChunkBytesMin;

TEST_P(UploadConformance, session_is_found_by_its_account_alone_and_after_a_restart) {
    const auto upload = add_upload();
    reopen();
    const auto found = wait(uploads().find_upload(account_, upload.id)).value();
    EXPECT_EQ(found.asset_id, upload.asset_id);
    EXPECT_EQ(found.status, UploadStatus::active);
    EXPECT_EQ(found.type, upload.type);
    EXPECT_EQ(found.filename, upload.filename);
    EXPECT_EQ(found.total_size_bytes, upload.total_size_bytes);
    EXPECT_EQ(found.chunk_size_bytes, kChunk);
    EXPECT_EQ(found.enable_hls, false);
    EXPECT_EQ(found.enable_thumbnail, true);
    EXPECT_EQ(found.user_metadata, upload.user_metadata);
    EXPECT_EQ(found.created_at, upload.created_at);
    EXPECT_EQ(found.expires_at, upload.expires_at);
    expect_not_exist(error_of(wait(uploads().find_upload(stranger_, upload.id))), upload.id.text(),
                     "multipart-uploads");
    const auto unknown = domain::UploadId::next();
    expect_not_exist(error_of(wait(uploads().find_chunk(unknown, 1))), unknown.text(),
                     "multipart-uploads");
    for (const std::int64_t index : {0, 4}) {
        expect_not_exist(error_of(wait(uploads().find_chunk(upload.id, index))),
                         std::to_string(index), "chunks");
    }
}

TEST_P(UploadConformance, open_sessions_of_an_account_are_bounded) {
    add_upload();
    auto upload = add_upload();
    upload.id = domain::UploadId::next();
    upload.asset_id = domain::AssetId::next();
    const auto error = error_of(wait(uploads().insert_upload(upload, 2)));
    EXPECT_EQ(error.code, Errc::uploads_too_many);
    EXPECT_EQ(error.value("maximum"), "2");
    upload.created_at += hours(24);  // the others have expired, though nobody cleaned up
    EXPECT_TRUE(wait(uploads().insert_upload(upload, 2)));
}

TEST_P(UploadConformance, announced_bytes_count_for_the_account_until_the_session_is_over) {
    const auto used = [&] { return wait(store().usage_of(account_))->storage_bytes; };
    const auto upload = add_upload(1'000);
    EXPECT_EQ(used(), 1'000);
    write(upload, 1, "a");
    ASSERT_TRUE(report(upload, {{1, "a", 1'000}}));
    EXPECT_EQ(used(), 1'000) << "now as an asset";
    const auto other = add_upload(500);
    EXPECT_EQ(used(), 1'500);
    EXPECT_EQ(wait(uploads().expire_uploads(other.expires_at, 10)), 1);
    EXPECT_EQ(used(), 1'000);
}

TEST_P(UploadConformance, chunk_is_written_by_its_current_attempt_only) {
    const auto upload = add_upload();
    EXPECT_EQ(chunk(upload, 1).state, ChunkState::pending);
    EXPECT_EQ(chunk(upload, 1).updated_at, upload.created_at);
    ASSERT_TRUE(wait(uploads().finish_chunk(upload.id, 1, 0, "a", base::now())));
    EXPECT_EQ(chunk(upload, 1).state, ChunkState::written);
    EXPECT_EQ(chunk(upload, 1).etag, "a");
    EXPECT_EQ(error_of(wait(uploads().finish_chunk(upload.id, 1, 0, "b", base::now()))).code,
              Errc::chunk_replaced);

    EXPECT_EQ(wait(uploads().restart_chunk(upload.id, 1, base::now())), 1);
    EXPECT_EQ(chunk(upload, 1).state, ChunkState::pending);
    EXPECT_EQ(chunk(upload, 1).etag, "");
    EXPECT_EQ(error_of(wait(uploads().finish_chunk(upload.id, 1, 0, "a", base::now()))).code,
              Errc::chunk_replaced);
    EXPECT_EQ(wait(uploads().restart_chunk(upload.id, 1, base::now())), 2);
    EXPECT_EQ(error_of(wait(uploads().finish_chunk(upload.id, 1, 1, "b", base::now()))).code,
              Errc::chunk_replaced);
    ASSERT_TRUE(wait(uploads().finish_chunk(upload.id, 1, 2, "c", base::now())));
    reopen();
    EXPECT_EQ(chunk(upload, 1).etag, "c");
    EXPECT_EQ(chunk(upload, 2).state, ChunkState::pending);
}

TEST_P(UploadConformance, report_takes_written_chunks_with_their_etag_and_size) {
    const auto upload = add_upload();
    write(upload, 1, "a");
    EXPECT_EQ(error_of(report(upload, {{2, "b", kChunk}})).code, Errc::chunk_not_uploaded);
    EXPECT_EQ(error_of(report(upload, {{1, "b", kChunk}})).code, Errc::chunk_proof_wrong);
    const auto wrong = error_of(report(upload, {{1, "a", kChunk - 1}}));
    EXPECT_EQ(wrong.code, Errc::chunk_size_wrong);
    EXPECT_EQ(wrong.value("expected_size"), std::to_string(kChunk));
    EXPECT_EQ(error_of(report(upload, {{4, "a", kChunk}})).code, Errc::parameter_invalid);
    EXPECT_EQ(error_of(report(upload, {{1, "a", kChunk}, {2, "b", kChunk}})).code,
              Errc::chunk_not_uploaded);
    EXPECT_EQ(chunk(upload, 1).state, ChunkState::written) << "all of a report or nothing";
    expect_not_exist(error_of(wait(uploads().report_chunks(stranger_, upload.id, {{1, "a", kChunk}},
                                                           base::now()))),
                     upload.id.text(), "multipart-uploads");

    const auto outcome = report(upload, {{1, "a", kChunk}, {1, "a", kChunk}}).value();
    EXPECT_EQ(outcome.processed, 1);
    EXPECT_EQ(outcome.duplicates, 1);
    EXPECT_FALSE(outcome.completes);
    EXPECT_EQ(outcome.upload.chunks_completed, 1);
    EXPECT_EQ(outcome.upload.completed_bytes, kChunk);
    EXPECT_EQ(error_of(wait(uploads().restart_chunk(upload.id, 1, base::now()))).code,
              Errc::chunk_already_reported);
    EXPECT_EQ(error_of(wait(uploads().finish_chunk(upload.id, 1, 0, "z", base::now()))).code,
              Errc::chunk_replaced);
}

TEST_P(UploadConformance, last_report_makes_the_asset_and_its_job_in_one_step) {
    const auto upload = add_upload();
    for (std::int64_t index = 1; index <= 3; ++index) {
        write(upload, index, "e" + std::to_string(index));
    }
    ASSERT_TRUE(report(upload, {{3, "e3", 7}, {1, "e1", kChunk}}));
    EXPECT_EQ(wait(uploads().find_reservation(account_, upload.asset_id, base::now()))->id,
              upload.id);
    expect_not_exist(error_of(wait(store().find_asset(account_, upload.asset_id))),
                     upload.asset_id.text(), "assets");
    EXPECT_TRUE(take_jobs(domain::JobKind::ingest_asset).empty());

    const auto last = report(upload, {{2, "e2", kChunk}}).value();
    EXPECT_TRUE(last.completes);
    EXPECT_EQ(last.upload.status, UploadStatus::completed);
    EXPECT_EQ(last.upload.completed_bytes, upload.total_size_bytes);
    reopen();
    const auto asset = wait(store().find_asset(account_, upload.asset_id)).value();
    EXPECT_EQ(asset.status, domain::AssetStatus::processing);
    EXPECT_EQ(asset.method, domain::AssetMethod::multipart);
    EXPECT_EQ(asset.type, upload.type);
    EXPECT_EQ(asset.filename, upload.filename);
    EXPECT_EQ(asset.thumbnail, domain::DerivedStatus::pending);
    EXPECT_EQ(asset.user_metadata, upload.user_metadata);
    EXPECT_EQ(take_jobs(domain::JobKind::ingest_asset),
              std::vector<std::string>{upload.asset_id.text()});

    const auto again = report(upload, {{2, "e2", kChunk}}).value();
    EXPECT_FALSE(again.completes);
    EXPECT_EQ(again.duplicates, 1);
    EXPECT_EQ(again.upload.status, UploadStatus::completed);
    EXPECT_TRUE(take_jobs(domain::JobKind::ingest_asset).empty());
    EXPECT_EQ(error_of(wait(uploads().restart_chunk(upload.id, 2, base::now()))).code,
              Errc::upload_completed);
    expect_not_exist(
        error_of(wait(uploads().find_reservation(account_, upload.asset_id, base::now()))),
        upload.asset_id.text(), "assets");
}

TEST_P(UploadConformance, chunks_are_listed_from_the_first_pending_ones_included) {
    const auto upload = add_upload(25 * kChunk);
    write(upload, 12, "x");
    ASSERT_TRUE(report(upload, {{12, "x", kChunk}}));
    std::int64_t expected = 1;
    for (std::int64_t page = 1; page <= 3; ++page) {
        for (const auto& each : wait(uploads().list_chunks(upload, {page, 10})).value()) {
            EXPECT_EQ(each.index, expected);
            EXPECT_EQ(each.state, expected == 12 ? ChunkState::reported : ChunkState::pending);
            ++expected;
        }
    }
    EXPECT_EQ(expected, 26);
    EXPECT_TRUE(wait(uploads().list_chunks(upload, {4, 10}))->empty());
    EXPECT_TRUE(wait(uploads().list_chunks(upload, {domain::kPageMax, 50}))->empty());
}

TEST_P(UploadConformance, incomplete_sessions_are_listed_newest_first) {
    std::vector<domain::UploadId> made;
    for (int i = 0; i < 7; ++i) {
        made.push_back(add_upload(1).id);
    }
    const auto done = add_upload(1);
    write(done, 1, "a");
    ASSERT_TRUE(report(done, {{1, "a", 1}}));
    add_upload(stranger_, 1);
    std::vector<domain::UploadId> seen;
    for (std::int64_t page = 1; page <= 4; ++page) {
        const auto paged = wait(uploads().list_incomplete(account_, {page, 2})).value();
        EXPECT_EQ(paged.total, 7);
        for (const auto& each : paged.items) {
            seen.push_back(each.id);
        }
    }
    std::ranges::reverse(made);
    EXPECT_EQ(seen, made);
    EXPECT_TRUE(wait(uploads().list_incomplete(account_, {5, 2}))->items.empty());
}

TEST_P(UploadConformance, expired_session_takes_nothing_and_its_bytes_are_removed) {
    const auto upload = add_upload(kChunk);
    write(upload, 1, "a");
    const auto end = upload.expires_at;
    EXPECT_EQ(wait(uploads().uploads_due(end - milliseconds(1), base::now() - hours(1))), false);
    EXPECT_EQ(wait(uploads().expire_uploads(end - milliseconds(1), 10)), 0);
    // Before anybody cleaned up.
    const auto expired = [&](auto call) { return error_of(wait(std::move(call))).code; };
    EXPECT_EQ(expired(uploads().finish_chunk(upload.id, 1, 0, "b", end)), Errc::upload_expired);
    EXPECT_EQ(expired(uploads().restart_chunk(upload.id, 1, end)), Errc::upload_expired);
    EXPECT_EQ(expired(uploads().report_chunks(account_, upload.id, {{1, "a", kChunk}}, end)),
              Errc::upload_expired);
    EXPECT_EQ(expired(uploads().find_reservation(account_, upload.asset_id, end)),
              Errc::resource_not_exist);

    EXPECT_EQ(wait(store().assets_exist({upload.asset_id})), std::vector{true});
    EXPECT_EQ(wait(uploads().uploads_due(end, base::now() - hours(1))), true);
    EXPECT_EQ(wait(uploads().expire_uploads(end, 10)), 1);
    EXPECT_EQ(wait(uploads().expire_uploads(end, 10)), 0);
    EXPECT_EQ(wait(store().assets_exist({upload.asset_id})), std::vector{false});
    EXPECT_EQ(take_jobs(domain::JobKind::remove_objects),
              std::vector<std::string>{"assets/" + upload.asset_id.text() + "/"});
    EXPECT_EQ(wait(uploads().find_upload(account_, upload.id))->status, UploadStatus::expired);
    EXPECT_EQ(wait(uploads().list_incomplete(account_, {}))->total, 1);
    // Even where the clock went back.
    EXPECT_EQ(error_of(report(upload, {{1, "a", kChunk}})).code, Errc::upload_expired);
}

TEST_P(UploadConformance, every_active_session_can_be_ended_before_its_time) {
    const auto open = add_upload(1);
    const auto done = add_upload(1);
    write(done, 1, "a");
    ASSERT_TRUE(report(done, {{1, "a", 1}}));
    const auto now = open.created_at + hours(1);
    EXPECT_EQ(wait(uploads().end_active_uploads(now)), 1);
    const auto ended = wait(uploads().find_upload(account_, open.id)).value();
    EXPECT_EQ(ended.status, UploadStatus::expired);
    EXPECT_EQ(ended.updated_at, now);
    EXPECT_EQ(wait(uploads().find_upload(account_, done.id))->status, UploadStatus::completed);
    EXPECT_EQ(take_jobs(domain::JobKind::remove_objects).size(), 1U);
}

TEST_P(UploadConformance, sessions_that_are_over_are_forgotten_some_at_a_time) {
    const auto open = add_upload(1);
    const auto done = add_upload(1);
    write(done, 1, "a");
    ASSERT_TRUE(report(done, {{1, "a", 1}}));
    auto old = add_upload(1);
    const auto later = old.expires_at + hours(1);
    ASSERT_EQ(wait(uploads().expire_uploads(later, 1)), 1);  // the oldest: `open`
    EXPECT_EQ(wait(uploads().uploads_due(base::now(), later + hours(1))), true);
    EXPECT_EQ(wait(uploads().forget_uploads(later + hours(1), 1)), 1);
    EXPECT_EQ(wait(uploads().forget_uploads(later + hours(1), 10)), 1);
    EXPECT_EQ(wait(uploads().forget_uploads(later + hours(1), 10)), 0);
    for (const auto& id : {open.id, done.id}) {
        EXPECT_EQ(error_of(wait(uploads().find_upload(account_, id))).code,
                  Errc::resource_not_exist);
    }
    EXPECT_TRUE(wait(uploads().find_upload(account_, old.id)));
    EXPECT_TRUE(wait(store().find_asset(account_, done.asset_id))) << "the asset stays";
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(UploadConformance);

}  // namespace
}  // namespace kinodex::store::conformance
