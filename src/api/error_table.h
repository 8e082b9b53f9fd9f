// The only place that knows HTTP statuses and client prose for errors: one row per condition.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/types.h"

namespace kinodex::api {

struct ErrorRow {
    std::string_view code;     // on the wire
    unsigned status;           // HTTP
    std::string_view message;  // {name} stands for the error's value of that name
    bool retry_helps;          // may the identical request succeed later?
};

/// A `switch` without default: a condition without a row does not compile.
ErrorRow row_of(base::Errc code);

/// Whether its answer says in Retry-After when to try again.
bool says_when_to_retry(const ErrorRow& row);

/// Every condition that the bytes of an upload can be refused for.
std::vector<base::Errc> media_errors();

/// The sentence for the client.
std::string message_of(const base::Error& error);

/// The whole answer: status, flat body {code, message, docs_url}, Retry-After where that helps.
/// Server errors are logged with their detail under the id that the client got too.
http::Response render_error(const base::Error& error, std::string_view request_id);

}  // namespace kinodex::api
