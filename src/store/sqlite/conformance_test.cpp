// The conformance suite on SQLite, in a directory of its own for each test.
#include "store/conformance/conformance.h"

#include "store/conformance/entities.h"
#include "store/conformance/tasks.h"
#include "store/conformance/uploads.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/temp_dir.h"

namespace kinodex::store {
namespace {

// The names that INSTANTIATE_TEST_SUITE_P looks for.
using conformance::EntityConformance;
using conformance::StoreConformance;
using conformance::TaskConformance;
using conformance::UploadConformance;

class SqliteBackend : public conformance::Backend {
  public:
    std::unique_ptr<Store> open() override {
        auto store = open_sqlite_store({directory_.path() / "kinodex.db"});
        if (!store) {
            ADD_FAILURE() << store.error().detail;
            std::abort();
        }
        return std::move(*store);
    }

  private:
    sqlite::TempDir directory_;
};

std::unique_ptr<conformance::Backend> make_sqlite_backend() {
    return std::make_unique<SqliteBackend>();
}

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance, testing::Values(&make_sqlite_backend));
INSTANTIATE_TEST_SUITE_P(Sqlite, EntityConformance, testing::Values(&make_sqlite_backend));
INSTANTIATE_TEST_SUITE_P(Sqlite, TaskConformance, testing::Values(&make_sqlite_backend));
INSTANTIATE_TEST_SUITE_P(Sqlite, UploadConformance, testing::Values(&make_sqlite_backend));

}  // namespace
}  // namespace kinodex::store
