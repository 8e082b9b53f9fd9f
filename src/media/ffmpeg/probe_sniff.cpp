#include "media/ffmpeg/probe_sniff.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace kinodex::media {
namespace {

using std::string_view_literals::operator""sv;

struct Magic {
    std::size_t offset;
    std::string_view bytes;
    SniffedKind kind;
    std::string_view mime;
};

constexpr Magic kMagics[] = {
    {0, "\xFF\xD8\xFF"sv, SniffedKind::image, "image/jpeg"},
    {0, "\x89PNG\r\n\x1A\n"sv, SniffedKind::image, "image/png"},
    {0, "GIF87a"sv, SniffedKind::image, "image/gif"},
    {0, "GIF89a"sv, SniffedKind::image, "image/gif"},
    {0, "II*\0"sv, SniffedKind::image, "image/tiff"},
    {0, "MM\0*"sv, SniffedKind::image, "image/tiff"},
    {0, "\0\0\0\x0CjP  \r\n\x87\n"sv, SniffedKind::image, "image/jp2"},
    {0, "\x1A\x45\xDF\xA3"sv, SniffedKind::media, "video/x-matroska"},
    {0, "OggS"sv, SniffedKind::media, "audio/ogg"},
    {0, "fLaC"sv, SniffedKind::media, "audio/flac"},
    {0, "ID3"sv, SniffedKind::media, "audio/mpeg"},
    {0, "caff"sv, SniffedKind::media, "audio/x-caf"},
    {0, ".snd"sv, SniffedKind::media, "audio/basic"},
    {0, "#!AMR"sv, SniffedKind::media, "audio/amr"},
    {0, "wvpk"sv, SniffedKind::media, "audio/x-wavpack"},
    {0, "MAC "sv, SniffedKind::media, "audio/x-ape"},
    {0, "TTA1"sv, SniffedKind::media, "audio/x-tta"},
    {0, "MPCK"sv, SniffedKind::media, "audio/x-musepack"},
    {0, "DSD "sv, SniffedKind::media, "audio/x-dsf"},
    {0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11"sv, SniffedKind::media, "video/x-ms-asf"},
    {0, "FLV\x01"sv, SniffedKind::media, "video/x-flv"},
    {0, "\0\0\x01\xBA"sv, SniffedKind::media, "video/mpeg"},
    {0, "\0\0\x01\xB3"sv, SniffedKind::media, "video/mpeg"},
    {0, "\x06\x0E\x2B\x34\x02\x05\x01\x01"sv, SniffedKind::media, "application/mxf"},
    {0, "DKIF"sv, SniffedKind::media, "video/x-ivf"},
    {0, ".RMF"sv, SniffedKind::media, "application/vnd.rn-realmedia"},
    {0, "#EXTM3U"sv, SniffedKind::playlist, "application/vnd.apple.mpegurl"},
    {0, "ffconcat"sv, SniffedKind::playlist, "text/plain"},
    {0, "%PDF-"sv, SniffedKind::other, "application/pdf"},
    {0, "PK\x03\x04"sv, SniffedKind::other, "application/zip"},
    {0, "PK\x05\x06"sv, SniffedKind::other, "application/zip"},
    {0, "\x1F\x8B"sv, SniffedKind::other, "application/gzip"},
    {0, "7z\xBC\xAF\x27\x1C"sv, SniffedKind::other, "application/x-7z-compressed"},
    {0, "Rar!\x1A\x07"sv, SniffedKind::other, "application/vnd.rar"},
    {0, "BZh"sv, SniffedKind::other, "application/x-bzip2"},
    {0, "\xFD\x37zXZ\0"sv, SniffedKind::other, "application/x-xz"},
    {0, "\x7F\x45LF"sv, SniffedKind::other, "application/x-executable"},
    {0, "SQLite format 3\0"sv, SniffedKind::other, "application/vnd.sqlite3"},
    {257, "ustar"sv, SniffedKind::other, "application/x-tar"},
};

bool has_at(std::string_view head, std::size_t offset, std::string_view bytes) {
    return head.size() >= offset + bytes.size() && head.substr(offset, bytes.size()) == bytes;
}

std::uint32_t little32(std::string_view head, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        value |= static_cast<std::uint32_t>(static_cast<unsigned char>(head[at + i])) << (8 * i);
    }
    return value;
}

std::optional<Sniffed> sniff_riff(std::string_view head) {
    if (has_at(head, 0, "RIFF") || has_at(head, 0, "RF64") || has_at(head, 0, "BW64")) {
        if (has_at(head, 8, "WEBP")) {
            return Sniffed{SniffedKind::image, "image/webp"};
        }
        if (has_at(head, 8, "WAVE")) {
            return Sniffed{SniffedKind::media, "audio/wav"};
        }
        if (has_at(head, 8, "AVI ")) {
            return Sniffed{SniffedKind::media, "video/x-msvideo"};
        }
    }
    if (has_at(head, 0, "FORM") && (has_at(head, 8, "AIFF") || has_at(head, 8, "AIFC"))) {
        return Sniffed{SniffedKind::media, "audio/aiff"};
    }
    return std::nullopt;
}

/// ISO base media files by brand; QuickTime files may have no `ftyp` at all.
std::optional<Sniffed> sniff_isobmff(std::string_view head) {
    if (has_at(head, 4, "ftyp") && head.size() >= 12) {
        const auto brand = head.substr(8, 4);
        const auto is = [brand](auto... names) { return ((brand == names) || ...); };
        if (is("avif"sv, "avis"sv)) {
            return Sniffed{SniffedKind::image, "image/avif"};
        }
        if (is("heic"sv, "heix"sv, "heim"sv, "heis"sv, "mif1"sv, "msf1"sv)) {
            // Pictures of either codec may carry the neutral brand first.
            const bool av1 = head.substr(0, 64).contains("avif");
            return Sniffed{SniffedKind::image, av1 ? "image/avif" : "image/heic"};
        }
        if (is("M4A "sv, "M4B "sv, "F4A "sv)) {
            return Sniffed{SniffedKind::media, "audio/mp4"};
        }
        if (brand == "qt  ") {
            return Sniffed{SniffedKind::media, "video/quicktime"};
        }
        if (brand.starts_with("3g")) {
            return Sniffed{SniffedKind::media, brand[2] == '2' ? "video/3gpp2" : "video/3gpp"};
        }
        return Sniffed{SniffedKind::media, "video/mp4"};
    }
    for (const auto box : {"moov"sv, "mdat"sv, "wide"sv, "free"sv, "skip"sv, "pnot"sv}) {
        if (has_at(head, 4, box)) {
            return Sniffed{SniffedKind::media, "video/quicktime"};
        }
    }
    if (has_at(head, 4, "styp") || has_at(head, 4, "moof")) {
        return Sniffed{SniffedKind::media, "video/mp4"};
    }
    return std::nullopt;
}

bool is_transport_stream(std::string_view head) {
    constexpr std::size_t kPacketBytes[] = {188, 192, 204};
    for (const std::size_t size : kPacketBytes) {
        const std::size_t first = size == 192 ? 4 : 0;  // M2TS has a time before each packet
        if (head.size() < first + 4 * size) {
            continue;
        }
        bool all = true;
        for (std::size_t i = 0; i < 4; ++i) {
            all = all && head[first + i * size] == 0x47;
        }
        if (all) {
            return true;
        }
    }
    return false;
}

/// MPEG audio frames without a tag. Source: ISO/IEC 11172-3, 2.4.1.3; ISO/IEC 13818-7, 6.2.
std::optional<Sniffed> sniff_mpeg_audio(std::string_view head) {
    if (head.size() < 4 || head[0] != '\xFF') {
        return std::nullopt;
    }
    const auto second = static_cast<unsigned char>(head[1]);
    const auto third = static_cast<unsigned char>(head[2]);
    if ((second & 0xF6) == 0xF0) {
        return Sniffed{SniffedKind::media, "audio/aac"};
    }
    const bool version = (second & 0xE0) == 0xE0 && (second & 0x18) != 0x08;
    const bool layer = (second & 0x06) != 0;
    const bool rates = (third & 0xF0) != 0xF0 && (third & 0x0C) != 0x0C;
    if (version && layer && rates) {
        return Sniffed{SniffedKind::media, "audio/mpeg"};
    }
    return std::nullopt;
}

std::string lower_case(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

std::optional<Sniffed> sniff_text(std::string_view head) {
    if (head.starts_with("\xEF\xBB\xBF")) {
        head.remove_prefix(3);
    }
    const auto is_text = [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\r' || c == '\t' ||
               c == '\f';
    };
    // Bytes above 0x7F are words in some language, or not text: then a few controls show up too.
    if (head.empty() || !std::ranges::all_of(head, is_text)) {
        return std::nullopt;
    }
    const auto first = head.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) {
        return Sniffed{SniffedKind::other, "text/plain"};
    }
    const std::string text = lower_case(head.substr(first));
    if (text.starts_with("#extm3u")) {
        return Sniffed{SniffedKind::playlist, "application/vnd.apple.mpegurl"};
    }
    if (text.starts_with("<?xml") || text.starts_with("<")) {
        if (text.contains("<mpd")) {
            return Sniffed{SniffedKind::playlist, "application/dash+xml"};
        }
        if (text.contains("<smil")) {
            return Sniffed{SniffedKind::playlist, "application/smil+xml"};
        }
        if (text.contains("<svg")) {
            return Sniffed{SniffedKind::other, "image/svg+xml"};
        }
        if (text.starts_with("<!doctype html") || text.starts_with("<html")) {
            return Sniffed{SniffedKind::other, "text/html"};
        }
        if (text.starts_with("<?xml")) {
            return Sniffed{SniffedKind::other, "application/xml"};
        }
    }
    return Sniffed{SniffedKind::other, "text/plain"};
}

}  // namespace

Sniffed sniff(std::string_view head) {
    head = head.substr(0, kSniffBytes);
    for (const Magic& each : kMagics) {
        if (has_at(head, each.offset, each.bytes)) {
            Sniffed found{each.kind, std::string(each.mime)};
            if (each.mime == "video/x-matroska" && head.substr(0, 64).contains("webm")) {
                found.mime = "video/webm";
            }
            return found;
        }
    }
    if (auto found = sniff_riff(head)) {
        return *found;
    }
    if (auto found = sniff_isobmff(head)) {
        return *found;
    }
    // "BM" alone is two letters of many texts; the header size that follows is one of few.
    if (head.size() >= 18 && head.starts_with("BM") && little32(head, 14) >= 12 &&
        little32(head, 14) <= 124) {
        return {SniffedKind::image, "image/bmp"};
    }
    if (is_transport_stream(head)) {
        return {SniffedKind::media, "video/mp2t"};
    }
    // UTF-16 with its byte order mark, which looks like a frame of MPEG layer I.
    if ((head.starts_with("\xFF\xFE") && has_at(head, 3, "\0"sv)) ||
        (head.starts_with("\xFE\xFF") && has_at(head, 2, "\0"sv))) {
        return {SniffedKind::other, "text/plain"};
    }
    if (auto found = sniff_mpeg_audio(head)) {
        return *found;
    }
    return sniff_text(head).value_or(Sniffed{});
}

}  // namespace kinodex::media
