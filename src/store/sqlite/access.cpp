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

Access::Access(const SqliteOptions& options, std::unique_ptr<Connection> writer,
               std::vector<std::unique_ptr<Connection>> readers, Catalog& catalog)
    : readers_(std::move(readers)),
      writes_(std::move(writer), catalog,
              WriteLimits{options.writes_waiting_max, options.write_batch_max}),
      reads_("meta_read", options.readers, options.reads_waiting_max) {}

Access::~Access() {
    stop();
}

void Access::stop() {
    writes_.stop();
    reads_.stop();
    readers_.clear();
}

}  // namespace kinodex::store::sqlite
