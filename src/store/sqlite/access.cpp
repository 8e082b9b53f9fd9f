#include "store/sqlite/access.h"

namespace kinodex::store::sqlite {

void Readers::clear() {
    const std::lock_guard lock(mutex_);
    free_.clear();
}

std::unique_ptr<Connection> Readers::take() {
    const std::lock_guard lock(mutex_);
    auto connection = std::move(free_.back());
    free_.pop_back();
    return connection;
}

void Readers::give_back(std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(connection));
}

Access::Access(const SqliteOptions& options, Connections connections, Catalog& catalog)
    : readers_(std::move(connections.readers)),
      writes_(std::move(connections.writer), catalog,
              WriteLimits{options.writes_waiting_max, options.write_batch_max}),
      look_ups_(std::move(connections.look_ups),
                LookUpLimits{options.reads_waiting_max, options.look_up_batch_max}),
      reads_("meta_read", options.readers, options.reads_waiting_max) {}

Access::~Access() {
    stop();
}

void Access::stop() {
    writes_.stop();
    look_ups_.stop();
    reads_.stop();
    readers_.clear();
}

}  // namespace kinodex::store::sqlite
