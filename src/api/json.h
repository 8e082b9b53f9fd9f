// Writing JSON answers: appends to one string, no tree in between.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/metadata_text.h"

namespace kinodex::api {

/// A number as short as it can be: 12 for 12.0.
void append_number(std::string& out, double number);

/// Writes one object; the destructor closes it.
class JsonObject {
  public:
    explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }
    ~JsonObject() { out_ += '}'; }
    JsonObject(const JsonObject&) = delete;
    JsonObject& operator=(const JsonObject&) = delete;

    /// Writes the key; the caller appends the value to the returned text.
    std::string& key(std::string_view name) {
        out_ += first_ ? "\"" : ",\"";
        first_ = false;
        out_ += name;  // our own names need no escapes
        out_ += "\":";
        return out_;
    }
    void text(std::string_view name, std::string_view value) {
        domain::append_json_text(key(name), value);
    }
    void integer(std::string_view name, std::int64_t value) {
        key(name).append(std::to_string(value));
    }
    void number(std::string_view name, double value) { append_number(key(name), value); }
    void boolean(std::string_view name, bool value) { key(name) += value ? "true" : "false"; }
    /// `json` is written as it is.
    void raw(std::string_view name, std::string_view json) { key(name) += json; }

  private:
    std::string& out_;
    bool first_ = true;
};

/// Writes [a,b,…] by calling `write(out, item)`.
template <class Items, class Write>
void append_array(std::string& out, const Items& items, Write write) {
    out += '[';
    bool first = true;
    for (const auto& item : items) {
        if (!first) {
            out += ',';
        }
        first = false;
        write(out, item);
    }
    out += ']';
}

}  // namespace kinodex::api
