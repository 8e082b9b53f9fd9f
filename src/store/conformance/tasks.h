// What tests of tasks stand on: tasks with their assets and indexed assets, stored.
#pragma once

#include "store/conformance/conformance.h"

namespace kinodex::store::conformance {

class TaskConformance : public StoreConformance {
  protected:
    using Texts = std::vector<std::string>;

    TaskStore& tasks() { return store().tasks(); }

    /// A task whose asset is still `processing`.
    domain::Task add_waiting(const domain::Index& index, const std::string& filename = "clip.mp4",
                             domain::AssetMethod method = domain::AssetMethod::direct);
    /// A task whose asset is ready: a video of 12.5 s.
    domain::Task add_task(const domain::Index& index, const std::string& filename = "clip.mp4");
    domain::Task found(const domain::Task& task);
    void set_indexing(const domain::Task& task, domain::IndexingStatus status);
    /// Ends the ingest of the task's asset.
    void finish(const domain::Task& task, domain::AssetStatus status);
    /// The total, then the file names on the page.
    Texts names(const domain::TaskFilter& filter, const domain::Page& page = {1, 50});

  private:
    domain::Task add(const domain::Index& index, domain::Asset asset);
};

}  // namespace kinodex::store::conformance
