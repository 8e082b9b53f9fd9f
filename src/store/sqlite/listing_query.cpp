// How a listing answers a page: match, count, find the page. See listing.h.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "store/sqlite/listing.h"

namespace kinodex::store::sqlite {
namespace {

/// Inclusive bounds on the values of a column. Absent values (NaN, -1, kNoTime) fall outside.
template <class T>
struct Bounds {
    T low;
    T high;
};

Bounds<double> real_bounds(const domain::NumberRange& range) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return {range.gte.value_or(-kInfinity), range.lte.value_or(kInfinity)};
}

/// Whole numbers within the range; empty (low > high) when there are none.
template <class Int>
Bounds<Int> whole_bounds(const domain::NumberRange& range) {
    // The largest double that is below 2^31 or 2^63 and so converts without overflow.
    constexpr double kTop = sizeof(Int) == 4 ? 2147483647.0 : 9223372036854774784.0;
    const double low = std::ceil(range.gte.value_or(0));
    const double high = std::floor(range.lte.value_or(kTop));
    if (!(low <= kTop) || !(high >= 0)) {
        return {1, 0};
    }
    const auto top = high >= kTop ? std::numeric_limits<Int>::max() : static_cast<Int>(high);
    return {static_cast<Int>(std::max(low, 0.0)), top};
}

/// Calls use(column, bounds) for each column that the filter bounds.
template <class Use>
void for_each_bound(const Columns& columns, const domain::IndexedAssetFilter& filter,
                    const Use& use) {
    constexpr auto kLatest = std::numeric_limits<std::int64_t>::max();
    if (!filter.duration_sec.empty()) {
        use(columns.duration_sec, real_bounds(filter.duration_sec));
    }
    if (!filter.fps.empty()) {
        use(columns.fps, real_bounds(filter.fps));
    }
    if (!filter.width.empty()) {
        use(columns.width, whole_bounds<std::int32_t>(filter.width));
    }
    if (!filter.height.empty()) {
        use(columns.height, whole_bounds<std::int32_t>(filter.height));
    }
    if (!filter.size_bytes.empty()) {
        use(columns.size_bytes, whole_bounds<std::int64_t>(filter.size_bytes));
    }
    if (filter.created_from) {
        const auto from = filter.created_from->time_since_epoch().count();
        use(columns.created_ms, Bounds<std::int64_t>{from, kLatest});
    }
    if (filter.updated_from) {
        const auto from = filter.updated_from->time_since_epoch().count();
        use(columns.updated_ms, Bounds<std::int64_t>{from, kLatest});
    }
    if (filter.filename) {
        const auto hash = filename_hash_of(*filter.filename);
        use(columns.filename_hash, Bounds<std::uint32_t>{hash, hash});
    }
}

std::uint32_t status_mask(const domain::IndexedAssetFilter& filter) {
    if (filter.statuses.empty()) {
        return (1u << domain::kIndexingStatusCount) - 1;
    }
    std::uint32_t mask = 0;
    for (const auto status : filter.statuses) {
        mask |= 1u << static_cast<unsigned>(status);
    }
    return mask;
}

/// 64 comparisons as one word. The loops over bytes are what the compiler turns into vector code.
template <class T>
std::uint64_t word_within(const T* values, Bounds<T> bounds) {
    std::uint64_t word = 0;
    for (unsigned group = 0; group < 8; ++group) {
        std::uint8_t within[8];
        for (unsigned i = 0; i < 8; ++i) {
            const T value = values[group * 8 + i];
            within[i] = static_cast<std::uint8_t>((value >= bounds.low) & (value <= bounds.high));
        }
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, within, 8);
        // Gathers the lowest bit of each byte into the top byte.
        word |= ((bytes * 0x0102040810204080ull) >> 56) << (group * 8);
    }
    return word;
}

template <class T>
void keep_within(Bits& bits, const std::vector<T>& column, Bounds<T> bounds) {
    auto& words = bits.words();
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == 0) {
            continue;
        }
        const auto begin = i * Bits::kWordBits;
        if (begin + Bits::kWordBits <= column.size()) {
            words[i] &= word_within(column.data() + begin, bounds);
            continue;
        }
        for (auto at = begin; at < column.size(); ++at) {
            if (!(column[at] >= bounds.low && column[at] <= bounds.high)) {
                bits.clear(at);
            }
        }
    }
}

/// Keeps the slots that `passes`, without a branch for each.
template <class Passes>
void keep(std::vector<Slot>& slots, const Passes& passes) {
    std::size_t kept = 0;
    for (const auto slot : slots) {
        slots[kept] = slot;
        kept += passes(slot) ? 1 : 0;
    }
    slots.resize(kept);
}

}  // namespace

/// What a filter left: either bits, or slots ascending.
struct Listing::Matches {
    bool all = false;  // everything; the two below are empty
    bool listed = false;
    std::vector<Slot> slots;
    Bits bits;
    std::size_t total = 0;
};

/// The part of an order that a page shows.
struct Listing::Cut {
    bool backwards;
    bool is_created;
    std::size_t skip;
    std::size_t wanted;
};

domain::Paged<domain::IndexedAsset> Listing::list(const domain::IndexedAssetFilter& filter,
                                                  const domain::Page& page) const {
    {
        const std::lock_guard gate(gate_);
    }
    const std::shared_lock lock(mutex_);
    return list_locked(filter, page);
}

std::optional<domain::Paged<domain::IndexedAsset>> Listing::list_promptly(
    const domain::IndexedAssetFilter& filter, const domain::Page& page) const {
    if (!selects_all(filter) || page.offset() > kPromptOffsetMax) {
        return std::nullopt;
    }
    // A writer holds the gate from before it waits until it is done: past it, readers alone may
    // hold the lock, and they share it.
    std::unique_lock gate(gate_, std::try_to_lock);
    if (!gate) {
        return std::nullopt;
    }
    const std::shared_lock lock(mutex_, std::try_to_lock);
    gate.unlock();
    return lock ? std::optional(list_locked(filter, page)) : std::nullopt;
}

domain::Paged<domain::IndexedAsset> Listing::list_locked(const domain::IndexedAssetFilter& filter,
                                                         const domain::Page& page) const {
    domain::Paged<domain::IndexedAsset> answer;
    if (filter.matches_nothing) {
        return answer;
    }
    auto matches = match(filter);
    answer.total = static_cast<std::int64_t>(matches.total);
    if (page.offset() >= answer.total) {
        return answer;
    }
    for (const auto slot : page_of(matches, filter, page)) {
        answer.items.push_back(columns_.item(slot));
    }
    return answer;
}

bool Listing::selects_all(const domain::IndexedAssetFilter& filter) const {
    bool is_bounded = false;
    for_each_bound(columns_, filter, [&](const auto&, const auto&) { is_bounded = true; });
    return !filter.matches_nothing && filter.statuses.empty() && filter.metadata.empty() &&
           !is_bounded;
}

Listing::Matches Listing::match(const domain::IndexedAssetFilter& filter) const {
    Matches matches;
    if (selects_all(filter)) {
        matches.all = true;
        matches.total = live_;
        return matches;
    }
    if (filter.metadata.empty()) {
        matches.bits = match_columns(filter);
        matches.total = matches.bits.count();
        return matches;
    }
    matches.listed = true;
    matches.slots = match_metadata(filter);
    matches.total = matches.slots.size();
    return matches;
}

Bits Listing::match_columns(const domain::IndexedAssetFilter& filter) const {
    Bits bits(columns_.size());
    const auto mask = status_mask(filter);
    for (unsigned status = 0; status < domain::kIndexingStatusCount; ++status) {
        if ((mask >> status & 1) != 0) {
            bits.add(columns_.having_status[status]);
        }
    }
    for_each_bound(columns_, filter, [&bits](const auto& column, const auto& bounds) {
        keep_within(bits, column, bounds);
    });
    if (filter.filename) {  // so far only the hash is equal
        auto by_hash = bits;
        by_hash.for_each([&](std::size_t slot) {
            if (columns_.filename(static_cast<Slot>(slot)) != *filter.filename) {
                bits.clear(slot);
            }
        });
    }
    return bits;
}

std::vector<Slot> Listing::match_metadata(const domain::IndexedAssetFilter& filter) const {
    struct Condition {
        std::vector<Token> tokens;
        std::size_t rows = 0;
    };
    std::vector<Condition> conditions;
    for (const auto& wanted : filter.metadata) {
        Condition condition{tokens_of(wanted)};
        for (const auto& token : condition.tokens) {
            condition.rows += postings_of(token).count(token);
        }
        conditions.push_back(std::move(condition));
    }
    std::ranges::sort(conditions, {}, &Condition::rows);

    // The shortest list drives. A row has one value a key, so readings do not overlap.
    std::vector<Slot> slots;
    slots.reserve(conditions.front().rows);
    for (const auto& token : conditions.front().tokens) {
        postings_of(token).for_each(token, [&slots](Slot slot) { slots.push_back(slot); });
    }
    if (conditions.front().tokens.size() > 1) {
        std::ranges::sort(slots);
    }
    keep_columns(slots, filter);
    // A look-up of one slot costs about as much as passing thirty rows of a list.
    constexpr std::size_t kLookUpCost = 30;
    for (std::size_t i = 1; i < conditions.size() && !slots.empty(); ++i) {
        const auto& condition = conditions[i];
        if (slots.size() * kLookUpCost < condition.rows) {
            keep(slots, [&](Slot slot) {
                return std::ranges::any_of(condition.tokens, [&](const Token& token) {
                    return postings_of(token).contains(token, slot);
                });
            });
            continue;
        }
        Bits having(columns_.size());
        for (const auto& token : condition.tokens) {
            postings_of(token).for_each(token, [&having](Slot slot) { having.set(slot); });
        }
        keep(slots, [&](Slot slot) { return having.test(slot); });
    }
    return slots;
}

void Listing::keep_columns(std::vector<Slot>& slots,
                           const domain::IndexedAssetFilter& filter) const {
    const auto mask = status_mask(filter);
    if (!filter.statuses.empty()) {
        keep(slots, [&](Slot slot) { return (mask >> columns_.status[slot] & 1) != 0; });
    }
    for_each_bound(columns_, filter, [&slots](const auto& column, const auto& bounds) {
        const auto* values = column.data();
        keep(slots, [=](Slot slot) {
            return (values[slot] >= bounds.low) & (values[slot] <= bounds.high);
        });
    });
    if (filter.filename) {
        keep(slots, [&](Slot slot) { return columns_.filename(slot) == *filter.filename; });
    }
}

std::vector<Slot> Listing::page_of(Matches& matches, const domain::IndexedAssetFilter& filter,
                                   const domain::Page& page) const {
    const bool backwards = filter.order == domain::SortOrder::desc;
    const bool is_created = filter.sort_by == domain::SortBy::created_at;
    const auto skip = static_cast<std::size_t>(page.offset());
    const Cut cut{backwards, is_created, skip,
                  std::min(static_cast<std::size_t>(page.limit), matches.total - skip)};
    if (matches.all) {
        return walk(cut, [](Slot) { return std::true_type{}; });
    }
    if (is_created && slots_in_created_order_) {
        std::vector<Slot> slots;
        if (!matches.listed) {
            matches.bits.slice(backwards, skip, cut.wanted,
                               [&](std::size_t slot) { slots.push_back(static_cast<Slot>(slot)); });
        }
        for (std::size_t i = skip; matches.listed && i < skip + cut.wanted; ++i) {
            slots.push_back(matches.slots[backwards ? matches.slots.size() - 1 - i : i]);
        }
        return slots;
    }
    // Sorting what is left costs about twenty steps of a walk for each row.
    constexpr double kSortCost = 20;
    const auto total = static_cast<double>(matches.total);
    const auto walk_steps =
        static_cast<double>(skip + cut.wanted) * static_cast<double>(live_) / total;
    if (total * kSortCost < walk_steps) {
        if (!matches.listed) {
            matches.bits.for_each(
                [&](std::size_t slot) { matches.slots.push_back(static_cast<Slot>(slot)); });
        }
        return sort(cut, matches.slots);
    }
    if (matches.listed) {
        matches.bits = Bits(columns_.size());
        for (const auto slot : matches.slots) {
            matches.bits.set(slot);
        }
    }
    return walk(cut, [&bits = matches.bits](Slot slot) { return bits.test(slot); });
}

template <class Passes>
std::vector<Slot> Listing::walk(const Cut& cut, const Passes& passes) const {
    const auto& order = cut.is_created ? by_created_ : by_updated_;
    constexpr bool kPassesAll = std::is_same_v<std::invoke_result_t<Passes, Slot>, std::true_type>;
    auto skip = kPassesAll ? 0 : cut.skip;  // whole blocks are skipped when all pass
    std::vector<Slot> slots;
    slots.reserve(cut.wanted);
    order.walk(cut.backwards, kPassesAll ? cut.skip : 0, [&](Slot slot) {
        if (passes(slot)) {
            if (skip > 0) {
                --skip;
            } else {
                slots.push_back(slot);
            }
        }
        return slots.size() < cut.wanted;
    });
    return slots;
}

std::vector<Slot> Listing::sort(const Cut& cut, std::vector<Slot>& found) const {
    const auto before = [&](Slot a, Slot b) {
        const auto key_a = cut.is_created ? columns_.created_key(a) : columns_.updated_key(a);
        const auto key_b = cut.is_created ? columns_.created_key(b) : columns_.updated_key(b);
        return cut.backwards ? key_b < key_a : key_a < key_b;
    };
    const auto first = found.begin() + static_cast<std::ptrdiff_t>(cut.skip);
    const auto last = first + static_cast<std::ptrdiff_t>(cut.wanted);
    std::nth_element(found.begin(), first, found.end(), before);
    std::partial_sort(first, last, found.end(), before);
    return {first, last};
}

}  // namespace kinodex::store::sqlite
