#include "base/time.h"

namespace kinodex::base {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Fields {
    std::chrono::year_month_day date{};
    std::chrono::hh_mm_ss<milliseconds> clock;
};

Fields split(Timestamp time) {
    const auto day = std::chrono::floor<days>(time);
    return {std::chrono::year_month_day(day), std::chrono::hh_mm_ss<milliseconds>(time - day)};
}

/// Writes `value` as `width` digits and returns the place after them.
char* put_digits(char* at, unsigned value, int width) {
    for (int i = width - 1; i >= 0; --i) {
        at[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
    return at + width;
}

enum class Precision { seconds, milliseconds };

/// Lists of assets hold three of these an item, so no format string is read for each. Years of more
/// or fewer than four digits have no place in RFC 3339 and are cut.
std::string text_of(Timestamp time, Precision precision) {
    const auto f = split(time);
    const std::chrono::hh_mm_ss<milliseconds>& clock = f.clock;
    char text[24];
    char* at = text;
    const auto put = [&at](long value, int width, char after) {
        at = put_digits(at, static_cast<unsigned>(value), width);
        *at++ = after;
    };
    put(static_cast<int>(f.date.year()), 4, '-');
    put(static_cast<unsigned>(f.date.month()), 2, '-');
    put(static_cast<unsigned>(f.date.day()), 2, 'T');
    put(clock.hours().count(), 2, ':');
    put(clock.minutes().count(), 2, ':');
    put(clock.seconds().count(), 2, precision == Precision::seconds ? 'Z' : '.');
    if (precision == Precision::milliseconds) {
        put(clock.subseconds().count(), 3, 'Z');
    }
    return {text, at};
}

/// Reads fixed-width pieces from the front of a text; a wrong piece makes every later read fail.
class Cursor {
  public:
    explicit Cursor(std::string_view text) : rest_(text) {}
    int number(std::size_t digits) {
        int value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            if (rest_.empty() || rest_[0] < '0' || rest_[0] > '9') {
                good_ = false;
                return 0;
            }
            value = value * 10 + (rest_[0] - '0');
            rest_.remove_prefix(1);
        }
        return value;
    }
    bool skip(std::string_view any_of) {
        if (rest_.empty() || any_of.find(rest_[0]) == std::string_view::npos) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }
    void expect(std::string_view any_of) { good_ = skip(any_of) && good_; }
    [[nodiscard]] bool at_digit() const {
        return !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9';
    }
    [[nodiscard]] bool at(char c) const { return !rest_.empty() && rest_[0] == c; }
    [[nodiscard]] bool finished() const { return good_ && rest_.empty(); }
    [[nodiscard]] bool good() const { return good_; }

  private:
    std::string_view rest_;
    bool good_ = true;
};

}  // namespace

Timestamp now() {
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

std::string rfc3339_seconds(Timestamp time) {
    return text_of(time, Precision::seconds);
}

std::string rfc3339_millis(Timestamp time) {
    return text_of(time, Precision::milliseconds);
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
    Cursor in(text);
    const int year = in.number(4);
    in.expect("-");
    const int month = in.number(2);
    in.expect("-");
    const int day = in.number(2);
    in.expect("Tt ");
    const int hour = in.number(2);
    in.expect(":");
    const int minute = in.number(2);
    in.expect(":");
    const int second = in.number(2);
    int millis = 0;
    if (in.skip(".")) {
        int scale = 100;
        if (!in.at_digit()) {
            return std::nullopt;
        }
        while (in.at_digit()) {
            millis += in.number(1) * scale;
            scale /= 10;
        }
    }
    minutes offset{0};
    if (!in.skip("Zz")) {
        const int sign = in.at('-') ? -1 : 1;
        in.expect("+-");
        const int offset_hours = in.number(2);
        in.expect(":");
        const int offset_minutes = in.number(2);
        if (offset_hours > 23 || offset_minutes > 59) {
            return std::nullopt;
        }
        offset = minutes{sign * (offset_hours * 60 + offset_minutes)};
    }
    if (!in.finished() || hour > 23 || minute > 59 || second > 60) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok()) {
        return std::nullopt;
    }
    return Timestamp(std::chrono::sys_days(date)) + hours{hour} + minutes{minute} +
           seconds{second} + milliseconds{millis} - offset;
}

}  // namespace kinodex::base
