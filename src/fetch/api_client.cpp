#include "fetch/api_client.h"

#include <curl/curl.h>

#include <charconv>
#include <cstdio>

#include "base/check.h"

namespace kinodex::fetch {
namespace {

constexpr long kConnectTimeoutMs = 10'000;
// A stalled upload is given up; a large file may take as long as it moves.
constexpr long kStallBytesPerSec = 1;
constexpr long kStallSec = 120;
constexpr std::size_t kAnswerBytesMax = 16 * 1024 * 1024;
constexpr long kUploadBufferBytes = 512 * 1024;

struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeMime {
    void operator()(curl_mime* mime) const { curl_mime_free(mime); }
};
struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* into) {
    auto& body = static_cast<ApiAnswer*>(into)->body;
    if (body.size() + size * count > kAnswerBytesMax) {
        return 0;
    }
    body.append(bytes, size * count);
    return size * count;
}

std::string_view trimmed(std::string_view text) {
    const auto is_rest = [](char c) { return c == ' ' || c == '\r' || c == '\n' || c == '"'; };
    while (!text.empty() && is_rest(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_rest(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* into) {
    const std::string_view line(bytes, size * count);
    auto& answer = *static_cast<ApiAnswer*>(into);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos) {
        const std::string name(line.substr(0, colon));
        const auto value = trimmed(line.substr(colon + 1));
        if (curl_strequal(name.c_str(), "retry-after") != 0) {
            std::from_chars(value.data(), value.data() + value.size(), answer.retry_after_sec);
        } else if (curl_strequal(name.c_str(), "etag") != 0) {
            answer.etag = value;
        }
    }
    return line.size();
}

}  // namespace

struct ApiClient::State {
    std::string base_url;
    std::string key_header;
    std::unique_ptr<CURL, FreeEasy> easy;
    std::unique_ptr<curl_slist, FreeList> headers;

    /// Begins a request anew on the same connection.
    CURL* reset(const std::string& url, ApiAnswer& answer, std::vector<std::string> lines) {
        auto* curl = easy.get();
        curl_easy_reset(curl);
        curl_slist* list = nullptr;
        lines.emplace_back("Expect:");  // no round trip before a body
        for (const auto& line : lines) {
            list = curl_slist_append(list, line.c_str());
        }
        headers.reset(list);
        curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
        curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, kUploadBufferBytes);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSec);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSec);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take_body);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &take_header);
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
        return curl;
    }
    base::Result<ApiAnswer> perform(ApiAnswer& answer) {
        const auto code = curl_easy_perform(easy.get());
        if (code != CURLE_OK) {
            return base::fail(base::Errc::media_url_unreachable, {{"url", base_url}},
                              curl_easy_strerror(code));
        }
        long status = 0;
        curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
        answer.status = static_cast<unsigned>(status);
        return std::move(answer);
    }
};

ApiClient::ApiClient(std::string base_url, std::string api_key)
    : state_(std::make_unique<State>()) {
    state_->base_url = std::move(base_url);
    state_->key_header = "x-api-key: " + std::move(api_key);
    state_->easy.reset(curl_easy_init());
    KN_CHECK(state_->easy != nullptr, "a handle for requests");
}

ApiClient::~ApiClient() = default;

base::Result<ApiAnswer> ApiClient::get(const std::string& path) {
    ApiAnswer answer;
    state_->reset(state_->base_url + path, answer, {state_->key_header});
    return state_->perform(answer);
}

base::Result<ApiAnswer> ApiClient::post_json(const std::string& path, const std::string& json) {
    ApiAnswer answer;
    auto* curl = state_->reset(state_->base_url + path, answer,
                               {state_->key_header, "Content-Type: application/json"});
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json.size()));
    return state_->perform(answer);
}

base::Result<ApiAnswer> ApiClient::post_form(const std::string& path, const ApiForm& form) {
    ApiAnswer answer;
    auto* curl = state_->reset(state_->base_url + path, answer, {state_->key_header});
    const std::unique_ptr<curl_mime, FreeMime> mime(curl_mime_init(curl));
    for (const auto& [name, value] : form.texts) {
        auto* part = curl_mime_addpart(mime.get());
        curl_mime_name(part, name.c_str());
        curl_mime_data(part, value.data(), value.size());
    }
    auto* part = curl_mime_addpart(mime.get());
    curl_mime_name(part, "file");
    if (curl_mime_filedata(part, form.file_path.c_str()) != CURLE_OK) {
        return base::fail(base::Errc::internal, {}, form.file_path + " cannot be read");
    }
    curl_mime_filename(part, form.file_name.c_str());
    curl_mime_type(part, "application/octet-stream");
    curl_easy_setopt(curl, CURLOPT_MIMEPOST, mime.get());
    auto done = state_->perform(answer);
    curl_easy_setopt(curl, CURLOPT_MIMEPOST, nullptr);
    return done;
}

base::Result<ApiAnswer> ApiClient::put_range(const std::string& url, const std::string& file_path,
                                             std::uint64_t offset, std::uint64_t length) {
    ApiAnswer answer;
    auto* curl = state_->reset(url, answer, {"Content-Type: application/octet-stream"});
    const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(file_path.c_str(), "rbe"));
    if (!file || ::fseeko(file.get(), static_cast<off_t>(offset), SEEK_SET) != 0) {
        return base::fail(base::Errc::internal, {}, file_path + " cannot be read");
    }
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READDATA, file.get());  // curl's own reader is fread
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(length));
    return state_->perform(answer);
}

std::string ApiClient::escaped(std::string_view text) {
    char* raw = curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size()));
    std::string result(raw == nullptr ? "" : raw);
    curl_free(raw);
    return result;
}

}  // namespace kinodex::fetch
