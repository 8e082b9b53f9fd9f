// Signed media URLs: whoever holds one may fetch that media until it expires, without an API key.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/sha256.h"
#include "base/time.h"

namespace kinodex::service {

using SigningKey = std::array<std::uint8_t, 32>;

class Signer {
  public:
    Signer(SigningKey key, std::chrono::seconds ttl) : hmac_(key), ttl_(ttl) {}

    /// "expires=…&signature=…" for a scope such as "assets/<id>/hls". The expiry is rounded up to
    /// a step of a tenth of the lifetime, so that a URL stays the same for a while and caches work.
    [[nodiscard]] std::string query_for(std::string_view scope, base::Timestamp now) const;

    /// When a URL signed at `now` ends.
    [[nodiscard]] base::Timestamp expires_at(base::Timestamp now) const;

    /// Errors: media_signature_invalid when anything was changed or the time has passed.
    [[nodiscard]] base::Status verify(std::string_view scope, std::string_view expires,
                                      std::string_view given, base::Timestamp now) const;

  private:
    using Signature = std::array<char, 32>;
    [[nodiscard]] Signature signature(std::string_view scope, std::string_view expires) const;

    base::Hmac hmac_;
    std::chrono::seconds ttl_;
};

}  // namespace kinodex::service
