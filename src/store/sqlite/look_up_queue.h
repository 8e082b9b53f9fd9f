// Look-ups: reads by key that take microseconds. A few threads, each with a connection, take the
// look-ups that wait, run them in one read transaction and answer them together.
//
// Outside a transaction every statement takes and drops SQLite's lock on the log and asks for the
// size of the file, and every look-up costs a wake of a thread and one of its caller: together
// more than the look-up itself. Searches have threads of their own, so nothing here waits for one.
//
// A look-up that is asked for after a write was answered sees that write: a batch is complete
// before its transaction begins, and SQLite fixes what a transaction sees when its first statement
// runs, which is later still.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/lane.h"
#include "runtime/task.h"
#include "store/sqlite/connection.h"

namespace kinodex::store::sqlite {

struct LookUpLimits {
    std::size_t waiting_max = 4'096;
    std::size_t batch_max = 32;  // bounds how long the first waits for the last, and the snapshot
};

class LookUpQueue {
  public:
    /// As many threads as connections.
    LookUpQueue(std::vector<std::unique_ptr<Connection>> connections, LookUpLimits limits);
    ~LookUpQueue();

    /// Runs `work` (Connection& → Result<T>) and resumes the caller on its own executor.
    /// Errors: overloaded when too many wait; those of the work.
    template <class T, class Work>
    runtime::Asked<T> run(Work work);

    /// Refuses new look-ups, finishes what waits and closes the connections. Safe twice.
    void stop();

  private:
    using Executor = boost::asio::any_io_executor;
    class LookUp;
    template <class T, class Work, class Handler>
    class LookUpOf;
    using Batch = std::vector<std::unique_ptr<LookUp>>;

    enum class Entry { refused, first, taken };  // first: of those that a flush will wake for

    void submit(std::unique_ptr<LookUp> look_up);
    [[nodiscard]] Entry enqueue(std::unique_ptr<LookUp>& look_up);
    void flush();
    void start_thread();
    void drain(std::unique_ptr<Connection> db);
    [[nodiscard]] Batch take_batch(std::unique_ptr<Connection>& db);
    static void run_together(Connection& db, Batch& batch);
    static void answer(Batch batch);

    const LookUpLimits limits_;
    const std::size_t width_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Connection>> free_;  // the others are with threads that drain
    std::deque<std::unique_ptr<LookUp>> waiting_;
    std::size_t working_ = 0;  // threads in the middle of a batch
    bool flush_claimed_ = false;
    bool stopping_ = false;
    runtime::Lane lane_;  // last: its threads use everything above
};

/// One look-up and who waits for it.
class LookUpQueue::LookUp {
  public:
    explicit LookUp(Executor executor) : executor_(std::move(executor)) {}
    virtual ~LookUp() = default;
    LookUp(const LookUp&) = delete;
    LookUp& operator=(const LookUp&) = delete;
    virtual void run(Connection& db) = 0;
    virtual void refuse(base::Error error) = 0;
    /// Resumes the caller; on its executor.
    virtual void answer() = 0;
    [[nodiscard]] const Executor& executor() const { return executor_; }

  private:
    Executor executor_;  // tracked: the I/O loop lives while the look-up does
};

template <class T, class Work, class Handler>
class LookUpQueue::LookUpOf final : public LookUp {
  public:
    LookUpOf(Executor executor, Work work, Handler handler)
        : LookUp(std::move(executor)), work_(std::move(work)), handler_(std::move(handler)) {}
    void run(Connection& db) override { outcome_.emplace(work_(db)); }
    void refuse(base::Error error) override { outcome_.emplace(std::unexpected(std::move(error))); }
    void answer() override { std::move(handler_)(std::move(*outcome_)); }

  private:
    Work work_;
    Handler handler_;
    std::optional<base::Result<T>> outcome_;
};

template <class T, class Work>
runtime::Asked<T> LookUpQueue::run(Work work) {
    namespace asio = boost::asio;
    auto initiate = [this](auto handler, Work job) {
        Executor executor = asio::prefer(asio::get_associated_executor(handler),
                                         asio::execution::outstanding_work.tracked);
        submit(std::make_unique<LookUpOf<T, Work, decltype(handler)>>(
            std::move(executor), std::move(job), std::move(handler)));
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, void(base::Result<T>)>(
        std::move(initiate), asio::use_awaitable, std::move(work));
}

}  // namespace kinodex::store::sqlite
