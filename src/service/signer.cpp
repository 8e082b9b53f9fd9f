#include "service/signer.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>

namespace kinodex::service {
namespace {

constexpr std::size_t kSignatureBytes = 24;  // 192 bits of the HMAC: 32 characters without padding

std::string base64url(const std::uint8_t* bytes, std::size_t size) {
    static constexpr char kDigits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string text;
    for (std::size_t i = 0; i + 2 < size; i += 3) {
        const unsigned group = static_cast<unsigned>(bytes[i]) << 16 |
                               static_cast<unsigned>(bytes[i + 1]) << 8 | bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) {
            text += kDigits[group >> shift & 63];
        }
    }
    return text;
}

}  // namespace

std::string Signer::signature(std::string_view scope, std::string_view expires) const {
    std::string message(scope);
    message += '\n';
    message += expires;
    return base64url(hmac_.of(message).data(), kSignatureBytes);
}

std::string Signer::query_for(std::string_view scope, base::Timestamp now) const {
    const auto step = std::max<std::int64_t>(ttl_.count() / 10, 1);
    const auto earliest =
        std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count() + ttl_.count();
    const auto expires = std::to_string((earliest + step - 1) / step * step);
    return "expires=" + expires + "&signature=" + signature(scope, expires);
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
