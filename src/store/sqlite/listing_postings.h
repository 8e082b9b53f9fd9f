// Postings: for each token the slots whose metadata have it.
//
// A value that only one row has, the usual case for free numbers, costs one 24-byte entry of an
// open-addressing table; others point to a SlotSet.
#pragma once

#include <cstdint>
#include <vector>

#include "store/sqlite/listing_tokens.h"
#include "store/sqlite/slot_set.h"

namespace kinodex::store::sqlite {

class Postings {
  public:
    void reserve(std::size_t tokens);
    void add(const Token& token, Slot slot);
    void remove(const Token& token, Slot slot);
    /// Renames every slot; `renamed` is indexed by the old one.
    void rename(const std::vector<Slot>& renamed);

    [[nodiscard]] std::size_t count(const Token& token) const;
    /// Calls visit(slot) for the slots of `token`, ascending.
    template <class Visit>
    void for_each(const Token& token, const Visit& visit) const {
        const auto* entry = find(token);
        if (entry == nullptr || entry->count == 0) {
            return;
        }
        if (entry->count == 1) {
            visit(entry->value);
        } else {
            lists_[entry->value].for_each(visit);
        }
    }
    [[nodiscard]] bool contains(const Token& token, Slot slot) const;
    [[nodiscard]] std::size_t bytes() const;

  private:
    struct Entry {
        Token token;
        std::uint32_t count = 0;  // 0: nothing, or nothing any more
        std::uint32_t value = 0;  // count 1: the slot; more: number of the list
    };
    static bool is_free(const Entry& entry) { return entry.token == Token{}; }

    [[nodiscard]] const Entry* find(const Token& token) const;
    Entry& find_or_add(const Token& token);
    void rehash(std::size_t capacity);
    std::uint32_t take_list();

    std::vector<Entry> table_;  // a power of two
    std::size_t used_ = 0;
    std::vector<SlotSet> lists_;
    std::vector<std::uint32_t> free_lists_;
};

}  // namespace kinodex::store::sqlite
