// The structure of image files, walked without decoding.
#include <cstdint>

#include "media/ffmpeg/picture_still.h"

namespace kinodex::media {
namespace {

constexpr int kChunksMax = 100'000;

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
    return static_cast<unsigned char>(bytes[at]);
}
std::uint32_t big32(std::string_view bytes, std::size_t at) {
    return byte_at(bytes, at) << 24 | byte_at(bytes, at + 1) << 16 | byte_at(bytes, at + 2) << 8 |
           byte_at(bytes, at + 3);
}
std::uint32_t little32(std::string_view bytes, std::size_t at) {
    return byte_at(bytes, at + 3) << 24 | byte_at(bytes, at + 2) << 16 |
           byte_at(bytes, at + 1) << 8 | byte_at(bytes, at);
}
std::string little32_text(std::size_t value) {
    std::string out(4, '\0');
    for (std::size_t i = 0; i < 4; ++i) {
        out[i] = static_cast<char>((value >> (8 * i)) & 0xFF);
    }
    return out;
}

/// Source: PNG specification, third edition, sections 5 and 11.
StillHeader read_png(std::string_view bytes) {
    StillHeader header;
    header.is_whole = false;
    std::size_t at = 8;
    for (int i = 0; i < kChunksMax && at + 12 <= bytes.size(); ++i) {
        const std::size_t length = big32(bytes, at);
        const auto type = bytes.substr(at + 4, 4);
        if (length > bytes.size() - at - 12) {
            break;
        }
        const auto data = bytes.substr(at + 8, length);
        if (type == "IHDR" && length >= 13) {
            header.bit_depth = static_cast<int>(byte_at(data, 8));
            const auto color = byte_at(data, 9);
            header.has_alpha = color == 4 || color == 6;
            header.color_space = color == 0 || color == 4 ? "Gray" : "RGB";
        } else if (type == "tRNS") {
            header.has_alpha = true;
        } else if (type == "acTL" && length >= 8) {
            header.is_animated = big32(data, 0) > 1;
        } else if (type == "eXIf") {
            header.exif = data;
        } else if (type == "IEND") {
            header.is_whole = true;
            break;
        }
        at += 12 + length;
    }
    return header;
}

/// Source: ITU-T T.81, annex B; EXIF 2.32, section 4.7.
StillHeader read_jpeg(std::string_view bytes) {
    StillHeader header;
    std::size_t at = 2;
    for (int i = 0; i < kChunksMax && at + 4 <= bytes.size() && bytes[at] == '\xFF'; ++i) {
        const auto marker = byte_at(bytes, at + 1);
        if (marker == 0xFF) {
            ++at;  // fill
            continue;
        }
        const std::size_t length = byte_at(bytes, at + 2) << 8 | byte_at(bytes, at + 3);
        if (marker == 0xDA || length < 2 || at + 2 + length > bytes.size()) {
            break;
        }
        const auto data = bytes.substr(at + 4, length - 2);
        const bool is_frame =
            marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
        if (is_frame && data.size() >= 6) {
            header.bit_depth = static_cast<int>(byte_at(data, 0));
            const auto components = byte_at(data, 5);
            header.color_space = components == 1 ? "Gray" : components == 4 ? "CMYK" : "YCbCr";
        } else if (marker == 0xE1 && header.exif.empty() &&
                   data.starts_with(std::string_view("Exif\0\0", 6))) {
            header.exif = data.substr(6);
        }
        at += 2 + length;
    }
    header.has_alpha = false;
    header.is_whole = bytes.find("\xFF\xD9", at) != std::string_view::npos;
    return header;
}

std::string riff_chunk(std::string_view name, std::string_view data) {
    std::string out(name);
    out += little32_text(data.size());
    out += data;
    if (data.size() % 2 != 0) {
        out += '\0';
    }
    return out;
}

/// The picture of an ANMF chunk as a still WebP file. `data` is what follows its 16-byte header.
std::string still_webp(std::string_view frame) {
    const std::string_view size = frame.substr(6, 6);  // width - 1 and height - 1, 24 bits each
    const std::string_view chunks = frame.substr(16);
    const bool has_alpha = chunks.starts_with("ALPH");
    std::string extended(1, has_alpha ? '\x10' : '\0');
    extended += std::string(3, '\0');
    extended += size;
    std::string body = "WEBP";
    body += has_alpha ? riff_chunk("VP8X", extended) : std::string();
    body += chunks;
    return riff_chunk("RIFF", body);
}

/// Source: WebP container specification.
StillHeader read_webp(std::string_view bytes) {
    StillHeader header;
    header.is_whole = little32(bytes, 4) <= bytes.size() - 8;
    header.bit_depth = 8;
    std::size_t at = 12;
    for (int i = 0; i < kChunksMax && at + 8 <= bytes.size(); ++i) {
        const auto type = bytes.substr(at, 4);
        const std::size_t length = little32(bytes, at + 4);
        const auto data = bytes.substr(at + 8, length);
        if (type == "VP8X" && data.size() >= 10) {
            header.is_animated = (byte_at(data, 0) & 0x02) != 0;
            header.has_alpha = (byte_at(data, 0) & 0x10) != 0;
        } else if (type == "VP8L" && data.size() >= 5) {
            header.color_space = "RGB";
            header.has_alpha = header.has_alpha.value_or((byte_at(data, 4) & 0x10) != 0);
        } else if (type == "VP8 ") {
            header.color_space = "YCbCr";
            header.has_alpha = header.has_alpha.value_or(false);
        } else if (type == "ANMF" && header.one_frame.empty() && data.size() == length &&
                   length > 24) {
            header.one_frame = still_webp(data);
            header.color_space = data.substr(16).starts_with("VP8L") ? "RGB" : "YCbCr";
        } else if (type == "EXIF") {
            header.exif = data.starts_with("Exif") && data.size() > 6 ? data.substr(6) : data;
        }
        at += 8 + length + length % 2;
    }
    return header;
}

/// Counts pictures up to two. Source: GIF89a specification, appendix A.
StillHeader read_gif(std::string_view bytes) {
    StillHeader header;
    header.bit_depth = 8;
    header.color_space = "RGB";
    header.has_alpha = false;
    if (bytes.size() < 13) {
        header.is_whole = false;
        return header;
    }
    const auto table_bytes = [](std::uint32_t flags) {
        return (flags & 0x80) != 0 ? std::size_t{3} << ((flags & 7) + 1) : std::size_t{0};
    };
    const auto skip_blocks = [bytes](std::size_t from) {
        while (from < bytes.size() && bytes[from] != '\0') {
            from += 1 + byte_at(bytes, from);
        }
        return from + 1;
    };
    std::size_t at = 13 + table_bytes(byte_at(bytes, 10));
    int pictures = 0;
    while (at + 10 < bytes.size() && pictures < 2) {
        if (bytes[at] == '\x21') {
            if (bytes[at + 1] == '\xF9' && (byte_at(bytes, at + 3) & 1) != 0) {
                header.has_alpha = true;
            }
            at = skip_blocks(at + 2);
        } else if (bytes[at] == '\x2C') {
            ++pictures;
            at = skip_blocks(at + 11 + table_bytes(byte_at(bytes, at + 9)));
        } else {
            break;
        }
    }
    header.is_animated = pictures > 1;
    return header;
}

}  // namespace

StillHeader read_still_header(std::string_view bytes, std::string_view mime) {
    if (mime == "image/png") {
        return read_png(bytes);
    }
    if (mime == "image/jpeg") {
        return read_jpeg(bytes);
    }
    if (mime == "image/webp" && bytes.size() >= 12) {
        return read_webp(bytes);
    }
    if (mime == "image/gif") {
        return read_gif(bytes);
    }
    StillHeader header;
    if (mime == "image/tiff") {
        header.exif = bytes;  // such a file is the structure that EXIF borrowed
    }
    return header;
}

Turn turn_of(int orientation) {
    switch (orientation) {
        case 2:
            return {0, true};
        case 3:
            return {180, false};
        case 4:
            return {180, true};
        case 5:
            return {90, true};
        case 6:
            return {90, false};
        case 7:
            return {270, true};
        case 8:
            return {270, false};
        default:
            return {};
    }
}

}  // namespace kinodex::media
