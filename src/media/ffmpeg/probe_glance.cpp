#include "media/ffmpeg/probe_glance.h"

#include <cstring>
#include <span>

#include "media/ffmpeg/probe.h"

namespace kinodex::media {
namespace {

using Bytes = std::span<const std::uint8_t>;

/// Bytes of the length in front of each unit, from an AVCDecoderConfigurationRecord; 0 when there
/// is none. Source: ISO/IEC 14496-15, 5.3.3.
std::size_t length_size_of(const AVCodecParameters& codec) {
    constexpr int kRecordBytesMin = 7;
    if (codec.codec_id != AV_CODEC_ID_H264 || codec.extradata_size < kRecordBytesMin ||
        codec.extradata[0] != 1) {
        return 0;
    }
    return static_cast<std::size_t>(codec.extradata[4] & 3) + 1;
}

/// A slice of a picture; not one in partitions. Source: ITU-T H.264, table 7-1.
bool is_slice(std::uint8_t unit_header) {
    const int type = unit_header & 0x1f;
    return type == 1 || type == 5;
}

std::size_t big_endian(Bytes bytes) {
    std::size_t value = 0;
    for (const auto byte : bytes) {
        value = value << 8 | byte;
    }
    return value;
}

void put_big_endian(std::span<std::uint8_t> into, std::size_t value) {
    for (std::size_t i = into.size(); i > 0; --i) {
        into[i - 1] = static_cast<std::uint8_t>(value & 0xff);
        value >>= 8;
    }
}

/// The first `size` bytes, of which those from `unit` on are one unit with its length in front.
Packet cut(const AVPacket& packet, std::size_t size, std::size_t unit, std::size_t length_size) {
    Packet out = new_packet();
    if (out == nullptr || av_new_packet(out.get(), static_cast<int>(size)) < 0 ||
        av_packet_copy_props(out.get(), &packet) < 0) {
        return nullptr;
    }
    std::memcpy(out->data, packet.data, size);
    put_big_endian({out->data + unit, length_size}, size - unit - length_size);
    return out;
}

}  // namespace

Packet beginning_of(const AVPacket& packet, const AVStream& stream) {
    const auto length_size = length_size_of(*stream.codecpar);
    if (length_size == 0 || packet.size <= 0) {
        return nullptr;
    }
    const Bytes bytes(packet.data, static_cast<std::size_t>(packet.size));
    for (std::size_t at = 0; bytes.size() - at > length_size;) {
        const auto length = big_endian(bytes.subspan(at, length_size));
        const auto unit = at + length_size;
        if (length == 0 || length > bytes.size() - unit) {
            return nullptr;
        }
        if (is_slice(bytes[unit])) {
            const auto kept = std::min<std::size_t>(length, kGlanceSliceBytes);
            return cut(packet, unit + kept, at, length_size);
        }
        at = unit + length;
    }
    return nullptr;
}

Frame glance_at_first_frame(Input& input, const AVStream& stream, AVCodecContext& decoder) {
    const Packet packet = new_packet();
    std::int64_t bytes = 0;
    for (int i = 0; i < kFirstFramePacketsMax && bytes < kFirstFrameBytesMax; ++i) {
        if (av_read_frame(input.get(), packet.get()) < 0) {
            return nullptr;
        }
        bytes += packet->size;
        if (packet->stream_index == stream.index) {
            break;
        }
        av_packet_unref(packet.get());
    }
    const Packet beginning = packet->size > 0 ? beginning_of(*packet, stream) : nullptr;
    if (beginning == nullptr) {
        return nullptr;
    }
    decoder.error_concealment = 0;  // nobody sees what is missing
    // The end behind it gives the picture now instead of after the reordering delay.
    Frame frame = new_frame();
    const bool has_frame = avcodec_send_packet(&decoder, beginning.get()) >= 0 &&
                           avcodec_send_packet(&decoder, nullptr) >= 0 &&
                           avcodec_receive_frame(&decoder, frame.get()) >= 0;
    return has_frame ? std::move(frame) : nullptr;
}

}  // namespace kinodex::media
