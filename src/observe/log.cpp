#include "observe/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "base/time.h"

namespace kinodex::observe {
namespace {

struct Log {
    LogFormat format = LogFormat::text;
    Level least = Level::info;
    std::shared_ptr<spdlog::logger> sink;
};

// The process's one log: threads of every folder write to it, and nothing reads it back.
Log& the_log() {
    static Log log = [] {
        Log fresh;
        fresh.sink = std::make_shared<spdlog::logger>(
            "kinodex", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        fresh.sink->set_pattern("%v");
        fresh.sink->set_level(spdlog::level::trace);
        fresh.sink->flush_on(spdlog::level::trace);
        return fresh;
    }();
    return log;
}

std::string_view name_of(Level level) {
    switch (level) {
        case Level::debug:
            return "debug";
        case Level::info:
            return "info";
        case Level::warn:
            return "warn";
        case Level::error:
            return "error";
    }
    return "error";
}

/// Quotes and escapes; used for JSON, and for text values that hold spaces or control bytes.
void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            out += c;
        }
    }
    out += '"';
}

std::string json_line(Level level, std::string_view event, std::initializer_list<Field> fields) {
    std::string line = "{\"time\":\"" + base::rfc3339_millis(base::now()) + "\",\"level\":\"";
    line += name_of(level);
    line += "\",\"event\":";
    append_quoted(line, event);
    for (const auto& field : fields) {
        line += ',';
        append_quoted(line, field.name);
        line += ':';
        append_quoted(line, field.text);
    }
    line += '}';
    return line;
}

std::string text_line(Level level, std::string_view event, std::initializer_list<Field> fields) {
    std::string line =
        fmt::format("{} {:<5} {}", base::rfc3339_millis(base::now()), name_of(level), event);
    for (const auto& field : fields) {
        line += ' ';
        line += field.name;
        line += '=';
        if (field.text.find_first_of(" \"\\\n\r\t=") == std::string::npos && !field.text.empty()) {
            line += field.text;
        } else {
            append_quoted(line, field.text);
        }
    }
    return line;
}

}  // namespace

void open_log(LogFormat format, Level least) {
    the_log().format = format;
    the_log().least = least;
}

void log(Level level, std::string_view event, std::initializer_list<Field> fields) {
    const Log& target = the_log();
    if (level < target.least) {
        return;
    }
    target.sink->info(target.format == LogFormat::json ? json_line(level, event, fields)
                                                       : text_line(level, event, fields));
}

}  // namespace kinodex::observe
