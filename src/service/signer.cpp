#include "service/signer.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>

#include "base/concat.h"

namespace kinodex::service {
namespace {

// 192 bits of the HMAC: 32 characters of base64url without padding.
constexpr std::size_t kSignatureBytes = 24;
constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

Signer::Signature Signer::signature(std::string_view scope, std::string_view expires) const {
    const auto bytes = hmac_.of({scope, "\n", expires});
    Signature text;
    auto* at = text.data();
    for (std::size_t i = 0; i < kSignatureBytes; i += 3) {
        const unsigned group = static_cast<unsigned>(bytes[i]) << 16 |
                               static_cast<unsigned>(bytes[i + 1]) << 8 | bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) {
            *at++ = kDigits[group >> shift & 63];
        }
    }
    return text;
}

base::Timestamp Signer::expires_at(base::Timestamp now) const {
    const auto step = std::max<std::int64_t>(ttl_.count() / 10, 1);
    const auto earliest =
        std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count() + ttl_.count();
    return base::Timestamp(std::chrono::seconds((earliest + step - 1) / step * step));
}

std::string Signer::query_for(std::string_view scope, base::Timestamp now) const {
    const auto expires = std::to_string(
        std::chrono::floor<std::chrono::seconds>(expires_at(now)).time_since_epoch().count());
    const auto signed_by = signature(scope, expires);
    return base::concat({"expires=", expires, "&signature=", {signed_by.data(), signed_by.size()}});
}

base::Status Signer::verify(std::string_view scope, std::string_view expires,
                            std::string_view given, base::Timestamp now) const {
    const auto expected = signature(scope, expires);
    const bool same = given.size() == expected.size() &&
                      CRYPTO_memcmp(given.data(), expected.data(), expected.size()) == 0;
    std::int64_t until = 0;
    const auto* end = expires.data() + expires.size();
    const auto parsed = std::from_chars(expires.data(), end, until);
    const bool in_time =
        parsed.ec == std::errc() && parsed.ptr == end &&
        std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count() < until;
    if (!same || !in_time) {
        return base::fail(base::Errc::media_signature_invalid);
    }
    return {};
}

}  // namespace kinodex::service
