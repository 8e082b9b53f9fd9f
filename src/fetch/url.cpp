#include "fetch/url.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace kinodex::fetch {
namespace {

using Handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

// Signed URLs cover the path byte for byte, so `..` and the like stay; spaces and letters beyond
// ASCII are encoded, as browsers do.
constexpr unsigned kFlags =
    CURLU_PATH_AS_IS | CURLU_DISALLOW_USER | CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME;

std::unexpected<base::Error> bad_url(std::string reason) {
    return base::fail(base::Errc::parameter_invalid,
                      {{"parameter", "url"}, {"reason", std::move(reason)}});
}

std::string part(const Handle& handle, CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(handle.get(), which, &text, flags) != CURLUE_OK) {
        return {};
    }
    std::string copy(text);
    curl_free(text);
    return copy;
}

base::Status set(const Handle& handle, const std::string& text) {
    const auto code = curl_url_set(handle.get(), CURLUPART_URL, text.c_str(), kFlags);
    if (code == CURLUE_USER_NOT_ALLOWED) {
        return bad_url("It must not hold a user name or password.");
    }
    if (code != CURLUE_OK) {
        return bad_url("It must be an absolute http or https URL.");
    }
    return {};
}

base::Result<Url> checked(const Handle& handle) {
    const auto scheme = part(handle, CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https") {
        return bad_url("It must be an absolute http or https URL.");
    }
    Url url;
    url.host = part(handle, CURLUPART_HOST);
    if (url.host.starts_with('[') && url.host.ends_with(']')) {
        url.host = url.host.substr(1, url.host.size() - 2);
    }
    const auto port = part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    std::from_chars(port.data(), port.data() + port.size(), url.port);
    url.text = part(handle, CURLUPART_URL);
    if (url.host.empty() || url.port == 0 || url.text.empty()) {
        return bad_url("It must be an absolute http or https URL.");
    }
    return url;
}

}  // namespace

base::Result<Url> parse_url(std::string_view text) {
    if (text.size() > kUrlBytesMax) {
        return bad_url("It can have at most 8192 bytes.");
    }
    // A zero byte would end the text for the parser and hide what follows.
    if (text.empty() || text.find('\0') != std::string_view::npos) {
        return bad_url("It must be an absolute http or https URL.");
    }
    // The parser would also take one slash or three.
    const auto slashes = text.substr(std::min(text.find(':'), text.size() - 1) + 1);
    if (!slashes.starts_with("//") || slashes.starts_with("///")) {
        return bad_url("It must be an absolute http or https URL.");
    }
    const Handle handle(curl_url(), &curl_url_cleanup);
    KN_PASS(set(handle, std::string(text)));
    return checked(handle);
}

base::Result<Url> redirected(const Url& from, std::string_view location) {
    if (location.size() > kUrlBytesMax) {
        return bad_url("It can have at most 8192 bytes.");
    }
    const Handle handle(curl_url(), &curl_url_cleanup);
    KN_PASS(set(handle, from.text));
    KN_PASS(set(handle, std::string(location)));
    return checked(handle);
}

std::string last_segment(const Url& url) {
    const Handle handle(curl_url(), &curl_url_cleanup);
    if (!set(handle, url.text)) {
        return {};
    }
    const auto path = part(handle, CURLUPART_PATH);
    const auto segment = path.substr(path.rfind('/') + 1);
    int length = 0;
    char* decoded =
        curl_easy_unescape(nullptr, segment.data(), static_cast<int>(segment.size()), &length);
    std::string name(decoded == nullptr ? "" : decoded, static_cast<std::size_t>(length));
    curl_free(decoded);
    return name;
}

}  // namespace kinodex::fetch
