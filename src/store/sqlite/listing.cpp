#include "store/sqlite/listing.h"

#include <algorithm>
#include <numeric>

namespace kinodex::store::sqlite {
namespace {

// Holes cost scans and memory; renumbering costs as much as a rebuild, so it waits for many.
constexpr std::size_t kHolesMin = 4'096;

struct ByCreated {
    const Columns& columns;
    bool operator()(Slot a, Slot b) const {
        return columns.created_ms[a] != columns.created_ms[b]
                   ? columns.created_ms[a] < columns.created_ms[b]
                   : columns.id[a] < columns.id[b];
    }
};

struct ByUpdated {
    const Columns& columns;
    bool operator()(Slot a, Slot b) const {
        return columns.updated_ms[a] != columns.updated_ms[b]
                   ? columns.updated_ms[a] < columns.updated_ms[b]
                   : columns.id[a] < columns.id[b];
    }
};

struct Place {
    RowKey key;
    std::uint32_t at = 0;
};

/// Positions 0.. of `keys`, in their order.
template <class KeyAt>
std::vector<Slot> sorted_positions(std::size_t count, const KeyAt& key_at) {
    std::vector<Slot> order(count);
    std::iota(order.begin(), order.end(), Slot{0});
    const auto before = [&](Slot a, Slot b) { return key_at(a) < key_at(b); };
    if (std::ranges::is_sorted(order, before)) {
        return order;
    }
    // Sorting keys together with positions touches memory in sequence.
    std::vector<Place> places(count);
    for (std::size_t i = 0; i < count; ++i) {
        places[i] = {key_at(static_cast<Slot>(i)), static_cast<std::uint32_t>(i)};
    }
    std::ranges::sort(places, {}, &Place::key);
    std::ranges::transform(places, order.begin(), &Place::at);
    return order;
}

}  // namespace

void Listing::fill_columns(std::span<const ListingPart> parts) {
    struct Source {
        const Columns* columns;
        Slot slot;
    };
    std::vector<Source> rows;
    std::size_t name_bytes = 0;
    for (const auto& part : parts) {
        for (Slot slot = 0; slot < part.columns.size(); ++slot) {
            rows.push_back({&part.columns, slot});
        }
        name_bytes += part.columns.filenames.size();
    }
    columns_.reserve(rows.size(), name_bytes);
    const auto order = sorted_positions(
        rows.size(), [&](Slot at) { return rows[at].columns->created_key(rows[at].slot); });
    slot_of_row_.resize(rows.size());
    for (const auto at : order) {
        slot_of_row_[at] = columns_.append(rows[at].columns->row(rows[at].slot));
    }
    live_ = rows.size();
    std::vector<Slot> slots(rows.size());
    std::iota(slots.begin(), slots.end(), Slot{0});
    by_created_.assign(slots);
    by_updated_.assign(
        sorted_positions(rows.size(), [&](Slot slot) { return columns_.updated_key(slot); }));
}

void Listing::fill_postings(std::span<const ListingPart> parts, std::size_t shard) {
    std::size_t row = 0;
    for (const auto& part : parts) {
        std::size_t token = 0;
        for (const auto count : part.token_counts) {
            for (std::size_t i = 0; i < count; ++i, ++token) {
                if (part.tokens[token].high % kShards == shard) {
                    postings_[shard].add(part.tokens[token], slot_of_row_[row]);
                }
            }
            ++row;
        }
    }
}

const Slot* Listing::find(const RowKey& created) const {
    const auto* slot = by_created_.first_not_before(
        [&](Slot each) { return columns_.created_key(each) < created; });
    return slot != nullptr && columns_.id[*slot] == created.id ? slot : nullptr;
}

void Listing::add(const ListingRow& row, std::span<const Token> tokens) {
    const std::lock_guard gate(gate_);
    const std::unique_lock lock(mutex_);
    const bool is_newest =
        columns_.size() == 0 || columns_.created_key(static_cast<Slot>(columns_.size() - 1)) <
                                    RowKey{row.created_ms, row.id};
    slots_in_created_order_ = slots_in_created_order_ && is_newest;
    const auto slot = columns_.append(row);
    by_created_.insert(slot, ByCreated{columns_});
    by_updated_.insert(slot, ByUpdated{columns_});
    for (const auto& token : tokens) {
        postings_of(token).add(token, slot);
    }
    ++live_;
}

void Listing::fill(const ListingRow& row) {
    const std::lock_guard gate(gate_);
    const std::unique_lock lock(mutex_);
    const auto* found = find({row.created_ms, row.id});
    if (found == nullptr) {
        return;
    }
    const auto slot = *found;
    columns_.duration_sec[slot] = row.duration_sec;
    columns_.fps[slot] = row.fps;
    columns_.width[slot] = row.width;
    columns_.height[slot] = row.height;
    columns_.size_bytes[slot] = row.size_bytes;
    move_updated(slot, row.updated_ms);
}

void Listing::remove(const RowKey& created, std::span<const Token> tokens) {
    const std::lock_guard gate(gate_);
    const std::unique_lock lock(mutex_);
    const auto* found = find(created);
    if (found == nullptr) {
        return;
    }
    const auto slot = *found;
    by_created_.erase(slot, ByCreated{columns_});
    by_updated_.erase(slot, ByUpdated{columns_});
    for (const auto& token : tokens) {
        postings_of(token).remove(token, slot);
    }
    columns_.make_hole(slot);
    --live_;
    compact_when_sparse();
}

void Listing::set_state(const RowKey& created, const State& state) {
    const std::lock_guard gate(gate_);
    const std::unique_lock lock(mutex_);
    const auto* found = find(created);
    if (found == nullptr) {
        return;
    }
    const auto slot = *found;
    columns_.set_status(slot, state.status);
    columns_.indexed_ms[slot] = state.indexed_ms;
    move_updated(slot, state.updated_ms);
}

void Listing::set_tokens(const RowKey& created, const TokenChange& change) {
    const std::lock_guard gate(gate_);
    const std::unique_lock lock(mutex_);
    const auto* found = find(created);
    if (found == nullptr) {
        return;
    }
    const auto slot = *found;
    const auto holds = [](const std::vector<Token>& tokens, const Token& token) {
        return std::ranges::find(tokens, token) != tokens.end();
    };
    for (const auto& token : change.old_tokens) {
        if (!holds(change.new_tokens, token)) {
            postings_of(token).remove(token, slot);
        }
    }
    for (const auto& token : change.new_tokens) {
        if (!holds(change.old_tokens, token)) {
            postings_of(token).add(token, slot);
        }
    }
    move_updated(slot, change.updated_ms);
}

void Listing::move_updated(Slot slot, std::int64_t updated_ms) {
    if (columns_.updated_ms[slot] == updated_ms) {
        return;
    }
    by_updated_.erase(slot, ByUpdated{columns_});
    columns_.updated_ms[slot] = updated_ms;
    by_updated_.insert(slot, ByUpdated{columns_});
}

void Listing::compact_when_sparse() {
    const auto holes = columns_.size() - live_;
    if (holes < kHolesMin || holes < live_ / 3) {
        return;
    }
    Columns packed;
    packed.reserve(live_, columns_.filenames.size());
    std::vector<Slot> renamed(columns_.size());
    by_created_.walk(false, 0, [&](Slot slot) {
        renamed[slot] = packed.append(columns_.row(slot));
        return true;
    });
    for (auto& postings : postings_) {
        postings.rename(renamed);
    }
    std::vector<Slot> updated;
    updated.reserve(live_);
    by_updated_.walk(false, 0, [&](Slot slot) {
        updated.push_back(renamed[slot]);
        return true;
    });
    by_updated_.assign(updated);
    std::ranges::sort(updated);
    by_created_.assign(updated);
    columns_ = std::move(packed);
    slots_in_created_order_ = true;
}

std::size_t Listing::size() const {
    const std::shared_lock lock(mutex_);
    return live_;
}

std::size_t Listing::bytes() const {
    const std::shared_lock lock(mutex_);
    return columns_.bytes() + by_created_.bytes() + by_updated_.bytes() + postings_[0].bytes() +
           postings_[1].bytes();
}

}  // namespace kinodex::store::sqlite
