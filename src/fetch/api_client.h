// A client of a server of ours for command-line tools: one connection, blocking calls.
//
// Not for the serving process, whose calls go through the Fetcher: here no address rules hold, for
// the operator named the server, and every call waits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace kinodex::fetch {

struct ApiAnswer {
    unsigned status = 0;
    std::string body;
    int retry_after_sec = 0;  // what the server asked for; 0: nothing
    std::string etag;         // without quotes
};

/// Bytes of a file that is expected to have a size: one that has another has changed.
struct FileRange {
    std::string path;
    std::uint64_t file_bytes = 0;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

/// A multipart form: texts, and one file read while it is sent.
struct ApiForm {
    std::vector<std::pair<std::string, std::string>> texts;
    FileRange file;
    std::string file_name;
};

class ApiClient {
  public:
    /// `base_url`: "http://host:port/v1.3".
    ApiClient(std::string base_url, std::string api_key);
    ~ApiClient();
    ApiClient(const ApiClient&) = delete;
    ApiClient& operator=(const ApiClient&) = delete;

    /// `go_on` is told during every request, about once a second at least, how many bytes of its
    /// body are sent, and breaks it off with false.
    void watch(std::function<bool(std::uint64_t sent)> go_on);

    // Errors of all, with a detail: media_url_unreachable when no whole answer came. Those that
    // send a file: also internal when it cannot be read or has changed, which another attempt does
    // not mend. Any status is an answer.
    base::Result<ApiAnswer> get(const std::string& path);
    base::Result<ApiAnswer> remove(const std::string& path);
    base::Result<ApiAnswer> post_json(const std::string& path, const std::string& json);
    base::Result<ApiAnswer> post_form(const std::string& path, const ApiForm& form);
    /// To a whole URL, without the key.
    base::Result<ApiAnswer> put_range(const std::string& url, const FileRange& range);
    static std::string escaped(std::string_view text);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kinodex::fetch
