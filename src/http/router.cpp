#include "http/router.h"

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

    void note_methods(Match& match) const {
        for (std::size_t i = 0; i < kMethods; ++i) {
            const auto method = static_cast<Method>(i);
            if (route_for(method) == nullptr) {
                continue;
            }
            match.path_known = true;
            match.allow += match.allow.empty() ? "" : ", ";
            match.allow += method_name(method);
        }
    }

    /// Depth is bounded by kPathSegmentsMax, width by two branches a segment.
    bool descend(const std::vector<std::string>& segments, std::size_t depth, Method method,
                 Match& match) const {
        if (depth == segments.size()) {
            match.route = route_for(method);
            if (match.route == nullptr && !match.path_known) {
                note_methods(match);
            }
            return match.route != nullptr;
        }
        const auto& segment = segments[depth];
        const auto next = fixed.find(segment);
        if (next != fixed.end() && next->second->descend(segments, depth + 1, method, match)) {
            return true;
        }
        if (placeholder == nullptr || segment.empty()) {
            return false;
        }
        match.path_values.push_back(segment);
        if (placeholder->descend(segments, depth + 1, method, match)) {
            return true;
        }
        match.path_values.pop_back();
        return false;
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
    if (const auto segments = split_path(raw_path)) {
        root_->descend(*segments, 0, method, match);
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
