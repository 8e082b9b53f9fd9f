#include "http/multipart.h"

#include <gtest/gtest.h>

#include <random>

namespace kinodex::http {
namespace {

using Event = MultipartParser::Event;

/// What a parser says about `body` when its bytes arrive in pieces that end at `cuts`: one text,
/// with the data of a part joined, so that two ways of arriving can be compared.
std::string story(std::string_view boundary, std::string_view body, std::vector<std::size_t> cuts) {
    MultipartParser parser(boundary);
    std::string told;
    std::size_t begin = 0;
    cuts.push_back(body.size());
    for (const auto end : cuts) {
        while (true) {
            const auto step = parser.next(body.substr(begin, end - begin), end == body.size());
            if (!step) {
                EXPECT_EQ(step.error().code, base::Errc::invalid_multipart);
                return told + "!";
            }
            begin += step->consumed;
            if (step->event == Event::need_more) {
                break;
            }
            if (step->event == Event::part_begin) {
                told += "[" + parser.part().name;
                told += parser.part().filename ? "@" + *parser.part().filename + ":" : ":";
            } else if (step->event == Event::part_data) {
                EXPECT_FALSE(step->data.empty());
                told += step->data;
            } else if (step->event == Event::part_end) {
                told += "]";
            } else {
                return told + ".";
            }
        }
    }
    return told + "?";
}

std::string part(std::string_view name, std::string_view content) {
    return "Content-Disposition: form-data; name=\"" + std::string(name) + "\"\r\n\r\n" +
           std::string(content) + "\r\n";
}

struct Row {
    std::string body;
    std::string story;
    const char* why;
};

const std::vector<Row>& rows() {
    static const std::string long_padding(kBoundaryPaddingMax + 1, ' ');
    static const std::vector<Row> all = {
        {"--b\r\n" + part("a", "1") + "--b--", "[a:1].", "nothing after the last boundary"},
        {"--b\r\n" + part("a", "1") + "--b--\r\n\r\n", "[a:1].", "the epilogue of undici"},
        {"\r\n--b\r\n" + part("a", "") + "--b\r\n" + part("b", "x") + "--b--\r\n", "[a:][b:x].",
         "a line end first; an empty part"},
        {"hello\r\nworld\r\n--b\r\n" + part("a", "1") + "--b--", "[a:1].", "preamble"},
        {"--b \t \r\n" + part("a", "1") + "--b--  \r\n", "[a:1].", "blanks after boundaries"},
        {"--b\r\n" + part("a", "\r\n--bb\r\n--\r\n--b-\r\n-b\r\r\n\n--b") + "--b--",
         "[a:\r\n--bb\r\n--\r\n--b-\r\n-b\r\r\n\n--b].", "content that looks like boundaries"},
        {"--b\r\n" + part("a", "\r\n--b" + long_padding + "\r\n") + "--b--",
         "[a:\r\n--b" + long_padding + "\r\n].", "too many blanks make no boundary"},
        {"--b--", ".", "no parts"},
        {"", "!", "no body"},
        {"--b", "!", "ends in the boundary"},
        {"--b\r\n", "!", "ends before the headers"},
        {"--b\r\n" + part("a", "1"), "[a:1!", "ends in the content"},
        {"--b\r\n" + part("a", "1") + "--b", "[a:1!", "ends in the last boundary"},
        {"--c\r\n" + part("a", "1") + "--c--", "!", "another boundary"},
        {"--b\r\n\r\n1\r\n--b--", "!", "no headers at all"},
        {"--b\r\nContent-Type: a/b\r\n\r\n1\r\n--b--", "!", "no disposition"},
        {"--b\nContent-Disposition: form-data; name=a\n\n1\n--b--\n", "!", "bare line feeds"},
    };
    return all;
}

TEST(MultipartParser, tells_parts_from_content) {
    for (const auto& row : rows()) {
        EXPECT_EQ(story("b", row.body, {}), row.story) << row.why;
    }
}

TEST(MultipartParser, tells_the_same_for_every_split) {
    for (const auto& row : rows()) {
        for (std::size_t cut = 0; cut < row.body.size(); ++cut) {
            ASSERT_EQ(story("b", row.body, {cut}), row.story) << row.why << " cut at " << cut;
        }
        std::vector<std::size_t> every;
        for (std::size_t cut = 0; cut < row.body.size(); ++cut) {
            every.push_back(cut);
        }
        EXPECT_EQ(story("b", row.body, every), row.story) << row.why << " byte by byte";
    }
}

TEST(MultipartParser, hands_out_views_of_the_input) {
    const std::string body = "--b\r\n" + part("a", std::string(100'000, 'x')) + "--b--";
    MultipartParser parser("b");
    const auto begin = parser.next(body, true);
    ASSERT_EQ(begin->event, Event::part_begin);
    const auto data = parser.next(std::string_view(body).substr(begin->consumed), true);
    ASSERT_EQ(data->event, Event::part_data);
    EXPECT_EQ(data->data.data(), body.data() + begin->consumed);
    EXPECT_EQ(data->data.size(), 100'000U);
}

TEST(MultipartParser, finds_a_boundary_at_every_offset_among_near_misses) {
    // The search takes steps of 64 bytes: each place in a step, and each side of its edge.
    const std::string boundary = "kinodexBoundary0";
    const std::string near_miss = "\r\n--kinodexBoundary1\r\r\r\r\r\r0\r\n--kinodexBoundar0";
    // Beyond a kilobyte, where one close look ends and the next begins, likewise.
    for (std::size_t length = 0; length < 1500; ++length) {
        std::string content;
        while (content.size() < length) {
            content += near_miss;
        }
        content.resize(length, '0');
        const auto body = "--" + boundary + "\r\n" + part("a", content) + "--" + boundary +
                          "--\r\n" + std::string(200, '\r');
        ASSERT_EQ(story(boundary, body, {}), "[a:" + content + "].") << length;
    }
}

TEST(MultipartParser, finds_boundaries_in_random_content) {
    std::mt19937 random(7);  // the seed is arbitrary; few letters make near misses common
    for (int round = 0; round < 200; ++round) {
        std::string content;
        for (int i = 0; i < 300; ++i) {
            content += "\r\n-bx"[random() % 5];
        }
        if (content.find("\r\n--bb") != std::string::npos) {
            continue;
        }
        const std::string body = "--bb\r\n" + part("a", content) + "--bb--";
        EXPECT_EQ(story("bb", body, {random() % body.size(), body.size()}), "[a:" + content + "].");
    }
}

TEST(MultipartParser, holds_its_bounds) {
    const auto with_headers = [](std::size_t bytes) {
        const std::string fixed = "Content-Disposition: form-data; name=a\r\nX: ";
        return "--b\r\n" + fixed + std::string(bytes - fixed.size() - 4, 'x') +
               "\r\n\r\n1\r\n--b--";
    };
    EXPECT_EQ(story("b", with_headers(kPartHeaderBytesMax), {}), "[a:1].");
    EXPECT_EQ(story("b", with_headers(kPartHeaderBytesMax + 1), {}), "!");
    std::string many;
    for (std::size_t i = 0; i < kPartsMax; ++i) {
        many += "--b\r\n" + part("a", "");
    }
    EXPECT_TRUE(story("b", many + "--b--", {}).ends_with("."));
    EXPECT_TRUE(story("b", many + "--b\r\n" + part("a", "") + "--b--", {}).ends_with("!"));
    const std::string rest = "\r\n--b\r\n" + part("a", "1") + "--b--";
    EXPECT_EQ(story("b", std::string(kPreambleBytesMax, 'p') + rest, {}), "[a:1].");
    EXPECT_EQ(story("b", std::string(kPreambleBytesMax + 1, 'p') + rest, {}), "!");
}

TEST(Boundary, comes_from_the_content_type) {
    const struct {
        std::string content_type;
        std::string boundary;
    } rows[] = {
        {"multipart/form-data; boundary=abc", "abc"},
        {"Multipart/Form-Data;charset=utf-8;BOUNDARY=abc", "abc"},
        {"multipart/form-data; boundary=\"a b;c\"", "a b;c"},
        {"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxk;",
         "----WebKitFormBoundary7MA4YWxk"},
        {"multipart/form-data; boundary=" + std::string(70, 'x'), std::string(70, 'x')},
    };
    for (const auto& row : rows) {
        const auto boundary = multipart_boundary(row.content_type);
        ASSERT_TRUE(boundary.has_value()) << row.content_type;
        EXPECT_EQ(*boundary, row.boundary);
    }
}

TEST(Boundary, is_refused_with_the_reason) {
    const struct {
        std::string content_type;
        base::Errc code;
    } rows[] = {
        {"", base::Errc::content_type_invalid},
        {"application/json; boundary=a", base::Errc::content_type_invalid},
        {"multipart/mixed; boundary=a", base::Errc::content_type_invalid},
        {"multipart/form-data", base::Errc::multipart_boundary_missing},
        {"multipart/form-data; boundary=", base::Errc::multipart_boundary_missing},
        {"multipart/form-data; boundary=\"\"", base::Errc::multipart_boundary_missing},
        {"multipart/form-data; boundary=" + std::string(71, 'x'), base::Errc::invalid_multipart},
        {"multipart/form-data; boundary=\"a", base::Errc::invalid_multipart},
        {"multipart/form-data; boundary=a\x01", base::Errc::invalid_multipart},
    };
    for (const auto& row : rows) {
        const auto boundary = multipart_boundary(row.content_type);
        ASSERT_FALSE(boundary.has_value()) << row.content_type;
        EXPECT_EQ(boundary.error().code, row.code) << row.content_type;
    }
    EXPECT_EQ(multipart_boundary("Application/JSON").error().value("content_type"),
              "application/json");
}

TEST(PartHead, reads_names_as_clients_write_them) {
    const struct {
        std::string disposition;
        std::string name;
        std::optional<std::string> filename;
        const char* why;
    } rows[] = {
        {"form-data; name=\"file\"; filename=\"a.mp4\"", "file", "a.mp4", "the usual"},
        {"form-data;name=file;filename=a.mp4", "file", "a.mp4", "unquoted"},
        {"Form-Data; Name=\"file\"", "file", std::nullopt, "a field"},
        {"form-data; name=\"file\"; filename=\"\"", "file", "", "an empty file input"},
        {R"(form-data; name="f"; filename="a\"b\\c.mp4")", "f", R"(a"b\c.mp4)", "escapes"},
        {R"(form-data; name="f"; filename="C:\dir\a.mp4")", "f", R"(C:\dir\a.mp4)", "Windows"},
        {"form-data; name=\"f\"; filename=\"a%22b%20.mp4\"", "f", "a\"b%20.mp4", "browsers"},
        {"form-data; name=\"f\"; filename=\"x;y=z.mp4\"", "f", "x;y=z.mp4", "separators inside"},
        {"form-data; name=\"f\"; filename=\"\xc3\xa9.mp4\"", "f", "\xc3\xa9.mp4", "UTF-8"},
        {"form-data; name=\"f\"; filename=\"\xe9.mp4\"", "f", "\xef\xbf\xbd.mp4", "Latin-1"},
        {"form-data; name=\"f\"; filename=\"a\"; filename*=UTF-8''%e2%82%ac%20r", "f",
         "\xe2\x82\xac r", "extended wins"},
    };
    for (const auto& row : rows) {
        const auto head = parse_part_head("content-disposition: " + row.disposition +
                                          "\r\nContent-Type: video/mp4");
        ASSERT_TRUE(head.has_value()) << row.why;
        EXPECT_EQ(head->name, row.name) << row.why;
        EXPECT_EQ(head->filename, row.filename) << row.why;
        EXPECT_EQ(head->content_type, "video/mp4");
    }
}

TEST(PartHead, refuses_what_cannot_be_meant) {
    const std::string good = "Content-Disposition: form-data; name=a";
    const std::string rows[] = {
        "",
        "Content-Type: a/b",
        "Content-Disposition: attachment; name=a",
        "Content-Disposition: form-data",
        "Content-Disposition: form-data; name=\"a",
        "Content-Disposition: form-data; name=\"a\"b",
        "Content-Disposition: form-data; name=a; name=b",
        "Content-Disposition: form-data; name=a; filename*=latin1''x",
        "Content-Disposition: form-data; name=a; filename*=UTF-8''%zz",
        good + "\r\n" + good,
        good + "\r\nnonsense",
        good + "\r\n: empty name",
        good + "\r\nX: a\nb",
        good + "\r\nContent-Transfer-Encoding: base64",
    };
    for (const auto& lines : rows) {
        EXPECT_FALSE(parse_part_head(lines).has_value()) << lines;
    }
    EXPECT_TRUE(parse_part_head(good + "\r\nContent-Transfer-Encoding: binary").has_value());
}

}  // namespace
}  // namespace kinodex::http
