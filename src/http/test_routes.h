// For tests: answers, bodies and handlers of the test server's routes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "http/multipart_reader.h"
#include "http/types.h"

namespace kinodex::http::testing {

inline Response text_response(std::string text, unsigned status = 200) {
    Response response;
    response.status = status;
    response.headers.emplace_back("Content-Type", "text/plain");
    response.body = std::move(text);
    return response;
}

inline unsigned status_of(base::Errc code) {
    switch (code) {
        case base::Errc::endpoint_not_exists:
            return 404;
        case base::Errc::method_not_allowed:
            return 405;
        case base::Errc::request_timed_out:
            return 408;
        case base::Errc::body_too_large:
            return 413;
        case base::Errc::uri_too_long:
            return 414;
        case base::Errc::header_too_large:
            return 431;
        case base::Errc::overloaded:
            return 503;
        case base::Errc::internal:
            return 500;
        default:
            return 400;
    }
}

inline Response render(const base::Error& error, std::string_view = {}) {
    return text_response("error", status_of(error.code));
}

/// A body whose byte at offset n is n mod 251, so that a shift by any power of two is seen.
class Pattern final : public BodySource {
  public:
    Asked<void> read(std::uint64_t offset, std::span<std::byte> into) override {
        for (std::size_t i = 0; i < into.size(); ++i) {
            into[i] = static_cast<std::byte>((offset + i) % 251);
        }
        co_return base::Status{};
    }
};

inline Task<Response> echo(Request& request) {
    co_return text_response(request.body);
}

inline Task<Response> count_bytes(Request& request) {
    std::vector<std::byte> buffer(64 * 1024);
    std::uint64_t total = 0;
    while (true) {
        auto count = co_await request.body_reader->read(buffer);
        if (!count) {
            co_return render(count.error());
        }
        if (*count == 0) {
            co_return text_response(std::to_string(total));
        }
        total += *count;
    }
}

inline Task<Response> list_parts(Request& request) {
    auto boundary = multipart_boundary(request.content_type);
    if (!boundary) {
        co_return render(boundary.error());
    }
    MultipartReader parts(*boundary, *request.body_reader, 16 * 1024);
    std::string seen;
    while (true) {
        auto head = co_await parts.next_part();
        if (!head) {
            co_return render(head.error());
        }
        if (!*head) {
            co_return text_response(seen);
        }
        auto text = co_await parts.read_text(1024 * 1024);
        if (!text) {
            co_return render(text.error());
        }
        seen += (*head)->name + "=" + std::to_string(text->size()) + ";";
    }
}

/// Fails at the second piece, as a disk may.
class BrokenSource final : public BodySource {
  public:
    Asked<void> read(std::uint64_t offset, std::span<std::byte> into) override {
        std::ranges::fill(into, std::byte{'x'});
        co_return offset == 0 ? base::Status{}
                              : base::fail(base::Errc::internal, {}, "the disk is broken");
    }
};

}  // namespace kinodex::http::testing
