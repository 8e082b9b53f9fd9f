#include "http/head_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>

namespace kinodex::http {

namespace {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using beast::error_code;
using View = beast::string_view;

constexpr std::size_t kRequestIdBytesMax = 64;

std::string_view plain(View text) {
    return {text.data(), text.size()};
}

Method method_of(bhttp::verb verb) {
    switch (verb) {
        case bhttp::verb::get:
            return Method::get;
        case bhttp::verb::head:
            return Method::head;
        case bhttp::verb::post:
            return Method::post;
        case bhttp::verb::put:
            return Method::put;
        case bhttp::verb::patch:
            return Method::patch;
        case bhttp::verb::delete_:
            return Method::delete_;
        case bhttp::verb::options:
            return Method::options;
        default:
            return Method::other;
    }
}

/// Ids that are safe in logs and headers as they are.
bool is_sane_id(std::string_view id) {
    return !id.empty() && id.size() <= kRequestIdBytesMax && std::ranges::all_of(id, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-' || c == '_' || c == '.';
    });
}

/// Keeps the few fields that are used and no map of all of them.
class HeadParser final : public bhttp::basic_parser<true> {
  public:
    HeadParser(Request& request, RequestHead& head) : request_(request), head_(head) {}
    [[nodiscard]] bool has_host() const { return hosts_ > 0; }
    [[nodiscard]] const std::string& refusal() const { return refusal_; }

  private:
    void on_request_impl(bhttp::verb verb, View method, View target, int version,
                         error_code&) override {
        request_.method = method_of(verb);
        request_.method_text = plain(method);
        head_.target = plain(target);
        head_.is_http_1_0 = version == 10;
    }

    void on_field_impl(bhttp::field name, View name_text, View value, error_code&) override {
        switch (name) {
            case bhttp::field::host:
                request_.host = plain(value);
                refuse_if(++hosts_ > 1, "more than one Host");
                break;
            case bhttp::field::content_type:
                request_.content_type = plain(value);
                break;
            case bhttp::field::range:
                request_.range = plain(value);
                break;
            case bhttp::field::if_range:
                request_.if_range = plain(value);
                break;
            case bhttp::field::if_none_match:
                // A list may be given as several fields; RFC 9110, section 5.3.
                request_.if_none_match += request_.if_none_match.empty() ? "" : ", ";
                request_.if_none_match += plain(value);
                break;
            case bhttp::field::expect:
                head_.expects_continue = beast::iequals(value, "100-continue");
                refuse_if(!head_.expects_continue, "an Expect other than 100-continue");
                break;
            case bhttp::field::transfer_encoding:
                refuse_if(!beast::iequals(value, "chunked"), "a Transfer-Encoding but chunked");
                break;
            case bhttp::field::unknown:
                take_unknown(name_text, value);
                break;
            default:
                break;
        }
    }

    void take_unknown(View name, View value) {
        if (beast::iequals(name, "x-api-key")) {
            request_.api_key = plain(value);
        } else if (beast::iequals(name, "x-request-id") && is_sane_id(plain(value))) {
            request_.request_id = plain(value);
        }
    }

    void refuse_if(bool wrong, const char* reason) {
        if (wrong) {
            refusal_ = reason;
        }
    }

    void on_response_impl(int, View, int, error_code&) override {}
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(View, error_code&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, View, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, View, error_code&) override { return 0; }
    void on_finish_impl(error_code&) override {}

    Request& request_;
    RequestHead& head_;
    int hosts_ = 0;
    std::string refusal_;
};

std::unexpected<base::Error> malformed(std::string reason) {
    return base::fail(base::Errc::request_malformed, {{"reason", std::move(reason)}});
}

/// Splits the target, of which proxies may send the absolute form (RFC 9112, section 3.2.2).
void split_target(Request& request, RequestHead& head) {
    std::string_view target = head.target;
    if (target.starts_with("http://") || target.starts_with("https://")) {
        const auto path = target.find('/', target.find("//") + 2);
        target = path == std::string_view::npos ? "/" : target.substr(path);
    }
    const auto mark = target.find('?');
    request.path = target.substr(0, mark);
    if (mark != std::string_view::npos) {
        head.raw_query = target.substr(mark + 1);
    }
}

}  // namespace

base::Result<std::size_t> parse_head(std::string_view bytes, const HeadLimits& limits,
                                     Request& request, RequestHead& head) {
    HeadParser parser(request, head);
    parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    parser.body_limit(boost::none);
    parser.skip(true);  // the body is read elsewhere
    error_code error;
    const auto consumed = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    if (error == bhttp::error::header_limit) {
        return base::fail(base::Errc::header_too_large);
    }
    if (error) {
        return malformed(error.message());
    }
    if (!parser.is_header_done()) {
        return malformed("an incomplete head");
    }
    if (head.target.size() > limits.target_bytes) {
        return base::fail(base::Errc::uri_too_long);
    }
    if (!parser.refusal().empty()) {
        return malformed(parser.refusal());
    }
    if (!head.is_http_1_0 && !parser.has_host()) {
        return malformed("no Host");
    }
    head.keep_alive = parser.keep_alive();
    head.expects_continue = head.expects_continue && !head.is_http_1_0;  // RFC 9110, 10.1.1
    head.chunked = parser.chunked();
    head.content_length = parser.content_length().value_or(0);
    split_target(request, head);
    return consumed;
}

}  // namespace kinodex::http
