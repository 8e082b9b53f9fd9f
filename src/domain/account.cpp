#include "domain/account.h"

#include <array>
#include <utility>

namespace kinodex::domain {
namespace {

constexpr std::array<std::pair<std::string_view, Scope>, 3> kScopes{
    {{"read", Scope::read}, {"write", Scope::write}, {"admin", Scope::admin}}};

}  // namespace

std::optional<Scopes> Scopes::parse(std::string_view text) {
    std::int64_t bits = 0;
    while (true) {
        const auto comma = text.find(',');
        const auto word = text.substr(0, comma);
        std::int64_t bit = 0;
        for (const auto& [name, scope] : kScopes) {
            bit = name == word ? static_cast<std::int64_t>(scope) : bit;
        }
        if (bit == 0) {
            return std::nullopt;
        }
        bits |= bit;
        if (comma == std::string_view::npos) {
            return Scopes(bits);
        }
        text.remove_prefix(comma + 1);
    }
}

std::string Scopes::text() const {
    std::string text;
    for (const auto& [name, scope] : kScopes) {
        if (has(scope)) {
            text.append(text.empty() ? "" : ",").append(name);
        }
    }
    return text;
}

}  // namespace kinodex::domain
