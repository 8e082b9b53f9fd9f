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
using std::chrono::seconds;

constexpr int kAttemptsMax = 6;
constexpr seconds kPauseMax{30};
constexpr std::size_t kChunksAtOnce = 10;  // reported together
constexpr seconds kReadyWithin{3600};
constexpr std::chrono::milliseconds kLook{200};

std::unexpected<base::Error> failed(std::string detail) {
    return base::fail(base::Errc::internal, {}, std::move(detail));
}

/// What a refusal says, for the operator.
std::string message_of(const ApiAnswer& answer) {
    boost::system::error_code error;
    const auto body = json::parse(answer.body, error);
    const auto* object = error ? nullptr : body.if_object();
    const auto* code = object == nullptr ? nullptr : object->if_contains("code");
    const auto* message = object == nullptr ? nullptr : object->if_contains("message");
    if (code == nullptr || message == nullptr || !code->is_string() || !message->is_string()) {
        return fmt::format("HTTP {}", answer.status);
    }
    return fmt::format("{}: {}", std::string_view(code->get_string()),
                       std::string_view(message->get_string()));
}

base::Result<json::object> object_of(const ApiAnswer& answer) {
    boost::system::error_code error;
    auto body = json::parse(answer.body, error);
    if (error || !body.is_object()) {
        return failed("the server's answer is no JSON object");
    }
    return std::move(body.get_object());
}

base::Result<std::string> text_in(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr || !value->is_string()) {
        return failed(fmt::format("the server's answer has no `{}`", key));
    }
    return std::string(value->get_string());
}

bool may_help(unsigned status) {
    return status == 408 || status == 429 || status >= 500;
}

}  // namespace

base::Status KnownAssets::load(ApiClient& client) {
    for (int page = 1;; ++page) {
        KN_TRY(answer, client.get(fmt::format("/assets?page_limit=50&page={}", page)));
        if (answer.status != 200) {
            return failed(message_of(answer));
        }
        KN_TRY(body, object_of(answer));
        const auto* data = body.if_contains("data");
        if (data == nullptr || !data->is_array()) {
            return failed("the server's list of assets is none");
        }
        if (data->get_array().empty()) {
            return {};
        }
        for (const auto& each : data->get_array()) {
            const auto* asset = each.if_object();
            if (asset == nullptr) {
                return failed("the server's list of assets is none");
            }
            KN_TRY(id, text_in(*asset, "_id"));
            KN_TRY(name, text_in(*asset, "filename"));
            KN_TRY(status, text_in(*asset, "status"));
            Known known{id, std::nullopt};
            if (const auto* size = asset->if_contains("size");
                size != nullptr && size->is_int64()) {
                known.size_bytes = static_cast<std::uint64_t>(size->get_int64());
            }
            if (status != "failed") {
                add(name, std::move(known));
            }
        }
    }
}

void KnownAssets::add(const std::string& name, Known known) {
    const std::lock_guard lock(mutex_);
    by_name_.emplace(name, std::move(known));
}

std::optional<std::string> KnownAssets::find(const IngestFile& file) const {
    const std::lock_guard lock(mutex_);
    const auto [first, last] = by_name_.equal_range(file.name);
    for (auto each = first; each != last; ++each) {
        if (!each->second.size_bytes || *each->second.size_bytes == file.size_bytes) {
            return each->second.asset_id;
        }
    }
    return std::nullopt;
}

std::size_t KnownAssets::size() const {
    const std::lock_guard lock(mutex_);
    return by_name_.size();
}

IngestUploader::IngestUploader(const IngestTarget& target, KnownAssets& known,
                               std::atomic<std::uint64_t>& bytes_sent,
                               const std::atomic<bool>& stopping)
    : target_(target),
      known_(known),
      bytes_sent_(bytes_sent),
      stopping_(stopping),
      client_(target.base_url, target.api_key) {}

template <class Send>
base::Result<ApiAnswer> IngestUploader::insist(unsigned status, Send send) {
    for (int attempt = 1;; ++attempt) {
        base::Result<ApiAnswer> answer = send();
        if (answer && answer->status == status) {
            return answer;
        }
        if (answer && !may_help(answer->status)) {
            return failed(message_of(*answer));
        }
        if (attempt == kAttemptsMax || stopping_) {
            return failed(answer ? message_of(*answer) : answer.error().detail);
        }
        const auto asked = seconds(answer ? answer->retry_after_sec : 0);
        const auto pause = std::min(kPauseMax, std::max(asked, seconds(1LL << (attempt - 1))));
        const auto until = std::chrono::steady_clock::now() + pause;
        while (!stopping_ && std::chrono::steady_clock::now() < until) {
            std::this_thread::sleep_for(kLook);
        }
    }
}

base::Result<IngestUploader::Outcome> IngestUploader::bring(const IngestFile& file) {
    auto outcome = Outcome::there_already;
    auto asset_id = known_.find(file);
    if (!asset_id) {
        KN_TRY(made, upload(file));
        known_.add(file.name, {made, file.size_bytes});
        asset_id = std::move(made);
        outcome = Outcome::uploaded;
    }
    if (!target_.index_id.empty()) {
        KN_PASS(index(*asset_id));
    }
    return outcome;
}

base::Result<std::string> IngestUploader::upload(const IngestFile& file) {
    return file.size_bytes > target_.direct_bytes_max ? upload_in_parts(file) : upload_whole(file);
}

base::Result<std::string> IngestUploader::upload_whole(const IngestFile& file) {
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
    form.file_path = file.path;
    form.file_name = file.name;
    bool was_sent = false;
    KN_TRY(answer, insist(201, [&]() -> base::Result<ApiAnswer> {
               if (std::exchange(was_sent, true)) {
                   // The answer to an earlier attempt may have been lost on its way.
                   KnownAssets since;
                   KN_PASS(since.load(client_));
                   if (const auto id = since.find(file)) {
                       return ApiAnswer{201, fmt::format(R"({{"_id":"{}"}})", *id), 0, {}};
                   }
               }
               return client_.post_form("/assets", form);
           }));
    bytes_sent_ += file.size_bytes;
    KN_TRY(body, object_of(answer));
    return text_in(body, "_id");
}

base::Result<std::string> IngestUploader::upload_in_parts(const IngestFile& file) {
    json::object wish{{"filename", file.name},
                      {"type", "video"},
                      {"total_size", file.size_bytes},
                      {"enable_hls", target_.enable_hls},
                      {"enable_thumbnail", target_.enable_thumbnail}};
    if (!file.metadata.empty()) {
        wish["user_metadata"] = json::parse(file.metadata);
    }
    const auto wish_text = json::serialize(wish);
    KN_TRY(created,
           insist(201, [&] { return client_.post_json("/assets/multipart-uploads", wish_text); }));
    KN_TRY(session, object_of(created));
    KN_TRY(upload_id, text_in(session, "upload_id"));
    KN_TRY(asset_id, text_in(session, "asset_id"));
    const auto path = "/assets/multipart-uploads/" + upload_id;
    const auto chunk_bytes = session.at("chunk_size").to_number<std::uint64_t>();
    const auto chunks = session.at("total_chunks").to_number<std::uint64_t>();
    for (std::uint64_t first = 1; first <= chunks; first += kChunksAtOnce) {
        const auto count = std::min<std::uint64_t>(kChunksAtOnce, chunks - first + 1);
        KN_TRY(signed_urls, insist(200, [&] {
                   return client_.post_json(
                       path + "/presigned-urls",
                       fmt::format(R"({{"start":{},"count":{}}})", first, count));
               }));
        KN_TRY(urls, object_of(signed_urls));
        json::array report;
        for (const auto& each : urls.at("upload_urls").as_array()) {
            const auto number = each.at("chunk_index").to_number<std::uint64_t>();
            const std::string url(each.at("url").as_string());
            const auto offset = (number - 1) * chunk_bytes;
            const auto length = std::min(chunk_bytes, file.size_bytes - offset);
            KN_TRY(put,
                   insist(200, [&] { return client_.put_range(url, file.path, offset, length); }));
            bytes_sent_ += length;
            report.push_back({{"chunk_index", number},
                              {"proof", put.etag},
                              {"proof_type", "etag"},
                              {"chunk_size", length}});
        }
        const auto text = json::serialize(json::object{{"completed_chunks", std::move(report)}});
        KN_PASS(insist(200, [&] { return client_.post_json(path, text); }));
    }
    return asset_id;
}

base::Status IngestUploader::wait_until_ready(const std::string& asset_id) {
    const auto deadline = std::chrono::steady_clock::now() + kReadyWithin;
    while (true) {
        KN_TRY(answer, insist(200, [&] { return client_.get("/assets/" + asset_id); }));
        KN_TRY(body, object_of(answer));
        KN_TRY(status, text_in(body, "status"));
        if (status == "ready") {
            return {};
        }
        if (status == "failed") {
            return failed("the server could not use it: asset " + asset_id + " failed");
        }
        if (stopping_ || std::chrono::steady_clock::now() > deadline) {
            return failed("asset " + asset_id + " is not ready yet; run again to index it");
        }
        std::this_thread::sleep_for(kLook);
    }
}

base::Status IngestUploader::index(const std::string& asset_id) {
    KN_PASS(wait_until_ready(asset_id));
    KN_TRY(answer, insist(200, [&] {
               return client_.get("/assets/" + asset_id + "/indexed-assets?page_limit=50");
           }));
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
