// Range, If-Range and If-None-Match headers: every answer lies within the size. The first eight
// bytes of the input are the size.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "http/range.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace kinodex::http;
    std::uint64_t length = 0;
    if (size < sizeof length) {
        return 0;
    }
    std::memcpy(&length, data, sizeof length);
    const std::string_view header(reinterpret_cast<const char*>(data) + sizeof length,
                                  size - sizeof length);
    const auto range = evaluate_range(header, length);
    if (range && *range) {
        const auto [offset, count] = **range;
        KN_CHECK(count > 0 && offset < length && count <= length - offset, "within the size");
        KN_CHECK(content_range(**range, length).starts_with("bytes "), "can be written");
    }
    const auto cut = header.size() / 2;
    KN_CHECK(evaluate_range(header, length, header.substr(cut), "\"a\"").has_value() ||
                 !range.has_value(),
             "If-Range makes no error of its own");
    etag_listed(header, "\"a\"");
    return 0;
}
