// Finds the route for a method and a path.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/types.h"

namespace kinodex::http {

class Router {
  public:
    /// KN_CHECKs that no two routes are the same and that patterns start with '/'.
    void add(Route route);

    struct Match {
        const Route* route = nullptr;           // null when nothing fits
        std::vector<std::string> path_values;   // percent-decoded
        bool path_known = false;                // the path exists under another method
    };
    /// HEAD falls back to the GET route. A malformed percent escape matches nothing.
    [[nodiscard]] Match find(Method method, std::string_view raw_path) const;

    [[nodiscard]] std::vector<const Route*> routes() const;

  private:
    std::vector<std::unique_ptr<Route>> routes_;
    // segments of each route, parsed once
    struct Entry;
    std::vector<std::shared_ptr<const Entry>> entries_;
};

}  // namespace kinodex::http
