#include "http/chunked.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace kinodex::http {

namespace {

std::unexpected<base::Error> malformed(std::string reason) {
    return base::fail(base::Errc::request_malformed, {{"reason", std::move(reason)}});
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

constexpr std::size_t kSizeDigitsMax = 15;  // stays below 2^60

}  // namespace

base::Result<ChunkDecoder::Decoded> ChunkDecoder::decode(std::span<char> bytes) {
    Decoded done;
    while (done.consumed < bytes.size() && state_ != State::done) {
        if (state_ != State::data) {
            KN_PASS(take_line_byte(bytes[done.consumed]));
            ++done.consumed;
            continue;
        }
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - done.consumed));
        if (done.content != done.consumed) {
            std::memmove(&bytes[done.content], &bytes[done.consumed], count);
        }
        done.content += count;
        done.consumed += count;
        left_ -= count;
        if (left_ == 0) {
            state_ = State::data_cr;
        }
    }
    return done;
}

base::Status ChunkDecoder::take_line_byte(char c) {
    switch (state_) {
        case State::size:
        case State::extension:
            return take_size_byte(c);
        case State::size_lf:
            if (c != '\n') {
                return malformed("a chunk size line without its line feed");
            }
            state_ = left_ == 0 ? State::trailer : State::data;
            line_empty_ = true;
            digits_ = line_bytes_ = 0;
            return {};
        case State::data_cr:
            state_ = State::data_lf;
            return c == '\r' ? base::Status{} : malformed("a chunk longer than its size");
        case State::data_lf:
            state_ = State::size;
            return c == '\n' ? base::Status{} : malformed("a chunk longer than its size");
        case State::trailer:
        case State::end_lf:
            return take_trailer_byte(c);
        case State::data:
        case State::done:
            break;
    }
    return {};
}

base::Status ChunkDecoder::take_size_byte(char c) {
    if (++line_bytes_ > kChunkLineBytesMax) {
        return malformed("a chunk size line too long");
    }
    const int digit = state_ == State::size ? hex_value(c) : -1;
    if (digit >= 0) {
        if (++digits_ > kSizeDigitsMax) {
            return malformed("a chunk size out of range");
        }
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        return {};
    }
    if (digits_ == 0) {
        return malformed("a chunk without a size");
    }
    if (c == '\r') {
        state_ = State::size_lf;
        return {};
    }
    const bool starts_extension = c == ';' || c == ' ' || c == '\t';
    const bool allowed = state_ == State::extension
                             ? c == '\t' || (c >= ' ' && c != '\x7f') || c < 0
                             : starts_extension;
    state_ = State::extension;
    return allowed ? base::Status{} : malformed("a malformed chunk size");
}

base::Status ChunkDecoder::take_trailer_byte(char c) {
    if (++trailer_bytes_ > kTrailerBytesMax) {
        return malformed("trailers too long");
    }
    if (state_ == State::end_lf) {
        if (c != '\n') {
            return malformed("a trailer without its line feed");
        }
        state_ = line_empty_ ? State::done : State::trailer;
        line_empty_ = true;
        return {};
    }
    if (c == '\r') {
        state_ = State::end_lf;
    } else if (c == '\n') {
        return malformed("a bare line feed in the trailers");
    } else {
        line_empty_ = false;
    }
    return {};
}

}  // namespace kinodex::http
