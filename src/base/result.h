// Result<T>: the value or an Error, and the macros that pass an Error on.
#pragma once

#include <expected>

#include "base/error.h"

namespace kinodex::base {

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

/// An Error ready to be returned from a function whose result is a Result.
[[nodiscard]] inline std::unexpected<Error> fail(
    Errc code, std::vector<ErrorValue> values = {}, std::string detail = {},
    std::source_location where = std::source_location::current()) {
    return std::unexpected(Error{code, std::move(values), std::move(detail), where});
}

}  // namespace kinodex::base

#define KN_CONCAT_INNER(a, b) a##b
#define KN_CONCAT(a, b) KN_CONCAT_INNER(a, b)
#define KN_TRY_IMPL(ret, temp, var, ...)              \
    auto temp = (__VA_ARGS__);                        \
    if (!temp) {                                      \
        ret std::unexpected(std::move(temp).error()); \
    }                                                 \
    auto var = std::move(*temp)
#define KN_CHECKED_IMPL(ret, temp, ...)               \
    if (auto temp = (__VA_ARGS__); !temp) {           \
        ret std::unexpected(std::move(temp).error()); \
    }

/// KN_TRY(name, expression): binds `name` to the value, or returns the error onward.
#define KN_TRY(var, ...) KN_TRY_IMPL(return, KN_CONCAT(kn_result_, __LINE__), var, __VA_ARGS__)
#define KN_CO_TRY(var, ...) \
    KN_TRY_IMPL(co_return, KN_CONCAT(kn_result_, __LINE__), var, __VA_ARGS__)
/// KN_PASS(expression): the same for results without a value.
#define KN_PASS(...) KN_CHECKED_IMPL(return, KN_CONCAT(kn_result_, __LINE__), __VA_ARGS__)
#define KN_CO_PASS(...) KN_CHECKED_IMPL(co_return, KN_CONCAT(kn_result_, __LINE__), __VA_ARGS__)
