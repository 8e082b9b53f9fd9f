#include "store/sqlite/listing_postings.h"

#include <algorithm>
#include <bit>

namespace kinodex::store::sqlite {
namespace {

constexpr std::size_t kCapacityMin = 16;

}  // namespace

void Postings::reserve(std::size_t tokens) {
    const auto capacity = std::bit_ceil(std::max(kCapacityMin, tokens * 4 / 3 + 1));
    if (capacity > table_.size()) {
        rehash(capacity);
    }
}

const Postings::Entry* Postings::find(const Token& token) const {
    if (table_.empty()) {
        return nullptr;
    }
    const auto mask = table_.size() - 1;
    for (auto at = token.low & mask;; at = (at + 1) & mask) {
        if (table_[at].token == token) {
            return &table_[at];
        }
        if (is_free(table_[at])) {
            return nullptr;
        }
    }
}

Postings::Entry& Postings::find_or_add(const Token& token) {
    if ((used_ + 1) * 4 > table_.size() * 3) {
        const auto live = static_cast<std::size_t>(
            std::ranges::count_if(table_, [](const Entry& entry) { return entry.count != 0; }));
        rehash(std::bit_ceil(std::max(kCapacityMin, live * 2 + 1)));
    }
    const auto mask = table_.size() - 1;
    auto at = token.low & mask;
    while (table_[at].token != token && !is_free(table_[at])) {
        at = (at + 1) & mask;
    }
    if (is_free(table_[at])) {
        table_[at].token = token;
        ++used_;
    }
    return table_[at];
}

void Postings::rehash(std::size_t capacity) {
    std::vector<Entry> old(capacity);
    old.swap(table_);
    used_ = 0;
    const auto mask = capacity - 1;
    for (const auto& entry : old) {
        if (entry.count == 0) {
            continue;
        }
        auto at = entry.token.low & mask;
        while (!is_free(table_[at])) {
            at = (at + 1) & mask;
        }
        table_[at] = entry;
        ++used_;
    }
}

std::uint32_t Postings::take_list() {
    if (free_lists_.empty()) {
        lists_.emplace_back();
        return static_cast<std::uint32_t>(lists_.size() - 1);
    }
    const auto list = free_lists_.back();
    free_lists_.pop_back();
    return list;
}

void Postings::add(const Token& token, Slot slot) {
    auto& entry = find_or_add(token);
    if (entry.count == 0) {
        entry.value = slot;
    } else if (entry.count == 1) {
        const auto list = take_list();
        lists_[list].insert(entry.value);
        lists_[list].insert(slot);
        entry.value = list;
    } else {
        lists_[entry.value].insert(slot);
    }
    ++entry.count;
}

void Postings::remove(const Token& token, Slot slot) {
    auto* entry = const_cast<Entry*>(find(token));
    if (entry == nullptr || !contains(token, slot)) {
        return;
    }
    --entry->count;
    if (entry->count == 0) {
        return;
    }
    auto& list = lists_[entry->value];
    list.erase(slot);
    if (entry->count == 1) {
        const auto number = entry->value;
        list.for_each([entry](Slot last) { entry->value = last; });
        list = SlotSet{};
        free_lists_.push_back(number);
    }
}

void Postings::rename(const std::vector<Slot>& renamed) {
    std::vector<Slot> slots;
    for (auto& entry : table_) {
        if (entry.count == 1) {
            entry.value = renamed[entry.value];
        } else if (entry.count > 1) {
            slots.clear();
            lists_[entry.value].for_each([&](Slot slot) { slots.push_back(renamed[slot]); });
            std::ranges::sort(slots);
            lists_[entry.value].assign(slots);
        }
    }
}

std::size_t Postings::count(const Token& token) const {
    const auto* entry = find(token);
    return entry == nullptr ? 0 : entry->count;
}

bool Postings::contains(const Token& token, Slot slot) const {
    const auto* entry = find(token);
    if (entry == nullptr || entry->count == 0) {
        return false;
    }
    return entry->count == 1 ? entry->value == slot : lists_[entry->value].contains(slot);
}

std::size_t Postings::bytes() const {
    std::size_t sum = table_.capacity() * sizeof(Entry);
    for (const auto& list : lists_) {
        sum += list.bytes();
    }
    return sum;
}

}  // namespace kinodex::store::sqlite
