// Answers with bytes that have an ETag: the whole, a range of it, or none when the client has it.
#pragma once

#include <string>
#include <utility>

#include "api/error_table.h"
#include "http/range.h"
#include "http/types.h"

namespace kinodex::api {

/// `head` has the headers of the whole; `body`, a http::SharedBytes or http::SourcedBytes, is the
/// whole. The answer is 200, 206, 304, or 416 with the size but without the headers.
template <class Body>
http::Response answer_bytes(const http::Request& request, http::Response head,
                            const std::string& etag, Body body) {
    if (http::etag_listed(request.if_none_match, etag)) {
        head.status = 304;
        return head;
    }
    const auto size = body.length;
    const auto range = http::evaluate_range(request.range, size, request.if_range, etag);
    if (!range) {
        auto refusal = render_error(range.error(), request.request_id);
        refusal.headers.emplace_back("Content-Range", http::content_range_unsatisfied(size));
        return refusal;
    }
    if (*range) {
        head.status = 206;
        head.headers.emplace_back("Content-Range", http::content_range(**range, size));
        body.offset = (*range)->offset;
        body.length = (*range)->length;
    }
    head.body = std::move(body);
    return head;
}

}  // namespace kinodex::api
