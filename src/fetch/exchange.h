// What goes out in one HTTP exchange and what comes back, as values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fetch/address_rules.h"
#include "fetch/url.h"

namespace kinodex::fetch {

/// How long the other side may keep us waiting.
struct Patience {
    std::chrono::milliseconds connect{10'000};  // name, connection and TLS together
    std::chrono::seconds stall{30};             // for the head, and below kStallBytesPerSec
    std::chrono::milliseconds total{0};         // for all of it; 0: no bound
};

inline constexpr long kStallBytesPerSec = 1024;

enum class Method { get, post };

struct Request {
    Url url;
    std::string asked_url;  // what errors name: redirects may lead where no client should see
    Method method = Method::get;
    std::vector<std::string> headers;  // "Name: value"
    std::string body;                  // of a POST
    Patience patience;
    // Shared because a transfer ends on a thread of its own, maybe after who asked for it.
    std::shared_ptr<const AddressRules> rules;
    std::string ca_file;  // empty: the system's
};

/// The head of an answer: what of it anybody here acts on.
struct Head {
    unsigned status = 0;
    std::optional<std::uint64_t> content_length;  // of the body that follows
    std::string content_type;
    std::string content_encoding;
    std::string content_range;
    std::string etag;
    std::string last_modified;
    std::string location;
    std::string retry_after;
    bool is_radio = false;  // an ICY stream: internet radio, without an end
};

/// A step of a body.
struct Piece {
    enum class Kind {
        bytes,    // `bytes`, kept alive by `owner`
        tick,     // nothing yet, about once a second: time to see whether to go on
        restart,  // what came so far is void; the body begins anew (downloads only)
        end,
    };
    Kind kind = Kind::end;
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;
};

}  // namespace kinodex::fetch
