// The conformance suite: every rule of store.h as a test that any adapter must pass.
//
// An adapter's tests link the .cc files of this folder and instantiate the suite with a Backend:
//     INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance, testing::Values(&make_sqlite_backend));
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/test_await.h"
#include "store/store.h"

namespace kinodex::store::conformance {

/// One database that can be opened again and again; it dies with the backend.
class Backend {
  public:
    virtual ~Backend() = default;
    /// Opens the store; the one opened before is closed.
    virtual std::unique_ptr<Store> open() = 0;
};

using BackendFactory = std::unique_ptr<Backend> (*)();

/// Waits for one call. Every test is a story of one thread.
template <class T>
base::Result<T> wait(Asked<T> asked) {
    return runtime::await(std::move(asked));
}

/// Starts all calls at once and waits for all: they meet in one batch of an adapter that batches.
template <class T>
std::vector<base::Result<T>> wait_all(std::vector<Asked<T>> calls) {
    boost::asio::io_context io;
    std::vector<std::optional<base::Result<T>>> answers(calls.size());
    auto story = [](Asked<T> call, std::optional<base::Result<T>>& out) -> runtime::Task<void> {
        out.emplace(co_await std::move(call));
    };
    for (std::size_t i = 0; i < calls.size(); ++i) {
        boost::asio::co_spawn(io, story(std::move(calls[i]), answers[i]), boost::asio::detached);
    }
    io.run();
    std::vector<base::Result<T>> results;
    for (auto& answer : answers) {
        results.push_back(std::move(*answer));
    }
    return results;
}

/// What a call failed with; fails the test when it succeeded.
template <class T>
base::Error error_of(base::Result<T> result) {
    EXPECT_FALSE(result.has_value());
    return result ? base::Error{} : std::move(result).error();
}

class StoreConformance : public testing::TestWithParam<BackendFactory> {
  protected:
    StoreConformance() : backend_(GetParam()()), store_(backend_->open()) {}

    Store& store() { return *store_; }
    /// Closes the store and opens it anew, as a restart would.
    void reopen() {
        store_->close();
        store_.reset();
        store_ = backend_->open();
    }

    /// A processing asset of `account`, stored.
    domain::Asset add_asset(domain::AccountId account, const std::string& filename = "clip.mp4");
    /// A ready video of 12.5 s, stored.
    domain::Asset add_ready_asset(domain::AccountId account,
                                  const std::string& filename = "clip.mp4");
    domain::Index add_index(domain::AccountId account, const std::string& index_name = "films");
    domain::IndexedAsset add_indexed(const domain::Index& index, const domain::Asset& asset,
                                     domain::Metadata metadata = {});
    void set_ready(const domain::IndexedAsset& item);
    /// Subjects of all jobs of `kind`, oldest first; they are gone afterwards.
    std::vector<std::string> take_jobs(domain::JobKind kind);
    std::vector<domain::IndexedAssetId> listed(const domain::Index& index,
                                               const domain::IndexedAssetFilter& filter);

    const domain::AccountId account_ = domain::AccountId::next();
    const domain::AccountId stranger_ = domain::AccountId::next();

  private:
    std::unique_ptr<Backend> backend_;
    std::unique_ptr<Store> store_;
};

/// Any answer of the stranger's: what does not exist for them.
void expect_not_exist(const base::Error& error, const std::string& resource_id,
                      std::string_view collection_name);

}  // namespace kinodex::store::conformance
