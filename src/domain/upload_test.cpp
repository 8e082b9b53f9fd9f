// Chunks of an upload: how large, how many, where each lies, and when a session is over.
#include "domain/upload.h"

#include <gtest/gtest.h>

#include "domain/names.h"

namespace kinodex::domain {
namespace {

constexpr std::int64_t kMiB = 1024 * 1024;

Upload upload_of(std::int64_t total_size_bytes) {
    Upload upload;
    upload.total_size_bytes = total_size_bytes;
    upload.chunk_size_bytes = chunk_size_for(total_size_bytes);
    return upload;
}

TEST(Upload, chunks_are_5_mib_up_to_the_most_chunks_and_larger_beyond) {
    EXPECT_EQ(chunk_size_for(1), 5 * kMiB);
    EXPECT_EQ(chunk_size_for(10 * 1024 * kMiB), 5 * kMiB);
    EXPECT_EQ(upload_of(10 * 1024 * kMiB).total_chunks(), kChunksMax);
    EXPECT_EQ(chunk_size_for(10 * 1024 * kMiB + 1), 6 * kMiB);
    EXPECT_EQ(chunk_size_for(1024 * 1024 * kMiB), 512 * kMiB);
    EXPECT_EQ(upload_of(1024 * 1024 * kMiB).total_chunks(), kChunksMax);
}

TEST(Upload, chunks_cover_the_file_without_gap_or_overlap) {
    for (const std::int64_t size :
         {std::int64_t{1}, 5 * kMiB - 1, 5 * kMiB, 5 * kMiB + 1, 12'345'678'901}) {
        const auto upload = upload_of(size);
        std::int64_t at = 0;
        for (std::int64_t index = 1; index <= upload.total_chunks(); ++index) {
            ASSERT_EQ(upload.chunk_offset(index), at);
            ASSERT_GT(upload.chunk_length(index), 0);
            ASSERT_LE(upload.chunk_length(index), upload.chunk_size_bytes);
            at += upload.chunk_length(index);
        }
        EXPECT_EQ(at, size);
    }
}

TEST(Upload, chunks_are_numbered_from_1) {
    const auto upload = upload_of(11 * kMiB);
    EXPECT_FALSE(upload.has_chunk(0));
    EXPECT_TRUE(upload.has_chunk(1));
    EXPECT_TRUE(upload.has_chunk(3));
    EXPECT_FALSE(upload.has_chunk(4));
    EXPECT_FALSE(upload.has_chunk(-1));
}

TEST(Upload, active_session_is_expired_from_its_last_moment_on) {
    auto upload = upload_of(1);
    upload.expires_at = base::now();
    EXPECT_EQ(upload.status_at(upload.expires_at - std::chrono::milliseconds(1)),
              UploadStatus::active);
    EXPECT_EQ(upload.status_at(upload.expires_at), UploadStatus::expired);
    upload.status = UploadStatus::completed;
    EXPECT_EQ(upload.status_at(upload.expires_at), UploadStatus::completed);
}

TEST(Upload, its_asset_is_processing_and_waits_for_what_was_wished) {
    auto upload = upload_of(1);
    upload.asset_id = AssetId::next();
    upload.filename = "a.mp4";
    upload.enable_hls = true;
    upload.user_metadata = {{"a", std::int64_t{1}}};
    const auto asset = asset_of(upload);
    EXPECT_EQ(asset.id, upload.asset_id);
    EXPECT_EQ(asset.status, AssetStatus::processing);
    EXPECT_EQ(name_of(asset.method), "multipart");
    EXPECT_EQ(asset.hls, DerivedStatus::pending);
    EXPECT_EQ(asset.thumbnail, DerivedStatus::none);
    EXPECT_EQ(asset.user_metadata, upload.user_metadata);
}

}  // namespace
}  // namespace kinodex::domain
