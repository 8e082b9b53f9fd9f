// Group commit: one thread takes every write that waits, runs each within its own savepoint in one
// transaction, commits once, publishes to the listing, then answers all of them.
//
// A request that fails rolls back alone. When the commit fails, or SQLite gave up the whole
// transaction (full disk), everybody in the batch gets that error and nothing changed.
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "runtime/lane.h"
#include "runtime/task.h"
#include "store/sqlite/catalog.h"
#include "store/sqlite/connection.h"

namespace kinodex::store::sqlite {

/// What a write works with: the connection, inside the open transaction, and the changes of the
/// listing that become visible when the transaction is committed.
struct WriteTurn {
    Connection& db;
    std::vector<CatalogChange> changes;
};

struct WriteLimits {
    std::size_t waiting_max = 4'096;
    std::size_t batch_max = 256;
};

class WriteQueue {
  public:
    WriteQueue(std::unique_ptr<Connection> connection, Catalog& catalog, WriteLimits limits);
    ~WriteQueue();

    /// Runs `work` (WriteTurn& → Result<T>) and resumes the caller when the outcome is durable.
    /// Errors: overloaded when too many wait; storage_full; those of the work.
    template <class T, class Work>
    runtime::Asked<T> run(Work work);

    /// Runs `step` among the other writes again and again until it answers false, fails, or the
    /// queue stops. For upkeep that must not hold up the writes of others.
    void repeat(std::function<base::Result<bool>(WriteTurn&)> step);

    /// Finishes what waits and closes the connection. Safe twice.
    void stop();

  private:
    struct Request {
        std::move_only_function<base::Status(WriteTurn&)> work;
        std::move_only_function<void(base::Status)> answer;
    };

    [[nodiscard]] bool submit(Request& request);
    void drain();
    std::vector<Request> take_batch();
    void commit_batch(std::vector<Request>& batch);
    base::Status run_all(std::vector<Request>& batch, std::vector<base::Status>& outcomes,
                         std::vector<CatalogChange>& changes);
    base::Status run_one(Request& request, std::vector<CatalogChange>& changes,
                         base::Status& outcome);
    void checkpoint_when_due(bool idle);

    std::unique_ptr<Connection> connection_;
    Catalog& catalog_;
    const WriteLimits limits_;
    int wal_pages_ = 0;  // in the log since the last complete checkpoint

    std::mutex mutex_;
    std::deque<Request> waiting_;
    bool draining_ = false;
    bool stopping_ = false;
    runtime::Lane lane_;  // last: its thread uses everything above
};

template <class T, class Work>
runtime::Asked<T> WriteQueue::run(Work work) {
    namespace asio = boost::asio;
    // Shared because the awaiting frame may be cancelled while the write goes on.
    auto slot = std::make_shared<std::optional<base::Result<T>>>();
    auto initiate = [this, slot](auto handler, Work job) {
        auto resume = runtime::resumption_of(std::move(handler));
        Request request;
        request.work = [slot, job = std::move(job)](WriteTurn& turn) mutable -> base::Status {
            slot->emplace(job(turn));
            return **slot ? base::Status{} : std::unexpected((*slot)->error());
        };
        request.answer = [slot, resume](base::Status outcome) {
            if (!outcome) {
                slot->emplace(std::unexpected(std::move(outcome).error()));
            }
            resume();
        };
        if (!submit(request)) {
            request.answer(base::fail(base::Errc::overloaded, {{"queue", lane_.name()}}));
        }
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
        std::move(initiate), asio::use_awaitable, std::move(work));
    co_return std::move(**slot);
}

}  // namespace kinodex::store::sqlite
