#include "server/ingest_uploader.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <thread>

namespace kinodex::server {
namespace {

namespace json = boost::json;
using fetch::ApiAnswer;
using fetch::ApiClient;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int kAttemptsMax = 6;
constexpr seconds kPauseMax{30};
// Reported together: what an interrupted upload sends again is less than this.
constexpr std::uint64_t kChunksAtOnce = 4;
constexpr int kPageItems = 50;
constexpr seconds kSettledWithin{3600};
constexpr milliseconds kFirstLook{20};
constexpr milliseconds kLook{200};
constexpr milliseconds kLastLook{1000};

bool may_help(unsigned status) {
    return status == 408 || status == 429 || status >= 500;
}

base::Result<std::uint64_t> count_in(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr || !value->is_int64() || value->get_int64() <= 0) {
        return ingest_failed(fmt::format("the server's answer has no `{}`", key));
    }
    return static_cast<std::uint64_t>(value->get_int64());
}

}  // namespace

IngestUploader::IngestUploader(const IngestShared& shared)
    : target_(shared.target),
      known_(shared.known),
      memory_(shared.memory),
      stopping_(shared.stopping),
      bytes_sent_(shared.bytes_sent),
      client_(target_.base_url, target_.api_key) {
    client_.watch([this](std::uint64_t sent) {
        note_progress(sent);
        return !stopping_;
    });
}

void IngestUploader::note_progress(std::uint64_t sent) {
    const auto now = std::min(sent, request_bytes_);  // a form has more than the file
    bytes_sent_ += now - request_sent_;
    request_sent_ = now;
}

template <class Send>
base::Result<ApiAnswer> IngestUploader::insist(unsigned status, Send send,
                                               std::uint64_t file_bytes) {
    for (int attempt = 1;; ++attempt) {
        request_bytes_ = file_bytes;
        base::Result<ApiAnswer> answer = send();
        const bool succeeded = answer && answer->status == status;
        note_progress(succeeded ? file_bytes : 0);
        request_sent_ = 0;
        if (succeeded) {
            file_bytes_sent_ += file_bytes;
            return answer;
        }
        if (answer && !may_help(answer->status)) {
            return ingest_failed(message_of(*answer));
        }
        if (!answer && answer.error().code == base::Errc::internal) {
            return answer;  // the file is to blame
        }
        if (attempt == kAttemptsMax || stopping_) {
            return ingest_failed(answer ? message_of(*answer) : answer.error().detail);
        }
        const auto asked = seconds(answer ? answer->retry_after_sec : 0);
        const auto pause = std::min(kPauseMax, std::max(asked, seconds(1LL << (attempt - 1))));
        const auto until = steady_clock::now() + pause;
        while (!stopping_ && steady_clock::now() < until) {
            std::this_thread::sleep_for(kLook);
        }
    }
}

base::Result<ApiAnswer> IngestUploader::get(const std::string& path) {
    return insist(200, [&] { return client_.get(path); });
}

base::Result<IngestUploader::Brought> IngestUploader::bring(const IngestFile& file) {
    file_bytes_sent_ = 0;
    Brought brought;
    KN_TRY(there, find_there(file));
    if (!there) {
        KN_TRY(made, upload(file));
        there = std::move(made);
        brought.is_new = true;
    }
    if (!target_.index_id.empty() && !there->is_image()) {
        if (auto indexed = index(there->id); !indexed) {
            brought.index_problem = std::move(indexed).error().detail;
        }
    }
    return brought;
}

base::Result<std::optional<ShownAsset>> IngestUploader::find_there(const IngestFile& file) {
    auto asset = known_.find(file);
    if (asset && !asset->is_settled()) {
        KN_TRY(now, settled(asset->id));
        // Only now it is known what it is. One that failed may be of an earlier try, or anybody's.
        const bool is_it = now.status == "ready" && now.size_bytes == file.size_bytes;
        asset = is_it ? std::optional(std::move(now)) : std::nullopt;
    }
    return asset;
}

base::Result<ShownAsset> IngestUploader::upload(const IngestFile& file) {
    ShownAsset asset;
    if (file.size_bytes > target_.direct_bytes_max) {
        KN_TRY(id, upload_in_parts(file));
        asset.id = std::move(id);
        asset.status = "processing";
    } else {
        KN_TRY(answered, upload_whole(file));
        asset = std::move(answered);
    }
    if (!asset.is_settled()) {
        KN_TRY(now, settled(asset.id));
        asset = std::move(now);
    }
    if (asset.status != "failed") {
        return asset;
    }
    // It would stay for ever, and the next run would add another.
    const auto removed = insist(204, [&] { return client_.remove("/assets/" + asset.id); });
    return ingest_failed(fmt::format("the server could not use it: {}{}", asset.failure,
                                     removed ? "" : " (asset " + asset.id + " is left there)"));
}

base::Result<ShownAsset> IngestUploader::upload_whole(const IngestFile& file) {
    fetch::ApiForm form;
    form.texts = {{"method", "direct"}, {"filename", file.name}};
    if (target_.enable_hls) {
        form.texts.emplace_back("enable_hls", "true");
    }
    if (target_.enable_thumbnail) {
        form.texts.emplace_back("enable_thumbnail", "true");
    }
    if (!file.metadata.empty()) {
        form.texts.emplace_back("user_metadata", file.metadata);
    }
    form.file = {file.path, file.size_bytes, 0, file.size_bytes};
    form.file_name = file.name;
    bool was_sent = false;
    std::optional<ShownAsset> found;
    const auto send = [&]() -> base::Result<ApiAnswer> {
        if (std::exchange(was_sent, true)) {
            // The answer to an earlier attempt may have been lost on its way.
            KnownAssets since;
            if (const auto loaded = since.load(client_); !loaded) {
                return base::fail(base::Errc::media_url_unreachable, {}, loaded.error().detail);
            }
            found = since.find(file);
            if (found) {
                return ApiAnswer{201, {}, 0, {}};
            }
        }
        return client_.post_form("/assets", form);
    };
    KN_TRY(answer, insist(201, send, file.size_bytes));
    if (found) {
        return *found;
    }
    KN_TRY(body, object_of(answer));
    return asset_in(body);
}

base::Result<std::string> IngestUploader::upload_in_parts(const IngestFile& file) {
    KN_TRY(open, find_session(file));
    if (!open) {
        KN_TRY(begun, begin_session(file));
        open = std::move(begun);
    }
    for (std::uint64_t first = 1; first <= open->chunks; first += kChunksAtOnce) {
        const auto count = std::min(kChunksAtOnce, open->chunks - first + 1);
        KN_PASS(send_chunks(file, *open, first, count));
    }
    if (memory_ != nullptr) {
        memory_->forget(file);
    }
    return open->asset_id;
}

base::Result<std::optional<IngestUploader::OpenSession>> IngestUploader::find_session(
    const IngestFile& file) {
    const auto kept = memory_ == nullptr ? std::nullopt : memory_->find(file);
    if (!kept) {
        return std::nullopt;
    }
    OpenSession session{*kept};
    const auto pages = (session.chunks + kPageItems - 1) / kPageItems;
    for (std::uint64_t page = 1; page <= pages; ++page) {
        const auto answer = get(fmt::format("/assets/multipart-uploads/{}?page_limit={}&page={}",
                                            session.upload_id, kPageItems, page));
        if (!answer) {
            if (stopping_) {
                return std::unexpected(answer.error());
            }
            return std::nullopt;  // forgotten by the server
        }
        KN_TRY(body, object_of(*answer));
        KN_TRY(status, text_in(body, "status"));
        const auto* chunks = body.if_contains("uploaded_chunks");
        if (status != "active" || chunks == nullptr || !chunks->is_array()) {
            return std::nullopt;
        }
        for (const auto& each : chunks->get_array()) {
            if (each.is_object() && text_in(each.get_object(), "status") == "completed") {
                KN_TRY(number, count_in(each.get_object(), "index"));
                session.reported.insert(number);
            }
        }
    }
    return session;
}

base::Result<IngestUploader::OpenSession> IngestUploader::begin_session(const IngestFile& file) {
    json::object wish{{"filename", file.name},
                      {"type", "video"},
                      {"total_size", file.size_bytes},
                      {"enable_hls", target_.enable_hls},
                      {"enable_thumbnail", target_.enable_thumbnail}};
    if (!file.metadata.empty()) {
        wish["user_metadata"] = json::parse(file.metadata);
    }
    const auto text = json::serialize(wish);
    KN_TRY(answer,
           insist(201, [&] { return client_.post_json("/assets/multipart-uploads", text); }));
    KN_TRY(body, object_of(answer));
    KN_TRY(upload_id, text_in(body, "upload_id"));
    KN_TRY(asset_id, text_in(body, "asset_id"));
    KN_TRY(chunk_bytes, count_in(body, "chunk_size"));
    KN_TRY(chunks, count_in(body, "total_chunks"));
    OpenSession session{{upload_id, asset_id, chunk_bytes, chunks}};
    if (memory_ != nullptr) {
        KN_PASS(memory_->keep(file, session));
    }
    return session;
}

base::Status IngestUploader::send_chunks(const IngestFile& file, const OpenSession& session,
                                         std::uint64_t first, std::uint64_t count) {
    const auto is_missing = [&](std::uint64_t number) {
        return !session.reported.contains(number);
    };
    std::uint64_t missing = 0;
    for (auto number = first; number < first + count; ++number) {
        missing += is_missing(number) ? 1U : 0U;
    }
    if (missing == 0) {
        return {};
    }
    const auto path = "/assets/multipart-uploads/" + session.upload_id;
    const auto range = fmt::format(R"({{"start":{},"count":{}}})", first, count);
    KN_TRY(answer, insist(200, [&] { return client_.post_json(path + "/presigned-urls", range); }));
    KN_TRY(urls, object_of(answer));
    json::array report;
    for (const auto& each : urls.at("upload_urls").as_array()) {
        const auto number = each.at("chunk_index").to_number<std::uint64_t>();
        if (number < first || number >= first + count || !is_missing(number)) {
            continue;
        }
        const std::string url(each.at("url").as_string());
        const auto offset = (number - 1) * session.chunk_bytes;
        const auto length = std::min(session.chunk_bytes, file.size_bytes - offset);
        const fetch::FileRange bytes{file.path, file.size_bytes, offset, length};
        KN_TRY(put, insist(200, [&] { return client_.put_range(url, bytes); }, length));
        report.push_back({{"chunk_index", number},
                          {"proof", put.etag},
                          {"proof_type", "etag"},
                          {"chunk_size", length}});
    }
    const auto text = json::serialize(json::object{{"completed_chunks", std::move(report)}});
    KN_PASS(insist(200, [&] { return client_.post_json(path, text); }));
    return {};
}

base::Result<ShownAsset> IngestUploader::settled(const std::string& asset_id) {
    const auto deadline = steady_clock::now() + kSettledWithin;
    auto pause = kFirstLook;
    while (true) {
        KN_TRY(answer, get("/assets/" + asset_id));
        KN_TRY(body, object_of(answer));
        KN_TRY(asset, asset_in(body));
        if (asset.is_settled()) {
            return asset;
        }
        if (steady_clock::now() > deadline) {
            return ingest_failed("asset " + asset_id +
                                 " is still being processed; run again to see what became of it");
        }
        std::this_thread::sleep_for(pause);
        pause = std::min(kLastLook, 2 * pause);
    }
}

base::Status IngestUploader::index(const std::string& asset_id) {
    KN_TRY(answer,
           get(fmt::format("/assets/{}/indexed-assets?page_limit={}", asset_id, kPageItems)));
    KN_TRY(body, object_of(answer));
    for (const auto& each : body.at("data").as_array()) {
        if (each.at("index").at("_id").as_string() == target_.index_id) {
            return {};
        }
    }
    const auto wish = fmt::format(R"({{"asset_id":"{}"}})", asset_id);
    KN_PASS(insist(202, [&] {
        return client_.post_json("/indexes/" + target_.index_id + "/indexed-assets", wish);
    }));
    return {};
}

}  // namespace kinodex::server
