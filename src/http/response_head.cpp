#include "http/response_head.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>

namespace kinodex::http {

namespace {

void append_header(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    const auto start = out.size();
    out += value;
    for (std::size_t i = start; i < out.size(); ++i) {
        const auto byte = static_cast<unsigned char>(out[i]);
        if (byte < 0x20 || byte == 0x7f) {
            out[i] = ' ';
        }
    }
    out += "\r\n";
}

void append_number(std::string& out, std::uint64_t number) {
    std::array<char, 20> digits{};  // as many as the largest number has
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

struct Measure {
    std::uint64_t operator()(const std::monostate&) const { return 0; }
    std::uint64_t operator()(const std::string& text) const { return text.size(); }
    std::uint64_t operator()(const SharedBytes& shared) const { return shared.length; }
    std::uint64_t operator()(const SourcedBytes& sourced) const { return sourced.length; }
};

}  // namespace

std::string response_head(const Response& response, const HeadParts& parts) {
    std::string out;
    out.reserve(512);
    out += "HTTP/1.1 ";
    append_number(out, response.status);
    out += ' ';
    out += reason_phrase(response.status);
    out += "\r\n";
    for (const auto& [name, value] : response.headers) {
        append_header(out, name, value);
    }
    if (!is_bodiless(response.status)) {
        out += "Content-Length: ";
        append_number(out, parts.content_length);
        out += "\r\n";
    }
    out += "X-Request-Id: ";
    out += parts.request_id;
    out += "\r\nDate: ";
    out += parts.date;
    out += "\r\n";
    if (parts.connection == ConnectionHeader::close) {
        out += "Connection: close\r\n";
    } else if (parts.connection == ConnectionHeader::keep_alive) {
        out += "Connection: keep-alive\r\n";
    }
    out += parts.fixed_lines;
    out += "\r\n";
    return out;
}

std::string header_lines(const std::vector<std::pair<std::string, std::string>>& headers) {
    std::string lines;
    for (const auto& [name, value] : headers) {
        append_header(lines, name, value);
    }
    return lines;
}

std::string http_date(std::int64_t seconds_since_1970) {
    constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::chrono::sys_seconds time{std::chrono::seconds{seconds_since_1970}};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};
    return fmt::format(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday{day}.c_encoding()],
        static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
        static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
        clock.seconds().count());
}

bool is_bodiless(unsigned status) {
    return status < 200 || status == 204 || status == 304;
}

std::uint64_t body_length(const Response& response) {
    return std::visit(Measure{}, response.body);
}

std::string_view reason_phrase(unsigned status) {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 416:
            return "Range Not Satisfiable";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 503:
            return "Service Unavailable";
        case 507:
            return "Insufficient Storage";
        default:
            return "Unnamed";
    }
}

}  // namespace kinodex::http
