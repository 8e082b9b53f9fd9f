#include "http/multipart_reader.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstring>
#include <functional>

namespace kinodex::http {
namespace {

constexpr std::size_t kBuffer = kMultipartViewBytesMin;

/// A body in memory that gives at most `piece` bytes at a time, and then an end or an error.
class MemoryBody final : public BodyReader {
  public:
    MemoryBody(std::string bytes, std::size_t piece, bool breaks = false)
        : bytes_(std::move(bytes)), piece_(piece), breaks_(breaks) {}
    Asked<std::size_t> read(std::span<std::byte> into) override {
        const auto count = std::min({into.size(), piece_, bytes_.size() - at_});
        if (count == 0 && breaks_) {
            co_return base::fail(base::Errc::request_timed_out);
        }
        std::memcpy(into.data(), bytes_.data() + at_, count);
        at_ += count;
        co_return count;
    }
    [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }

  private:
    std::string bytes_;
    std::size_t piece_;
    bool breaks_;
    std::size_t at_ = 0;
};

void run(const std::function<Task<void>()>& story) {
    boost::asio::io_context context;
    bool ended = false;
    boost::asio::co_spawn(context, story(), [&](const std::exception_ptr& error) {
        ended = true;
        if (error) {
            std::rethrow_exception(error);
        }
    });
    context.run();
    ASSERT_TRUE(ended);
}

std::string part(std::string_view name, std::string_view content) {
    return "--b\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"\r\n\r\n" +
           std::string(content) + "\r\n";
}

TEST(MultipartReader, gives_large_pieces_of_a_file_that_trickles_in) {
    run([]() -> Task<void> {
        const std::string file(5 * kBuffer, 'f');
        MemoryBody body(part("file", file) + "--b--\r\n\r\n", 100);
        MultipartReader parts("b", body, kBuffer);
        const auto head = co_await parts.next_part();
        EXPECT_EQ((*head)->name, "file");
        // The head is given as soon as it is there, so that a handler can refuse early.
        EXPECT_GT(body.left(), file.size() - 200);
        std::size_t total = 0;
        std::size_t pieces = 0;
        while (true) {
            const auto piece = co_await parts.read_part();
            if (piece->empty()) {
                break;
            }
            total += piece->size();
            ++pieces;
        }
        EXPECT_EQ(total, file.size());
        EXPECT_LE(pieces, 7U);
        EXPECT_TRUE((co_await parts.read_part())->empty());
        EXPECT_FALSE((co_await parts.next_part())->has_value());
        EXPECT_EQ(body.left(), 0U);
    });
}

TEST(MultipartReader, passes_over_parts_nobody_reads) {
    run([]() -> Task<void> {
        MemoryBody body(part("a", std::string(100'000, 'x')) + part("b", "2") + "--b--", 1000);
        MultipartReader parts("b", body, kBuffer);
        EXPECT_EQ((**co_await parts.next_part()).name, "a");
        EXPECT_EQ((**co_await parts.next_part()).name, "b");
        EXPECT_EQ(*co_await parts.read_text(10), "2");
        EXPECT_FALSE((co_await parts.next_part())->has_value());
    });
}

TEST(MultipartReader, bounds_text_parts) {
    run([]() -> Task<void> {
        MemoryBody body(part("a", "1234") + part("b", "12345") + "--b--", 7);
        MultipartReader parts("b", body, kBuffer);
        co_await parts.next_part();
        EXPECT_EQ(*co_await parts.read_text(4), "1234");
        co_await parts.next_part();
        const auto refused = co_await parts.read_text(4);
        EXPECT_EQ(refused.error().code, base::Errc::parameter_invalid);
        EXPECT_EQ(refused.error().value("parameter"), "b");
    });
}

TEST(MultipartReader, refuses_text_that_is_not_utf_8) {
    run([]() -> Task<void> {
        MemoryBody body(part("a", "\xff") + "--b--", 7);
        MultipartReader parts("b", body, kBuffer);
        co_await parts.next_part();
        EXPECT_EQ((co_await parts.read_text(4)).error().code, base::Errc::parameter_invalid);
    });
}

TEST(MultipartReader, passes_on_errors_of_the_body_and_the_form) {
    run([]() -> Task<void> {
        MemoryBody slow(part("a", "1234"), 7, true);
        MultipartReader of_slow("b", slow, kBuffer);
        co_await of_slow.next_part();
        EXPECT_EQ((co_await of_slow.read_part()).error().code, base::Errc::request_timed_out);

        MemoryBody cut(part("a", "1234"), 7);
        MultipartReader of_cut("b", cut, kBuffer);
        co_await of_cut.next_part();
        EXPECT_EQ((co_await of_cut.next_part()).error().code, base::Errc::invalid_multipart);

        MemoryBody endless("--b--" + std::string(2 * kEpilogueBytesMax, 'e'), 1000);
        MultipartReader of_endless("b", endless, kBuffer);
        EXPECT_EQ((co_await of_endless.next_part()).error().code, base::Errc::invalid_multipart);
    });
}

}  // namespace
}  // namespace kinodex::http
