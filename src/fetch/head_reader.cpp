#include "fetch/head_reader.h"

#include <algorithm>
#include <charconv>

namespace kinodex::fetch {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_word(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, lower, lower);
}

bool starts_with_word(std::string_view text, std::string_view word) {
    return same_word(text.substr(0, word.size()), word);
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n";
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

unsigned status_of(std::string_view line) {
    unsigned status = 0;
    const auto space = line.find(' ');
    if (space != std::string_view::npos) {
        std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
    }
    return status;
}

}  // namespace

HeadReader::State HeadReader::add_line(std::string_view line) {
    bytes_ += line.size();
    if (bytes_ > kHeadBytesMax) {
        state_ = State::refused;
    }
    if (state_ != State::reading) {
        return state_;
    }
    line = trimmed(line);
    if (line.empty()) {
        if (head_.status < 100 || head_.status >= 200) {
            state_ = State::complete;
        }
    } else if (starts_with_word(line, "HTTP/") || starts_with_word(line, "ICY ")) {
        head_ = {};
        is_chunked_ = false;
        head_.status = status_of(line);
        head_.is_radio = !starts_with_word(line, "HTTP/");
    } else {
        add_field(line);
    }
    return state_;
}

void HeadReader::add_field(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
        return;
    }
    const auto name = line.substr(0, colon);
    const auto value = trimmed(line.substr(colon + 1));
    const std::pair<std::string_view, std::string*> texts[] = {
        {"content-type", &head_.content_type},   {"content-encoding", &head_.content_encoding},
        {"content-range", &head_.content_range}, {"etag", &head_.etag},
        {"last-modified", &head_.last_modified}, {"location", &head_.location},
        {"retry-after", &head_.retry_after}};
    for (const auto& [word, target] : texts) {
        if (same_word(name, word)) {
            *target = value;
            return;
        }
    }
    if (same_word(name, "transfer-encoding")) {
        // Of the codings only this one adds no bytes to what comes over the wire.
        if (!same_word(value, "chunked") && !same_word(value, "identity")) {
            state_ = State::refused;
        }
        is_chunked_ = true;
        head_.content_length.reset();
    } else if (same_word(name, "content-length") && !is_chunked_) {
        std::uint64_t length = 0;
        const auto* end = value.data() + value.size();
        const auto [stop, error] = std::from_chars(value.data(), end, length);
        if (error == std::errc() && stop == end) {
            head_.content_length = length;
        }
    } else if (starts_with_word(name, "icy-")) {
        head_.is_radio = true;
    }
}

}  // namespace kinodex::fetch
