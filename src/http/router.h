// Finds the route for a method and a path.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/types.h"

namespace kinodex::http {

/// Paths with more segments match nothing.
inline constexpr std::size_t kPathSegmentsMax = 32;

/// Not changed once a server has it; `find` may then be called by all threads at once.
class Router {
  public:
    Router();
    ~Router();
    Router(Router&&) noexcept;
    Router& operator=(Router&&) noexcept;

    /// KN_CHECKs that no two routes are the same and that patterns start with '/'.
    void add(Route route);

    struct Match {
        const Route* route = nullptr;          // null when nothing fits
        std::vector<std::string> path_values;  // percent-decoded
        bool path_known = false;               // the path exists, if only under another method
        std::string allow;  // without a route: the path's methods, as an Allow header names them
    };
    /// The path decides first, then the method: DELETE /assets/uploads is never the deletion of an
    /// asset called "uploads", also where nothing deletes uploads. Segment by segment a static one
    /// wins over a placeholder; where the rest does not fit, the placeholder is tried. A
    /// placeholder takes no empty segment. HEAD falls back to the GET route. A malformed percent
    /// escape matches nothing.
    [[nodiscard]] Match find(Method method, std::string_view raw_path) const;

    [[nodiscard]] std::vector<const Route*> routes() const;

  private:
    struct Node;
    std::vector<std::unique_ptr<Route>> routes_;
    std::unique_ptr<Node> root_;
};

/// "GET" and so on; empty for Method::other.
std::string_view method_name(Method method);

}  // namespace kinodex::http
