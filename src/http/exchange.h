// One request on a connection, and its body as handlers read it.
#pragma once

#include <optional>

#include "http/chunked.h"
#include "http/connection.h"
#include "http/head_parser.h"

namespace kinodex::http {

class Connection::Body final : public BodyReader {
  public:
    explicit Body(Connection& connection)
        : connection_(connection),
          pace_(connection.limits().body_timeout, connection.limits().progress_bytes) {}

    /// Once, when the head is known. A `limit_bytes` of 0 is none.
    void begin(const RequestHead& head);
    void set_limit(std::uint64_t limit_bytes) { limit_bytes_ = limit_bytes; }

    Asked<std::size_t> read(std::span<std::byte> into) override;

    [[nodiscard]] bool is_done() const { return chunked_ ? chunks_.is_done() : left_ == 0; }
    /// True when what is left can be read away quickly, without asking for it.
    [[nodiscard]] bool is_drainable() const;
    /// Reads what is left; false when that cannot be done.
    Task<bool> drain();

  private:
    base::Result<Moved> take(std::span<char> into, std::size_t& content);
    base::Result<Moved> take_chunked(std::span<char> into, std::size_t& content);
    [[nodiscard]] std::size_t batch_bytes() const;
    base::Error fail_with(base::Error error);

    Connection& connection_;
    Pace pace_;
    ChunkDecoder chunks_;
    bool chunked_ = false;
    bool owes_continue_ = false;     // the client waits for 100 Continue
    bool is_slow_ = false;           // its client once needed a whole deadline for a batch
    std::uint64_t left_ = 0;         // of a body of known length
    std::uint64_t limit_bytes_ = 0;  // 0: none
    std::uint64_t content_bytes_ = 0;
    std::optional<base::Error> failure_;
};

struct Connection::Exchange {
    explicit Exchange(Connection& connection) : body(connection) {}

    Clock::time_point started = Clock::now();
    Request request;
    RequestHead head;
    Body body;
    const Route* route = nullptr;
    std::size_t scanned = 0;            // bytes of an incomplete head in which no end was found
    std::optional<base::Error> broken;  // the head cannot be answered but with this, then a close
    bool gone = false;                  // the client has left before the head was complete
};

}  // namespace kinodex::http
