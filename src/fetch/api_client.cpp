#include "fetch/api_client.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>

#include "base/check.h"
#include "base/unique_fd.h"

namespace kinodex::fetch {
namespace {

constexpr long kConnectTimeoutMs = 10'000;
// A stalled upload is given up; a large file may take as long as it moves.
constexpr long kStallBytesPerSec = 1;
constexpr long kStallSec = 120;
constexpr std::size_t kAnswerBytesMax = 16 * 1024 * 1024;
constexpr long kUploadBufferBytes = 512 * 1024;
// Goes out together with the rest of its form, in one write; a file that curl asks for does not.
constexpr std::size_t kSmallFileBytes = 256 * 1024;

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

std::unexpected<base::Error> unreadable(std::string detail) {
    return base::fail(base::Errc::internal, {}, std::move(detail));
}

/// What a request's body reads. A file that ends early ends the request: the server would wait for
/// the rest.
class Source {
  public:
    static base::Result<Source> open(const FileRange& range) {
        // A file that was replaced by a pipe must not be waited for.
        base::UniqueFd fd(::open(range.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
        struct stat status{};
        if (!fd || ::fstat(fd.get(), &status) != 0) {
            return unreadable("it cannot be read: " +
                              std::error_code(errno, std::generic_category()).message());
        }
        if (!S_ISREG(status.st_mode) || std::cmp_not_equal(status.st_size, range.file_bytes)) {
            return unreadable("it has changed since the folder was looked through");
        }
        Source source(range);
        source.file_.reset(::fdopen(fd.release(), "rb"));
        KN_CHECK(source.file_ != nullptr, "a stream on an open file");
        KN_CHECK(seek(&source, 0, SEEK_SET) == CURL_SEEKFUNC_OK, "a place in an open file");
        return source;
    }

    static std::size_t read(char* into, std::size_t size, std::size_t count, void* source) {
        auto& self = *static_cast<Source*>(source);
        const auto left = self.length_ - self.at_;
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size * count, left));
        const auto got = wanted == 0 ? 0 : std::fread(into, 1, wanted, self.file_.get());
        if (got < wanted) {
            self.is_short_ = true;
            return CURL_READFUNC_ABORT;
        }
        self.at_ += got;
        return got;
    }
    /// For a body that is sent anew, on another connection.
    static int seek(void* source, curl_off_t at, int origin) {
        auto& self = *static_cast<Source*>(source);
        if (origin != SEEK_SET ||
            ::fseeko(self.file_.get(), static_cast<off_t>(self.offset_) + at, SEEK_SET) != 0) {
            return CURL_SEEKFUNC_FAIL;
        }
        self.at_ = static_cast<std::uint64_t>(at);
        return CURL_SEEKFUNC_OK;
    }
    [[nodiscard]] curl_off_t length() const { return static_cast<curl_off_t>(length_); }

    /// What came of the request, unless the file is to blame.
    base::Result<ApiAnswer> judge(base::Result<ApiAnswer> done) const {
        return is_short_ ? unreadable("it became shorter while it was sent") : std::move(done);
    }

  private:
    explicit Source(const FileRange& range) : offset_(range.offset), length_(range.length) {}

    std::unique_ptr<std::FILE, CloseFile> file_;
    std::uint64_t offset_;
    std::uint64_t length_;
    std::uint64_t at_ = 0;
    bool is_short_ = false;
};

int note_progress(void* go_on, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent) {
    const auto& ask = *static_cast<std::function<bool(std::uint64_t)>*>(go_on);
    return ask(static_cast<std::uint64_t>(sent)) ? 0 : 1;
}

}  // namespace

struct ApiClient::State {
    std::string base_url;
    std::string key_header;
    std::unique_ptr<CURL, FreeEasy> easy;
    std::unique_ptr<curl_slist, FreeList> headers;
    std::function<bool(std::uint64_t)> go_on;

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
        if (go_on) {
            curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
            curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &note_progress);
            curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &go_on);
        }
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

void ApiClient::watch(std::function<bool(std::uint64_t sent)> go_on) {
    state_->go_on = std::move(go_on);
}

base::Result<ApiAnswer> ApiClient::remove(const std::string& path) {
    ApiAnswer answer;
    auto* curl = state_->reset(state_->base_url + path, answer, {state_->key_header});
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "DELETE");
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
    KN_TRY(source, Source::open(form.file));
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
    std::string small;
    if (form.file.length <= kSmallFileBytes) {
        small.resize(form.file.length);
        if (Source::read(small.data(), 1, small.size(), &source) != small.size()) {
            return source.judge({});
        }
        curl_mime_data(part, small.data(), small.size());
    } else {
        curl_mime_data_cb(part, source.length(), &Source::read, &Source::seek, nullptr, &source);
    }
    curl_mime_filename(part, form.file_name.c_str());
    curl_mime_type(part, "application/octet-stream");
    curl_easy_setopt(curl, CURLOPT_MIMEPOST, mime.get());
    auto done = state_->perform(answer);
    curl_easy_setopt(curl, CURLOPT_MIMEPOST, nullptr);
    return source.judge(std::move(done));
}

base::Result<ApiAnswer> ApiClient::put_range(const std::string& url, const FileRange& range) {
    KN_TRY(source, Source::open(range));
    ApiAnswer answer;
    auto* curl = state_->reset(url, answer, {"Content-Type: application/octet-stream"});
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, &Source::read);
    curl_easy_setopt(curl, CURLOPT_READDATA, &source);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, &Source::seek);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, &source);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, source.length());
    return source.judge(state_->perform(answer));
}

std::string ApiClient::escaped(std::string_view text) {
    char* raw = curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size()));
    std::string result(raw == nullptr ? "" : raw);
    curl_free(raw);
    return result;
}

}  // namespace kinodex::fetch
