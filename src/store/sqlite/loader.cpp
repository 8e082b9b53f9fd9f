#include "store/sqlite/loader.h"

#include <array>
#include <atomic>
#include <cstring>
#include <latch>
#include <unordered_map>

#include "runtime/lane.h"

namespace kinodex::store::sqlite {
namespace {

constexpr std::size_t kThreads = 2;

struct IdHash {
    std::size_t operator()(const base::IdBytes& id) const {
        std::uint64_t word = 0;
        std::memcpy(&word, id.data() + 4, sizeof word);
        return word * 0x9E3779B97F4A7C15ull;
    }
};

/// The rows that one thread read, by index.
using Parts = std::unordered_map<base::IdBytes, ListingPart, IdHash>;

struct Span {
    std::int64_t first = 0;
    std::int64_t last = -1;
};

ListingRow read_row(const Query& query) {
    const auto real = [&query](int column) {
        return query.is_null(column) ? std::numeric_limits<double>::quiet_NaN()
                                     : query.real(column);
    };
    const auto whole = [&query](int column) {
        return query.is_null(column) ? std::int64_t{-1} : query.integer(column);
    };
    ListingRow row;
    row.id = query.id_bytes(1);
    row.asset_id = query.id_bytes(2);
    row.status = query.word<domain::IndexingStatus>(3);
    row.created_ms = query.integer(4);
    row.updated_ms = query.integer(5);
    row.indexed_ms = query.is_null(6) ? ListingRow::kNoTime : query.integer(6);
    row.filename = query.text(7);
    row.duration_sec = real(8);
    row.fps = real(9);
    row.width = static_cast<std::int32_t>(whole(10));
    row.height = static_cast<std::int32_t>(whole(11));
    row.size_bytes = whole(12);
    return row;
}

base::Status read_span(const std::string& path, Span span, Parts& parts) {
    KN_TRY(db, Connection::open(path, Connection::Mode::read));
    Query query(*db,
                "SELECT index_id, id, asset_id, status, created_ms, updated_ms, indexed_ms, "
                "filename, duration_sec, fps, width, height, size_bytes, user_metadata "
                "FROM indexed_assets WHERE number BETWEEN ? AND ?");
    query.with(span.first, span.last);
    ListingPart* part = nullptr;
    base::IdBytes part_index{};
    while (true) {
        KN_TRY(more, query.step());
        if (!more) {
            return {};
        }
        const auto index_id = query.id_bytes(0);
        if (part == nullptr || index_id != part_index) {
            part = &parts[index_id];
            part_index = index_id;
        }
        const auto row = read_row(query);
        const auto tokens_before = part->tokens.size();
        KN_PASS(append_tokens(query.text(13), part->tokens));
        part->token_counts.push_back(
            static_cast<std::uint8_t>(part->tokens.size() - tokens_before));
        part->columns.append(row);
    }
}

/// Runs work(i) for i in 0..kThreads at the same time; the first failure wins.
template <class Work>
base::Status in_parallel(runtime::Lane& lane, const Work& work) {
    std::array<base::Status, kThreads> outcomes;
    std::latch running(kThreads);
    for (std::size_t i = 0; i < kThreads; ++i) {
        const bool queued = lane.post([&, i] {
            outcomes[i] = work(i);
            running.count_down();
        });
        if (!queued) {
            return base::fail(base::Errc::internal, {}, "the loading lane is full");
        }
    }
    running.wait();
    for (auto& outcome : outcomes) {
        KN_PASS(outcome);
    }
    return {};
}

struct Building {
    domain::IndexId index_id;
    domain::AccountId account_id;
    std::shared_ptr<Listing> listing = std::make_shared<Listing>();
    std::vector<ListingPart> parts;
};

base::Result<std::vector<Building>> read_indexes(Connection& db,
                                                 std::array<Parts, kThreads>& parts) {
    std::vector<Building> buildings;
    Query query(db, "SELECT id, account_id FROM indexes");
    while (true) {
        KN_TRY(more, query.step());
        if (!more) {
            return buildings;
        }
        Building building;
        building.index_id = query.id<domain::IndexId>(0);
        building.account_id = query.id<domain::AccountId>(1);
        for (auto& each : parts) {
            if (const auto found = each.find(query.id_bytes(0)); found != each.end()) {
                building.parts.push_back(std::move(found->second));
                each.erase(found);
            }
        }
        buildings.push_back(std::move(building));
    }
}

base::Result<std::array<Span, kThreads>> split_rows(Connection& db) {
    std::array<Span, kThreads> spans;
    Query query(db,
                "SELECT coalesce((SELECT min(number) FROM indexed_assets), 0), "
                "coalesce((SELECT max(number) FROM indexed_assets), -1)");
    KN_PASS(query.step());
    const auto first = query.integer(0);
    const auto last = query.integer(1);
    const auto middle = first + (last - first) / 2;
    spans[0] = {first, middle};
    spans[1] = {middle + 1, last};
    return spans;
}

}  // namespace

base::Status load_catalog(const std::string& path, Catalog& catalog) {
    KN_TRY(db, Connection::open(path, Connection::Mode::read));
    runtime::Lane lane("meta_load", kThreads, kThreads);
    KN_TRY(spans, split_rows(*db));
    std::array<Parts, kThreads> parts;
    KN_PASS(in_parallel(lane, [&](std::size_t i) { return read_span(path, spans[i], parts[i]); }));
    KN_TRY(buildings, read_indexes(*db, parts));

    std::atomic<std::size_t> next = 0;
    KN_PASS(in_parallel(lane, [&](std::size_t) -> base::Status {
        for (auto at = next++; at < buildings.size(); at = next++) {
            buildings[at].listing->fill_columns(buildings[at].parts);
        }
        return {};
    }));
    next = 0;
    KN_PASS(in_parallel(lane, [&](std::size_t) -> base::Status {
        const auto count = buildings.size() * Listing::kShards;
        for (auto at = next++; at < count; at = next++) {
            auto& building = buildings[at / Listing::kShards];
            building.listing->fill_postings(building.parts, at % Listing::kShards);
        }
        return {};
    }));
    for (auto& building : buildings) {
        catalog.put(building.index_id, building.account_id, std::move(building.listing));
    }
    return {};
}

}  // namespace kinodex::store::sqlite
