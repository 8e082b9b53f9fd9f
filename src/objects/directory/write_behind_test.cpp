// Pieces behind a draft: in order, no more than promised, and a failure that nobody misses.
#include "objects/directory/write_behind.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <semaphore>
#include <string>

#include "runtime/test_await.h"

namespace kinodex::objects {
namespace {

using runtime::await;

WriteBehind::Piece piece_of(char c) {
    auto text = std::make_shared<std::string>(1, c);
    const auto bytes = std::as_bytes(std::span(*text));
    return {bytes, std::move(text)};
}

char first_of(std::span<const std::byte> bytes) {
    return static_cast<char>(bytes[0]);
}

TEST(WriteBehind, writes_in_order_over_many_turns) {
    runtime::Lane lane("disk", 3, 100);
    std::string written;
    auto behind = std::make_shared<WriteBehind>(lane, [&](std::span<const std::byte> bytes) {
        written += first_of(bytes);
        return base::Status{};
    });
    std::string expected;
    for (int i = 0; i < 200; ++i) {
        expected += static_cast<char>('a' + i % 26);
        ASSERT_TRUE(await(behind->add(piece_of(expected.back()))));
    }
    ASSERT_TRUE(await(behind->settle()));
    EXPECT_EQ(written, expected);
}

TEST(WriteBehind, takes_so_many_pieces_and_makes_the_next_one_wait) {
    runtime::Lane lane("disk", 1, 100);
    std::counting_semaphore<8> gate(0);
    std::size_t written = 0;
    auto behind = std::make_shared<WriteBehind>(lane, [&](std::span<const std::byte>) {
        gate.acquire();
        ++written;
        return base::Status{};
    });
    for (std::size_t i = 0; i < kPiecesBehindMax; ++i) {
        ASSERT_TRUE(await(behind->add(piece_of('a')))) << "returns although nothing is written";
    }
    boost::asio::io_context io;
    bool taken = false;
    auto story = [&]() -> runtime::Task<void> {
        taken = (co_await behind->add(piece_of('b'))).has_value();
    };
    boost::asio::co_spawn(io, story, boost::asio::detached);
    io.poll();
    EXPECT_FALSE(taken);
    gate.release();
    io.run();
    EXPECT_TRUE(taken);
    gate.release(8 - 1);
    ASSERT_TRUE(await(behind->settle()));
    EXPECT_EQ(written, kPiecesBehindMax + 1);
}

TEST(WriteBehind, failure_is_the_error_of_every_later_call) {
    runtime::Lane lane("disk", 1, 100);
    int calls = 0;
    auto behind = std::make_shared<WriteBehind>(lane, [&](std::span<const std::byte>) {
        ++calls;
        return base::Status(base::fail(base::Errc::storage_full));
    });
    ASSERT_TRUE(await(behind->add(piece_of('a'))));
    EXPECT_EQ(await(behind->settle()).error().code, base::Errc::storage_full);
    EXPECT_EQ(await(behind->add(piece_of('b'))).error().code, base::Errc::storage_full);
    EXPECT_EQ(await(behind->settle()).error().code, base::Errc::storage_full);
    EXPECT_EQ(calls, 1);
}

TEST(WriteBehind, full_lane_is_an_error_and_frees_the_piece) {
    runtime::Lane lane("disk", 1, 0);
    auto behind = std::make_shared<WriteBehind>(
        lane, [](std::span<const std::byte>) { return base::Status{}; });
    auto piece = piece_of('a');
    const std::weak_ptr<const void> owner = piece.owner;
    EXPECT_EQ(await(behind->add(std::move(piece))).error().code, base::Errc::overloaded);
    EXPECT_TRUE(owner.expired());
}

}  // namespace
}  // namespace kinodex::objects
