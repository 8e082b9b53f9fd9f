// A client of a server of ours for command-line tools: one connection, blocking calls.
//
// Not for the serving process, whose calls go through the Fetcher: here no address rules hold, for
// the operator named the server, and every call waits.
#pragma once

#include <cstdint>
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

/// A multipart form: texts, and one file read while it is sent.
struct ApiForm {
    std::vector<std::pair<std::string, std::string>> texts;
    std::string file_path;
    std::string file_name;
};

class ApiClient {
  public:
    /// `base_url`: "http://host:port/v1.3".
    ApiClient(std::string base_url, std::string api_key);
    ~ApiClient();
    ApiClient(const ApiClient&) = delete;
    ApiClient& operator=(const ApiClient&) = delete;

    // Errors of all: media_url_unreachable, with a detail, when no whole answer came. Any status is
    // an answer.
    base::Result<ApiAnswer> get(const std::string& path);
    base::Result<ApiAnswer> post_json(const std::string& path, const std::string& json);
    base::Result<ApiAnswer> post_form(const std::string& path, const ApiForm& form);
    /// To a whole URL, without the key: `length` bytes of the file from `offset`.
    base::Result<ApiAnswer> put_range(const std::string& url, const std::string& file_path,
                                      std::uint64_t offset, std::uint64_t length);
    static std::string escaped(std::string_view text);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kinodex::fetch
