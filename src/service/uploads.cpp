#include "service/uploads.h"

#include "observe/log.h"
#include "service/assets.h"
#include "service/object_keys.h"

namespace kinodex::service {
namespace {

// How often a writer of a chunk begins anew beside others.
constexpr int kReplaceRoundsMax = 8;

using base::Errc;
using domain::ChunkState;
using domain::Upload;

// Sessions ended or forgotten in one commit; each is a handful of rows, a forgotten one up to
// kChunksMax.
constexpr std::int64_t kExpiredAtOnce = 100;
constexpr std::int64_t kForgottenAtOnce = 10;

base::Status check_reportable(const store::FoundChunk& found) {
    KN_PASS(found.upload.check_active(base::now()));
    if (found.chunk.state == ChunkState::reported) {
        return base::fail(Errc::chunk_already_reported,
                          {{"chunk_index", std::to_string(found.chunk.index)}});
    }
    return {};
}

objects::PartSpan span_of(const Upload& upload, std::int64_t index) {
    return {.index = index,
            .offset = static_cast<std::uint64_t>(upload.chunk_offset(index)),
            .size_bytes = static_cast<std::uint64_t>(upload.chunk_length(index))};
}

}  // namespace

std::unexpected<base::Error> ChunkWriter::wrong_size(std::uint64_t size_bytes) const {
    const auto index = found_.chunk.index;
    return base::fail(Errc::chunk_size_wrong,
                      {{"chunk_index", std::to_string(index)},
                       {"expected_size", std::to_string(found_.upload.chunk_length(index))},
                       {"current_size", std::to_string(size_bytes)}});
}

runtime::Asked<void> ChunkWriter::append_behind(std::span<const std::byte> bytes,
                                                std::shared_ptr<const void> owner) {
    const auto length = static_cast<std::uint64_t>(found_.upload.chunk_length(found_.chunk.index));
    const auto size = part_->size_bytes() + bytes.size();
    if (size > length) {
        co_return wrong_size(size);
    }
    co_return co_await part_->append_behind(bytes, std::move(owner));
}

runtime::Asked<std::string> ChunkWriter::finish() {
    const auto index = found_.chunk.index;
    const auto size = part_->size_bytes();
    if (size != static_cast<std::uint64_t>(found_.upload.chunk_length(index))) {
        co_return wrong_size(size);
    }
    KN_CO_TRY(etag, co_await part_->etag());
    if (part_->is_aside()) {
        KN_CO_PASS(co_await replace(etag));
        co_return etag;
    }
    auto finished = co_await finish_in_place(etag);
    if (!finished && finished.error().code == Errc::chunk_replaced) {
        // Somebody else's bytes are there now. If they are the same ones, nothing is amiss.
        KN_CO_TRY(now, co_await store_.find_chunk(found_.upload.id, index));
        if (now.chunk.state != ChunkState::pending && now.chunk.etag == etag) {
            co_return etag;
        }
    }
    if (!finished) {
        co_return std::unexpected(std::move(finished).error());
    }
    co_return etag;
}

runtime::Asked<void> ChunkWriter::finish_in_place(const std::string& etag) {
    KN_CO_PASS(co_await part_->finish());
    co_return co_await store_.finish_chunk(found_.upload.id, found_.chunk.index,
                                           found_.chunk.attempt, etag, base::now());
}

runtime::Asked<void> ChunkWriter::replace(const std::string& etag) {
    const auto id = found_.upload.id;
    const auto index = found_.chunk.index;
    KN_CO_TRY(now, co_await store_.find_chunk(id, index));
    if (now.chunk.state != ChunkState::pending && now.chunk.etag == etag) {
        co_return base::Status{};  // the same bytes again, as after an answer that was lost
    }
    // From here on the writer that is in place, if any, can write no more. Only then a new attempt
    // begins, so that no third one can begin under it.
    KN_CO_PASS(co_await part_->take_over());
    base::Status finished;
    for (int round = 0; round < kReplaceRoundsMax; ++round) {
        KN_CO_TRY(attempt, co_await store_.restart_chunk(id, index, base::now()));
        KN_CO_PASS(co_await part_->finish());
        finished = co_await store_.finish_chunk(id, index, attempt, etag, base::now());
        if (finished || finished.error().code != Errc::chunk_replaced) {
            break;
        }
        // Another one's attempt began between, but the bytes in place are ours: were that the end,
        // the two could end each other.
    }
    co_return finished;
}

runtime::Asked<Upload> Uploads::create(NewSession session) {
    KN_CO_PASS(check_filename(session.filename));
    const auto limit = size_limit(options_.limits, domain::AssetMethod::multipart, session.type);
    if (session.total_size_bytes > limit) {
        co_return too_large(session.type, limit, session.total_size_bytes);
    }
    Upload upload;
    if (session.user_metadata) {
        KN_CO_TRY(metadata, domain::apply_change({}, *session.user_metadata));
        upload.user_metadata = std::move(metadata);
    }
    upload.id = domain::UploadId::next();
    upload.account_id = session.account;
    upload.asset_id = domain::AssetId::next();
    upload.type = session.type;
    upload.filename = std::move(session.filename);
    upload.total_size_bytes = session.total_size_bytes;
    upload.chunk_size_bytes = domain::chunk_size_for(session.total_size_bytes);
    upload.enable_hls = session.enable_hls;
    upload.enable_thumbnail = session.enable_thumbnail;
    upload.created_at = base::now();
    upload.updated_at = upload.created_at;
    upload.expires_at = upload.created_at + options_.ttl;
    // Held until the session is there and counts by itself.
    KN_CO_TRY(reservation,
              co_await quotas_.reserve_storage(session.account, upload.total_size_bytes));
    KN_CO_PASS(co_await objects_.open_parts(source_key(upload.asset_id),
                                            static_cast<std::uint64_t>(upload.total_size_bytes)));
    auto stored = co_await store_.insert_upload(upload, kOpenUploadsMax);
    if (!stored) {
        auto removed = co_await objects_.remove_prefix(asset_prefix(upload.asset_id));
        if (!removed) {  // the sweep at the next start finds them
            observe::log_warn("orphan_left", {{"asset_id", upload.asset_id.text()},
                                              {"reason", removed.error().detail}});
        }
        co_return std::unexpected(std::move(stored).error());
    }
    co_return upload;
}

runtime::Asked<Upload> Uploads::find(domain::AccountId account, domain::UploadId id) {
    return store_.find_upload(account, id);
}

runtime::Asked<Upload> Uploads::find_active(domain::AccountId account, domain::UploadId id) {
    KN_CO_TRY(upload, co_await store_.find_upload(account, id));
    KN_CO_PASS(upload.check_active(base::now()));
    co_return upload;
}

runtime::Asked<domain::Paged<Upload>> Uploads::list(domain::AccountId account, domain::Page page) {
    return store_.list_incomplete(account, page);
}

runtime::Asked<std::vector<domain::Chunk>> Uploads::chunks(Upload upload, domain::Page page) {
    return store_.list_chunks(std::move(upload), page);
}

runtime::Asked<store::ReportOutcome> Uploads::report(domain::AccountId account, domain::UploadId id,
                                                     std::vector<store::ReportedChunk> chunks) {
    KN_CO_TRY(outcome, co_await store_.report_chunks(account, id, std::move(chunks), base::now()));
    if (outcome.completes) {
        // The asset has its row and its job. Joining now makes its URL work at once; should it
        // fail, the job does it again.
        auto joined = co_await objects_.join_parts(source_key(outcome.upload.asset_id));
        if (!joined) {
            observe::log_warn("parts_not_joined", {{"asset_id", outcome.upload.asset_id.text()},
                                                   {"reason", joined.error().detail}});
        }
        wake_workers_();
    }
    co_return outcome;
}

runtime::Asked<std::unique_ptr<ChunkWriter>> Uploads::begin_chunk(domain::UploadId id,
                                                                  std::int64_t index) {
    KN_CO_TRY(before, co_await store_.find_chunk(id, index));
    KN_CO_PASS(check_reportable(before));
    auto part = co_await objects_.write_part(source_key(before.upload.asset_id),
                                             span_of(before.upload, index));
    if (!part) {
        if (part.error().code == Errc::resource_not_exist) {
            // The session ended between the look and the opening, one way or the other.
            KN_CO_TRY(now, co_await store_.find_chunk(id, index));
            KN_CO_PASS(check_reportable(now));
            co_return base::fail(Errc::upload_expired, {{"upload_id", id.text()}});
        }
        co_return std::unexpected(std::move(part).error());
    }
    // The look that counts: whoever had the place before has told the store what came of it.
    KN_CO_TRY(found, co_await store_.find_chunk(id, index));
    KN_CO_PASS(check_reportable(found));
    if (found.chunk.state != ChunkState::pending && !(*part)->is_aside()) {
        KN_CO_PASS(co_await (*part)->keep_aside());
    }
    co_return std::make_unique<ChunkWriter>(store_, std::move(found), std::move(*part));
}

runtime::Asked<void> Uploads::tidy(base::Timestamp now) {
    KN_CO_TRY(due, co_await store_.uploads_due(now, now - kUploadKept));
    if (!due) {
        co_return base::Status{};
    }
    KN_CO_TRY(expired, co_await store_.expire_uploads(now, kExpiredAtOnce));
    KN_CO_TRY(forgotten, co_await store_.forget_uploads(now - kUploadKept, kForgottenAtOnce));
    observe::log_info("uploads_ended", {{"expired", expired}, {"forgotten", forgotten}});
    if (expired > 0) {
        wake_workers_();
    }
    co_return base::Status{};
}

}  // namespace kinodex::service
