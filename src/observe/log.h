// Logs: one line an event, fields as key=value or JSON. Never a key, a signature or a URL query.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>

namespace kinodex::observe {

enum class LogFormat { text, json };
enum class Level { debug, info, warn, error };

/// Sets up the process's one log, on standard error. Called once, first thing in main.
void open_log(LogFormat format, Level least);

struct Field {
    std::string_view name;
    std::string text;
    template <class T>
    Field(std::string_view field_name, const T& value)
        : name(field_name), text(fmt::format("{}", value)) {}
};

/// Thread-safe; a call below the level costs one comparison beside its arguments.
void log(Level level, std::string_view event, std::initializer_list<Field> fields = {});

inline void log_info(std::string_view event, std::initializer_list<Field> fields = {}) {
    log(Level::info, event, fields);
}
inline void log_warn(std::string_view event, std::initializer_list<Field> fields = {}) {
    log(Level::warn, event, fields);
}
inline void log_error(std::string_view event, std::initializer_list<Field> fields = {}) {
    log(Level::error, event, fields);
}

}  // namespace kinodex::observe
