// The layout of a plan file, shared by its reader and its writer.
#pragma once

#include <boost/crc.hpp>

#include "media/plan/bytes.h"
#include "media/plan/plan.h"

namespace kinodex::media::plan {

inline constexpr std::uint64_t kMagic = 0x314E'4C50'584E'4B00;  // "\0KNXPLN1"
inline constexpr std::uint32_t kVersion = 1;

// magic u64, version u32, checksum u32 (CRC-32 of the header after it), header bytes u64,
// plan bytes u64, source bytes u64, tracks u32, zero u32.
inline constexpr std::size_t kChecksumEnd = 16;
inline constexpr std::size_t kHeadBytes = 48;

// offset u64 with the key flag as its top bit, size u32, duration u32, presentation offset i32.
inline constexpr std::size_t kRecordBytes = 20;
inline constexpr std::uint64_t kKeyBit = 1ULL << 63U;

// samples u32, decode time u64, playlist duration u64, payload bytes u64.
inline constexpr std::size_t kSegmentRowBytes = 28;

// Times stay far from overflow when added up or multiplied by a thousand.
inline constexpr std::uint64_t kTicksMax = 1ULL << 52U;

inline constexpr std::size_t kCodecsBytesMax = 64;
inline constexpr std::size_t kLanguageBytesMax = 35;  // the longest tag RFC 5646 asks to support
inline constexpr std::size_t kNameBytesMax = 200;

inline std::uint32_t header_checksum(std::span<const std::byte> after_checksum) {
    boost::crc_32_type crc;
    crc.process_bytes(after_checksum.data(), after_checksum.size());
    return crc.checksum();
}

/// These texts end up inside quotes in a playlist, so nothing may end the quote or the line.
bool is_token(std::string_view text);     // letters, digits, ".", "-", ","
bool is_quotable(std::string_view text);  // UTF-8 without controls and quotes

}  // namespace kinodex::media::plan
