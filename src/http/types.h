// Requests and responses as handlers see them: no sockets, no header map.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/task.h"

namespace kinodex::http {

using runtime::Asked;
using runtime::Task;

enum class Method { get, head, post, put, patch, delete_, options, other };

using QueryPairs = std::vector<std::pair<std::string, std::string>>;

/// Reads a request body piece by piece, whatever its transfer coding.
class BodyReader {
  public:
    virtual ~BodyReader() = default;
    /// The next bytes, up to the size of `into`; 0 at the end of the body.
    /// Errors: request_malformed, request_timed_out, body_too_large.
    virtual Asked<std::size_t> read(std::span<std::byte> into) = 0;
};

struct Request {
    Method method = Method::get;
    std::string method_text;
    std::string path;                      // raw path, without the query
    std::vector<std::string> path_values;  // decoded, in the order of the route's {placeholders}
    QueryPairs query;                      // decoded, in order, repeats kept
    std::string content_type;              // empty when absent
    std::string api_key;                   // x-api-key; empty when absent
    std::string range;                     // Range header; empty when absent
    std::string if_none_match;
    std::string if_range;
    std::string host;
    std::string request_id;             // made by the server, also in the answer's headers
    std::string body;                   // for routes that take whole bodies
    BodyReader* body_reader = nullptr;  // for routes that stream; lives as long as the request
    /// For the same routes, for handlers that take long after the body was read.
    std::function<bool()> is_client_gone;
};

/// A body produced while it is sent. `read` gives bytes at `offset`; every byte before the length
/// given in the response is asked for at most once, in order.
class BodySource {
  public:
    virtual ~BodySource() = default;
    virtual Asked<void> read(std::uint64_t offset, std::span<std::byte> into) = 0;
};

/// A part of bytes that are shared with a cache.
struct SharedBytes {
    std::shared_ptr<const std::string> bytes;
    std::size_t offset = 0;
    std::size_t length = 0;
};

/// `length` bytes from `source`, starting at `offset`.
struct SourcedBytes {
    std::unique_ptr<BodySource> source;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

struct Response {
    unsigned status = 200;
    std::vector<std::pair<std::string, std::string>> headers;  // Content-Length is the server's
    std::variant<std::monostate, std::string, SharedBytes, SourcedBytes> body;
    bool close_connection = false;  // e.g. after refusing a body that was not read
};

/// Handlers answer always: errors are responses too, rendered by the api folder.
using Handler = std::function<Task<Response>(Request&)>;

enum class BodyMode { none, whole, streamed };

struct Route {
    Method method = Method::get;
    std::string pattern;  // "/v1.3/assets/{asset_id}/user-metadata"; static parts win over {…}
    BodyMode body = BodyMode::none;
    std::size_t body_limit_bytes = 0;  // 0: none; whole bodies should have one
    Handler handler;
    std::string name;  // for counters and logs, e.g. "assets.retrieve"
};

/// Renders errors that arise before a handler is known, and those that escape one. The id is for
/// the log line that explains the error.
using ErrorRenderer = std::function<Response(const base::Error&, std::string_view request_id)>;

}  // namespace kinodex::http
