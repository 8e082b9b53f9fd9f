#include "http/multipart.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace kinodex::http {

namespace {

constexpr auto npos = std::string_view::npos;

std::unexpected<base::Error> invalid(std::string detail,
                                     std::source_location where = std::source_location::current()) {
    return base::fail(base::Errc::invalid_multipart, {}, std::move(detail), where);
}

using Sixteen = unsigned char __attribute__((vector_size(16)));
constexpr std::size_t kStepBytes = 4 * sizeof(Sixteen);

Sixteen load(const char* from) {
    Sixteen bytes;
    std::memcpy(&bytes, from, sizeof bytes);
    return bytes;
}

/// Does one of the next kStepBytes start with `first` and have `last` at `distance` behind it?
bool has_candidate(const char* at, std::size_t distance, Sixteen first, Sixteen last) {
    Sixteen found{};
    for (std::size_t i = 0; i < kStepBytes; i += sizeof(Sixteen)) {
        const auto both = (load(at + i) == first) & (load(at + i + distance) == last);
        found |= reinterpret_cast<Sixteen>(both);
    }
    const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(found);
    return (halves[0] | halves[1]) != 0;
}

std::size_t find_slowly(std::string_view text, std::string_view wanted) {
    const void* hit = ::memmem(text.data(), text.size(), wanted.data(), wanted.size());
    return hit == nullptr ? npos
                          : static_cast<std::size_t>(static_cast<const char*>(hit) - text.data());
}

/// Every byte of an upload passes here. Two bytes that far apart hardly ever meet by chance, so
/// media costs a few vector operations a step. Where they do meet, glibc's memmem looks closely at
/// a longer piece: it stays fast on bytes that were made to annoy.
std::size_t find_in(std::string_view text, std::string_view wanted) {
    constexpr std::size_t kCloseLookBytes = 1024;
    const auto distance = wanted.size() - 1;
    const Sixteen first = Sixteen{} + static_cast<unsigned char>(wanted.front());
    const Sixteen last = Sixteen{} + static_cast<unsigned char>(wanted.back());
    std::size_t at = 0;
    while (text.size() - at >= kStepBytes + distance) {
        if (!has_candidate(text.data() + at, distance, first, last)) {
            at += kStepBytes;
            continue;
        }
        const auto piece = text.substr(at, kCloseLookBytes + distance);
        const auto found = find_slowly(piece, wanted);
        if (found != npos) {
            return at + found;
        }
        at += piece.size() - distance;
    }
    const auto found = find_slowly(text.substr(at), wanted);
    return found == npos ? npos : at + found;
}

/// Where a tail of `text` starts that could be the beginning of `wanted`; the size if none.
std::size_t possible_start(std::string_view text, std::string_view wanted) {
    const auto from = text.size() < wanted.size() ? 0 : text.size() - wanted.size() + 1;
    for (auto at = text.find(wanted[0], from); at != npos; at = text.find(wanted[0], at + 1)) {
        if (wanted.starts_with(text.substr(at))) {
            return at;
        }
    }
    return text.size();
}

}  // namespace

MultipartParser::MultipartParser(std::string_view boundary) : delimiter_("\r\n--") {
    delimiter_ += boundary;
}

base::Result<MultipartParser::Step> MultipartParser::next(std::string_view unread, bool ends) {
    std::size_t passed = 0;
    while (true) {
        auto step = advance(unread.substr(passed));
        if (!step) {
            state_ = State::failed;
            return step;
        }
        passed += step->consumed;
        if (step->event == Event::need_more && step->consumed > 0) {
            continue;
        }
        if (step->event == Event::need_more && ends) {
            state_ = State::failed;
            return invalid("the body ends before its last boundary");
        }
        step->consumed = passed;
        return step;
    }
}

base::Result<MultipartParser::Step> MultipartParser::advance(std::string_view unread) {
    switch (state_) {
        case State::preamble:
            return in_preamble(unread);
        case State::headers:
            return in_headers(unread);
        case State::data:
            return in_data(unread);
        case State::end:
            return Step{Event::finished, unread.size(), {}};
        case State::failed:
            break;
    }
    return invalid("the parser has failed before");
}

/// `boundary` bytes of delimiter were seen, then `after`.
MultipartParser::Front MultipartParser::after_boundary(std::string_view after,
                                                       std::size_t boundary) {
    constexpr Front kContent{2, Follow::none, 0};  // its CR LF; what follows is looked at anew
    if (after.starts_with("--")) {
        return {0, Follow::close, boundary + 2};
    }
    if (after.empty() || after == "-") {
        return {};
    }
    const auto blanks = after.substr(0, kBoundaryPaddingMax + 1).find_first_not_of(" \t");
    if (blanks == npos) {
        return after.size() > kBoundaryPaddingMax ? kContent : Front{};
    }
    const auto line_end = after.substr(blanks, 2);
    if (line_end == "\r") {
        return {};
    }
    return line_end == "\r\n" ? Front{0, Follow::part, boundary + blanks + 2} : kContent;
}

MultipartParser::Front MultipartParser::front_of(std::string_view unread) const {
    const auto at = find_in(unread, delimiter_);
    if (at == npos) {
        return {possible_start(unread, delimiter_), Follow::none, 0};
    }
    if (at > 0) {
        return {at, Follow::none, 0};
    }
    return after_boundary(unread.substr(delimiter_.size()), delimiter_.size());
}

MultipartParser::Step MultipartParser::pass_boundary(const Front& front) {
    state_ = front.follow == Follow::close ? State::end : State::headers;
    return {Event::need_more, front.boundary, {}};
}

base::Result<MultipartParser::Step> MultipartParser::in_preamble(std::string_view unread) {
    if (at_start_) {
        // The first boundary may open the body; anywhere else it opens a line.
        const auto bare = std::string_view(delimiter_).substr(2);
        if (unread.size() < bare.size() && bare.starts_with(unread)) {
            return Step{};
        }
        if (unread.starts_with(bare)) {
            const auto front = after_boundary(unread.substr(bare.size()), bare.size());
            if (front.boundary > 0) {
                return pass_boundary(front);
            }
            if (front.text == 0) {
                return Step{};
            }
        }
        at_start_ = false;
    }
    const auto front = front_of(unread);
    if (front.boundary > 0) {
        return pass_boundary(front);
    }
    preamble_bytes_ += front.text;
    if (preamble_bytes_ > kPreambleBytesMax) {
        return invalid("no boundary near the start of the body");
    }
    return Step{Event::need_more, front.text, {}};
}

base::Result<MultipartParser::Step> MultipartParser::in_headers(std::string_view unread) {
    constexpr std::string_view kHeadersEnd = "\r\n\r\n";
    const auto at = unread.substr(0, kPartHeaderBytesMax).find(kHeadersEnd);
    if (at == npos) {
        return unread.size() < kPartHeaderBytesMax ? base::Result<Step>(Step{})
                                                   : invalid("part headers too long");
    }
    if (++parts_ > kPartsMax) {
        return invalid("too many parts");
    }
    KN_TRY(head, parse_part_head(unread.substr(0, at)));
    part_ = std::move(head);
    state_ = State::data;
    return Step{Event::part_begin, at + kHeadersEnd.size(), {}};
}

base::Result<MultipartParser::Step> MultipartParser::in_data(std::string_view unread) {
    const auto front = front_of(unread);
    if (front.boundary > 0) {
        auto step = pass_boundary(front);
        step.event = Event::part_end;
        return step;
    }
    if (front.text == 0) {
        return Step{};
    }
    return Step{Event::part_data, front.text, unread.substr(0, front.text)};
}

}  // namespace kinodex::http
