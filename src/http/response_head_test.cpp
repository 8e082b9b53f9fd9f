#include "http/response_head.h"

#include <gtest/gtest.h>

namespace kinodex::http {
namespace {

TEST(ResponseHead, is_formatted_whole) {
    Response response;
    response.status = 201;
    response.headers = {{"Location", "/a"}};
    HeadParts parts{"id", "now", "Server: x\r\n", 5, ConnectionHeader::close};
    EXPECT_EQ(response_head(response, parts),
              "HTTP/1.1 201 Created\r\nLocation: /a\r\nContent-Length: 5\r\nX-Request-Id: id\r\n"
              "Date: now\r\nConnection: close\r\nServer: x\r\n\r\n");
}

TEST(ResponseHead, has_no_length_where_there_is_never_a_body) {
    for (const unsigned status : {204U, 304U}) {
        Response response;
        response.status = status;
        EXPECT_EQ(response_head(response, {}).find("Content-Length"), std::string::npos) << status;
    }
}

TEST(ResponseHead, lets_no_value_start_another_header) {
    Response response;
    response.headers = {{"Content-Disposition", "a\r\nSet-Cookie: b\x7f"}};
    const auto head = response_head(response, {});
    EXPECT_NE(head.find("Content-Disposition: a  Set-Cookie: b \r\n"), std::string::npos) << head;
}

TEST(HttpDate, is_as_the_standard_writes_it) {
    EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(http_date(1709251199), "Thu, 29 Feb 2024 23:59:59 GMT");
}

}  // namespace
}  // namespace kinodex::http
