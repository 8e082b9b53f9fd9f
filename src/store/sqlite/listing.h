// The listing of one index: answers filtered, sorted, counted pages of its indexed assets from
// memory.
//
// It shows what the database has committed: the writer changes it after the commit and before the
// caller is answered. Any number of threads may list while one changes. A filter runs over the
// shortest posting list it names, or, naming no metadata, over whole columns, 64 rows a step; the
// total is what is left, and the page is found without sorting unless few rows are left.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <vector>

#include "domain/indexed_asset.h"
#include "domain/page.h"
#include "store/sqlite/listing_columns.h"
#include "store/sqlite/listing_postings.h"

namespace kinodex::store::sqlite {

/// Rows read from the store at start: columns in any order, and each row's tokens.
struct ListingPart {
    Columns columns;
    std::vector<Token> tokens;
    std::vector<std::uint8_t> token_counts;  // for each row; metadata keys are at most 100
};

class Listing {
  public:
    /// Postings are split by token so that two threads can build them.
    static constexpr std::size_t kShards = 2;

    // --- building, before anyone else sees the listing -----------------------------------------
    /// Takes the rows of `parts`. Then fill_postings may run for all shards at once.
    void fill_columns(std::span<const ListingPart> parts);
    void fill_postings(std::span<const ListingPart> parts, std::size_t shard);

    // --- changes -------------------------------------------------------------------------------
    void add(const ListingRow& row, std::span<const Token> tokens);
    /// The system metadata of a row that is there, and its time of change.
    void fill(const ListingRow& row);
    void remove(const RowKey& created, std::span<const Token> tokens);
    struct State {
        domain::IndexingStatus status;
        std::int64_t updated_ms;
        std::int64_t indexed_ms;
    };
    void set_state(const RowKey& created, const State& state);
    struct TokenChange {
        std::vector<Token> old_tokens;
        std::vector<Token> new_tokens;
        std::int64_t updated_ms;
    };
    void set_tokens(const RowKey& created, const TokenChange& change);

    // --- reading -------------------------------------------------------------------------------
    /// Exact total; items lack account, index and user metadata. Ties of the sort go by id.
    [[nodiscard]] domain::Paged<domain::IndexedAsset> list(const domain::IndexedAssetFilter& filter,
                                                           const domain::Page& page) const;
    /// The same for what takes microseconds and waits for nothing, so that an I/O thread may ask:
    /// no filter, a page near the front, and nobody changing the listing now. Else nullopt.
    static constexpr std::int64_t kPromptOffsetMax = 100'000;
    [[nodiscard]] std::optional<domain::Paged<domain::IndexedAsset>> list_promptly(
        const domain::IndexedAssetFilter& filter, const domain::Page& page) const;
    [[nodiscard]] std::size_t size() const;
    /// Memory held, the text of file names not counted.
    [[nodiscard]] std::size_t bytes() const;

  private:
    struct Matches;
    struct Cut;
    [[nodiscard]] const Slot* find(const RowKey& created) const;
    void move_updated(Slot slot, std::int64_t updated_ms);
    void compact_when_sparse();
    Postings& postings_of(const Token& token) { return postings_[token.high % kShards]; }
    [[nodiscard]] const Postings& postings_of(const Token& token) const {
        return postings_[token.high % kShards];
    }
    [[nodiscard]] domain::Paged<domain::IndexedAsset> list_locked(
        const domain::IndexedAssetFilter& filter, const domain::Page& page) const;
    [[nodiscard]] bool selects_all(const domain::IndexedAssetFilter& filter) const;
    [[nodiscard]] Matches match(const domain::IndexedAssetFilter& filter) const;
    [[nodiscard]] Bits match_columns(const domain::IndexedAssetFilter& filter) const;
    [[nodiscard]] std::vector<Slot> match_metadata(const domain::IndexedAssetFilter& filter) const;
    [[nodiscard]] std::vector<Slot> page_of(Matches& matches,
                                            const domain::IndexedAssetFilter& filter,
                                            const domain::Page& page) const;
    void keep_columns(std::vector<Slot>& slots, const domain::IndexedAssetFilter& filter) const;
    template <class Passes>
    [[nodiscard]] std::vector<Slot> walk(const Cut& cut, const Passes& passes) const;
    [[nodiscard]] std::vector<Slot> sort(const Cut& cut, std::vector<Slot>& found) const;

    /// Readers pass the gate before they share the lock, so a writer is never starved.
    mutable std::mutex gate_;
    mutable std::shared_mutex mutex_;
    Columns columns_;
    SlotOrder by_created_;
    SlotOrder by_updated_;
    std::size_t live_ = 0;
    bool slots_in_created_order_ = true;
    std::array<Postings, kShards> postings_;
    std::vector<Slot> slot_of_row_;  // while building only
};

}  // namespace kinodex::store::sqlite
