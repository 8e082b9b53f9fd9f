// How calls reach the database: look-ups by key through the look-up queue, longer reads on the
// reading lane with a connection each, writes through the write queue. Every part of the store
// holds a reference to the one Access.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/lane.h"
#include "store/sqlite/catalog.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/look_up_queue.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/write_queue.h"

namespace kinodex::store::sqlite {

/// A connection for each thread of the reading lane; as many as threads, so one is always free.
class Readers {
  public:
    explicit Readers(std::vector<std::unique_ptr<Connection>> free) : free_(std::move(free)) {}

    template <class Work>
    auto use(const Work& work) {
        auto connection = take();
        auto answer = work(*connection);
        give_back(std::move(connection));
        return answer;
    }
    void clear();

  private:
    std::unique_ptr<Connection> take();
    void give_back(std::unique_ptr<Connection> connection);

    std::mutex mutex_;
    std::vector<std::unique_ptr<Connection>> free_;
};

/// The connections of a store.
struct Connections {
    std::unique_ptr<Connection> writer;
    std::vector<std::unique_ptr<Connection>> readers;
    std::vector<std::unique_ptr<Connection>> look_ups;
};

class Access {
  public:
    Access(const SqliteOptions& options, Connections connections, Catalog& catalog);
    ~Access();

    /// Runs `work` (WriteTurn& → Result<T>) and answers when its outcome is durable.
    template <class T, class Work>
    runtime::Asked<T> write(Work work) {
        return writes_.run<T>(std::move(work));
    }
    /// Runs `work` (Connection& → Result<T>), which finds a row or a few by key, in a transaction
    /// with others that wait. It must not begin one of its own, nor look at anything but the
    /// database that may be newer than the transaction.
    template <class T, class Work>
    runtime::Asked<T> look_up(Work work) {
        return look_ups_.run<T>(std::move(work));
    }
    /// Runs `work` (Connection& → Result<T>) on a reading thread.
    template <class T, class Work>
    runtime::Asked<T> read(Work work) {
        auto on_connection = [this, work = std::move(work)]() -> base::Result<T> {
            return readers_.use(work);
        };
        return reads_.run<T>(std::move(on_connection));
    }
    /// Runs `work` (() → Result<T>) on a reading thread, for what memory answers.
    template <class T, class Work>
    runtime::Asked<T> read_memory(Work work) {
        return reads_.run<T>(std::move(work));
    }
    /// See WriteQueue::repeat.
    void repeat(std::function<base::Result<bool>(WriteTurn&)> step) {
        writes_.repeat(std::move(step));
    }
    /// Finishes what waits and closes every connection. Safe twice.
    void stop();

  private:
    Readers readers_;
    WriteQueue writes_;
    LookUpQueue look_ups_;
    runtime::Lane reads_;  // last: its threads use the readers
};

}  // namespace kinodex::store::sqlite
