#include "http/router.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "base/check.h"
#include "http/query.h"

namespace kinodex::http {

namespace {

constexpr std::size_t kMethods = static_cast<std::size_t>(Method::other) + 1;

std::size_t slot(Method method) {
    return static_cast<std::size_t>(method);
}

/// The decoded segments of a path that starts with '/'; nullopt when it cannot match anything.
std::optional<std::vector<std::string>> split_path(std::string_view raw) {
    if (raw.empty() || raw[0] != '/') {
        return std::nullopt;
    }
    std::vector<std::string> segments;
    segments.reserve(8);
    while (true) {
        raw.remove_prefix(1);
        const auto end = raw.find('/');
        const auto piece = raw.substr(0, end);
        if (segments.size() == kPathSegmentsMax) {
            return std::nullopt;
        }
        if (piece.find('%') == std::string_view::npos) {
            segments.emplace_back(piece);
        } else if (auto decoded = percent_decode(piece)) {
            segments.push_back(std::move(*decoded));
        } else {
            return std::nullopt;
        }
        if (end == std::string_view::npos) {
            return segments;
        }
        raw.remove_prefix(end);
    }
}

bool is_placeholder(std::string_view segment) {
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

}  // namespace

/// A place in the tree of segments; the routes are those that end here.
struct Router::Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> fixed;
    std::unique_ptr<Node> placeholder;
    std::array<const Route*, kMethods> routes{};

    const Route* route_for(Method method) const {
        const auto* found = routes[slot(method)];
        if (found == nullptr && method == Method::head) {
            found = routes[slot(Method::get)];
        }
        return found;
    }

    /// As an Allow header names them; empty when no route ends here.
    std::string methods() const {
        std::string names;
        for (std::size_t i = 0; i < kMethods; ++i) {
            const auto method = static_cast<Method>(i);
            if (route_for(method) != nullptr) {
                names += names.empty() ? "" : ", ";
                names += method_name(method);
            }
        }
        return names;
    }

    bool has_routes() const {
        return std::ranges::any_of(routes, [](const Route* route) { return route != nullptr; });
    }

    /// Where the path leads, whatever the method; null when nowhere. Depth is bounded by
    /// kPathSegmentsMax, width by two branches a segment.
    const Node* find(const std::vector<std::string>& segments, std::size_t depth,
                     std::vector<std::string>& path_values) const {
        if (depth == segments.size()) {
            return has_routes() ? this : nullptr;
        }
        const auto& segment = segments[depth];
        if (const auto next = fixed.find(segment); next != fixed.end()) {
            if (const auto* found = next->second->find(segments, depth + 1, path_values)) {
                return found;
            }
        }
        if (placeholder == nullptr || segment.empty()) {
            return nullptr;
        }
        path_values.push_back(segment);
        const auto* found = placeholder->find(segments, depth + 1, path_values);
        if (found == nullptr) {
            path_values.pop_back();
        }
        return found;
    }
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::add(Route route) {
    KN_CHECK(route.pattern.starts_with('/'), "a route's pattern starts with '/'");
    KN_CHECK(route.handler != nullptr, "a route has a handler");
    const auto segments = split_path(route.pattern);
    KN_CHECK(segments.has_value(), "a route's pattern is well formed");
    Node* node = root_.get();
    for (const auto& segment : *segments) {
        auto& next = is_placeholder(segment) ? node->placeholder : node->fixed[segment];
        if (next == nullptr) {
            next = std::make_unique<Node>();
        }
        node = next.get();
    }
    KN_CHECK(node->routes[slot(route.method)] == nullptr, "no two routes are the same");
    routes_.push_back(std::make_unique<Route>(std::move(route)));
    node->routes[slot(routes_.back()->method)] = routes_.back().get();
}

Router::Match Router::find(Method method, std::string_view raw_path) const {
    Match match;
    const auto segments = split_path(raw_path);
    const auto* node = segments ? root_->find(*segments, 0, match.path_values) : nullptr;
    if (node == nullptr) {
        return match;
    }
    match.path_known = true;
    match.route = node->route_for(method);
    if (match.route == nullptr) {
        match.allow = node->methods();
    }
    return match;
}

std::vector<const Route*> Router::routes() const {
    std::vector<const Route*> all;
    all.reserve(routes_.size());
    for (const auto& route : routes_) {
        all.push_back(route.get());
    }
    return all;
}

std::string_view method_name(Method method) {
    switch (method) {
        case Method::get:
            return "GET";
        case Method::head:
            return "HEAD";
        case Method::post:
            return "POST";
        case Method::put:
            return "PUT";
        case Method::patch:
            return "PATCH";
        case Method::delete_:
            return "DELETE";
        case Method::options:
            return "OPTIONS";
        case Method::other:
            return "";
    }
    return "";
}

}  // namespace kinodex::http
