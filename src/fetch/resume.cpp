#include "fetch/resume.h"

#include <charconv>

namespace kinodex::fetch {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && stop == end && !text.empty() ? std::optional(value)
                                                                : std::nullopt;
}

bool is_strong(std::string_view etag) {
    return etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"');
}

}  // namespace

std::vector<std::string> resume_headers(const Head& first, std::uint64_t received) {
    const auto& validator = is_strong(first.etag) ? first.etag : first.last_modified;
    if (validator.empty() || received == 0) {
        return {};
    }
    return {"Range: bytes=" + std::to_string(received) + "-", "If-Range: " + validator};
}

std::optional<ContentRange> parse_content_range(std::string_view text) {
    constexpr std::string_view kUnit = "bytes ";
    const auto dash = text.find('-');
    const auto slash = text.find('/');
    if (!text.starts_with(kUnit) || dash == std::string_view::npos ||
        slash == std::string_view::npos || slash < dash) {
        return std::nullopt;
    }
    const auto first = number(text.substr(kUnit.size(), dash - kUnit.size()));
    const auto last = number(text.substr(dash + 1, slash - dash - 1));
    const auto size = number(text.substr(slash + 1));
    if (!first || !last || *last < *first || (!size && text.substr(slash + 1) != "*")) {
        return std::nullopt;
    }
    return ContentRange{*first, *last, size};
}

Resumption judge_resumption(const Head& first, std::uint64_t received, const Head& answer) {
    if (answer.status == 200) {
        return Resumption::begins_anew;
    }
    if (answer.status == 416) {
        return Resumption::has_to_ask;  // it is shorter now
    }
    if (answer.status != 206) {
        return Resumption::failed;
    }
    const auto range = parse_content_range(answer.content_range);
    const bool same_size =
        range && (!range->size || !first.content_length || *range->size == *first.content_length);
    const bool same_tag = answer.etag.empty() || answer.etag == first.etag;
    return range && range->first == received && same_size && same_tag ? Resumption::goes_on
                                                                      : Resumption::has_to_ask;
}

}  // namespace kinodex::fetch
