// Pages: which part of a list was asked for, and what came back.
#pragma once

#include <cstdint>
#include <vector>

namespace kinodex::domain {

inline constexpr std::int64_t kPageLimitMax = 50;
inline constexpr std::int64_t kPageLimitDefault = 10;
/// Keeps page * limit far from overflow; a page past the end is an empty page, not an error.
inline constexpr std::int64_t kPageMax = 1'000'000'000;

struct Page {
    std::int64_t number = 1;  // from 1
    std::int64_t limit = kPageLimitDefault;
    [[nodiscard]] std::int64_t offset() const { return (number - 1) * limit; }
};

template <class T>
struct Paged {
    std::vector<T> items;
    std::int64_t total = 0;  // exact, over all pages
};

}  // namespace kinodex::domain
