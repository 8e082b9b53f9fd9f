#include "media/ffmpeg/playback_init.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "media/ffmpeg/sample_boxes.h"

namespace kinodex::media {
namespace {

using plan::Bytes;

constexpr int kMuxBufferBytes = 64 * 1024;

// Bytes of a sample entry before its boxes. Source: ISO/IEC 14496-12, 12.1.3 and 12.2.3.
constexpr std::size_t kVisualEntryBytes = 78;
constexpr std::size_t kAudioEntryBytes = 28;

/// A muxer that writes into memory.
class MemoryMuxer {
  public:
    MemoryMuxer() = default;
    MemoryMuxer(const MemoryMuxer&) = delete;
    MemoryMuxer& operator=(const MemoryMuxer&) = delete;
    ~MemoryMuxer() {
        if (io_ != nullptr) {
            av_freep(&io_->buffer);
            avio_context_free(&io_);
        }
        avformat_free_context(format_);
    }

    bool open() {
        if (avformat_alloc_output_context2(&format_, nullptr, "mp4", nullptr) < 0) {
            return false;
        }
        auto* buffer = static_cast<unsigned char*>(av_malloc(kMuxBufferBytes));
        io_ = avio_alloc_context(buffer, kMuxBufferBytes, 1, &out_, nullptr, &append, nullptr);
        format_->pb = io_;
        format_->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
        format_->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
        return io_ != nullptr;
    }
    [[nodiscard]] AVFormatContext& format() const { return *format_; }
    [[nodiscard]] const Bytes& flushed() const {
        avio_flush(io_);
        return out_;
    }

  private:
    // NOLINTNEXTLINE(readability-non-const-parameter): the type is FFmpeg's
    static int append(void* opaque, std::uint8_t* data, int size) {
        auto& out = *static_cast<Bytes*>(opaque);
        const auto* bytes = reinterpret_cast<const std::byte*>(data);
        out.insert(out.end(), bytes, bytes + size);
        return size;
    }
    Bytes out_;
    AVFormatContext* format_ = nullptr;
    AVIOContext* io_ = nullptr;
};

base::Result<Bytes> mux_header(const AVStream& stream, const std::vector<Bytes>& first_packets) {
    MemoryMuxer muxer;
    if (!muxer.open()) {
        return base::fail(base::Errc::internal, {}, "no mp4 muxer");
    }
    KN_TRY(out, add_stream_like(muxer.format(), stream));
    AVDictionary* options = nullptr;
    // The moov waits for the first packets, from which AC-3 and E-AC-3 are described.
    av_dict_set(&options, "movflags", "empty_moov+delay_moov+default_base_moof+frag_custom", 0);
    av_dict_set(&options, "use_editlist", "0", 0);
    int error = avformat_write_header(&muxer.format(), &options);
    av_dict_free(&options);
    if (error < 0) {
        return av_fail(base::Errc::file_unprocessable, "describe the codec", error);
    }
    const Packet packet = new_packet();
    std::int64_t time = 0;
    for (const Bytes& bytes : first_packets) {
        if (av_new_packet(packet.get(), static_cast<int>(bytes.size())) < 0) {
            return base::fail(base::Errc::internal, {}, "out of memory");
        }
        std::memcpy(packet->data, bytes.data(), bytes.size());
        packet->flags |= AV_PKT_FLAG_KEY;
        packet->pts = packet->dts = time;
        packet->duration = std::max<std::int64_t>(av_rescale_q(1, {1, 50}, out->time_base), 1);
        time += packet->duration;
        error = av_write_frame(&muxer.format(), packet.get());
        av_packet_unref(packet.get());
        if (error < 0) {
            return av_fail(base::Errc::file_unprocessable, "describe the codec", error);
        }
    }
    error = av_write_frame(&muxer.format(), nullptr);
    if (error < 0) {
        return av_fail(base::Errc::file_unprocessable, "describe the codec", error);
    }
    return muxer.flushed();
}

void put_box(Bytes& out, std::uint32_t type, ByteSpan body) {
    plan::put_be(out, static_cast<std::uint32_t>(body.size() + 8));
    plan::put_be(out, type);
    out.insert(out.end(), body.begin(), body.end());
}

void put_edit_list(Bytes& out, std::uint32_t skipped) {
    Bytes elst;
    plan::put_be(elst, std::uint32_t{0});  // version and flags
    plan::put_be(elst, std::uint32_t{1});
    plan::put_be(elst, std::uint32_t{0});  // to the end
    plan::put_be(elst, skipped);
    plan::put_be(elst, std::uint32_t{0x10000});
    Bytes edts;
    put_box(edts, box_type("elst"), elst);
    put_box(out, box_type("edts"), edts);
}

Bytes with_timescale(ByteSpan mdhd, std::uint32_t timescale) {
    Bytes out(mdhd.begin(), mdhd.end());
    const std::size_t at = !mdhd.empty() && mdhd[0] == std::byte{1} ? 20 : 12;
    Bytes number;
    plan::put_be(number, timescale);
    if (out.size() >= at + number.size()) {
        std::ranges::copy(number, out.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return out;
}

/// The boxes inside `parent` again, with the time scale and the edit list as wanted.
Bytes rewrite(ByteSpan parent, std::uint32_t timescale, std::uint32_t skipped) {
    Bytes out;
    for (const Box& box : children(parent)) {
        if (box.type == box_type("moov") || box.type == box_type("trak") ||
            box.type == box_type("mdia")) {
            put_box(out, box.type, rewrite(box.body, timescale, skipped));
        } else if (box.type == box_type("mdhd")) {
            put_box(out, box.type, with_timescale(box.body, timescale));
        } else if (box.type != box_type("edts")) {
            put_box(out, box.type, box.body);
        }
        if (box.type == box_type("tkhd") && skipped > 0) {
            put_edit_list(out, skipped);
        }
    }
    return out;
}

unsigned at(ByteSpan bytes, std::size_t index) {
    return index < bytes.size() ? std::to_integer<unsigned>(bytes[index]) : 0;
}

/// ISO/IEC 14496-15, annex E: profile, reversed compatibility flags, tier and level, constraints.
std::string hevc_name(ByteSpan hvcc) {
    static constexpr std::array<const char*, 4> kSpaces = {"", "A", "B", "C"};
    const unsigned general = at(hvcc, 1);
    std::uint32_t flags = 0;
    for (unsigned bit = 0; bit < 32; ++bit) {
        flags |= ((at(hvcc, 2 + bit / 8) >> (7 - bit % 8)) & 1U) << bit;
    }
    std::string name = fmt::format("hvc1.{}{}.{:X}.{}{}", kSpaces[general >> 6U], general & 0x1FU,
                                   flags, (general & 0x20U) != 0 ? 'H' : 'L', at(hvcc, 12));
    std::size_t constraints = 6;
    while (constraints > 0 && at(hvcc, 5 + constraints) == 0) {
        --constraints;
    }
    for (std::size_t i = 0; i < constraints; ++i) {
        name += fmt::format(".{:X}", at(hvcc, 6 + i));
    }
    return name;
}

/// AV1 Codec ISO Media File Format Binding, section 5.
std::string av1_name(ByteSpan av1c) {
    const unsigned depth = (at(av1c, 2) & 0x40U) == 0 ? 8 : (at(av1c, 2) & 0x20U) == 0 ? 10 : 12;
    return fmt::format("av01.{}.{:02}{}.{:02}", at(av1c, 1) >> 5U, at(av1c, 1) & 0x1FU,
                       (at(av1c, 2) & 0x80U) != 0 ? 'H' : 'M', depth);
}

std::string aac_name(const AVCodecParameters& parameters) {
    unsigned type = 2;
    if (parameters.extradata_size >= 2) {
        type = parameters.extradata[0] >> 3U;
        if (type == 31) {
            type = 32 + (((parameters.extradata[0] & 7U) << 3U) | (parameters.extradata[1] >> 5U));
        }
    }
    return fmt::format("mp4a.40.{}", type);
}

/// From the sample entry that the muxer wrote; empty for a codec that is not served.
std::string codec_name(ByteSpan file, const AVCodecParameters& parameters) {
    auto place = child(file, "moov");
    for (const auto* step : {"trak", "mdia", "minf", "stbl", "stsd"}) {
        place = child(place, step);
    }
    if (place.size() < 8) {
        return {};
    }
    const auto entries = children(place.subspan(8));
    const std::size_t head =
        parameters.codec_type == AVMEDIA_TYPE_VIDEO ? kVisualEntryBytes : kAudioEntryBytes;
    if (entries.empty() || entries[0].body.size() < head) {
        return {};
    }
    const auto boxes = entries[0].body.subspan(head);
    switch (parameters.codec_id) {
        case AV_CODEC_ID_H264: {
            const auto avcc = child(boxes, "avcC");
            return fmt::format("avc1.{:02x}{:02x}{:02x}", at(avcc, 1), at(avcc, 2), at(avcc, 3));
        }
        case AV_CODEC_ID_HEVC:
            return hevc_name(child(boxes, "hvcC"));
        case AV_CODEC_ID_AV1:
            return av1_name(child(boxes, "av1C"));
        case AV_CODEC_ID_VP9: {
            const auto vpcc = child(boxes, "vpcC");
            return fmt::format("vp09.{:02}.{:02}.{:02}", at(vpcc, 4), at(vpcc, 5),
                               at(vpcc, 6) >> 4U);
        }
        case AV_CODEC_ID_AAC:
            return aac_name(parameters);
        case AV_CODEC_ID_OPUS:
            return "opus";
        case AV_CODEC_ID_FLAC:
            return "fLaC";
        case AV_CODEC_ID_AC3:
            return "ac-3";
        case AV_CODEC_ID_EAC3:
            return "ec-3";
        default:
            return {};
    }
}

}  // namespace

base::Result<AVStream*> add_stream_like(AVFormatContext& output, const AVStream& stream) {
    AVStream* out = avformat_new_stream(&output, nullptr);
    if (out == nullptr || avcodec_parameters_copy(out->codecpar, stream.codecpar) < 0) {
        return base::fail(base::Errc::internal, {}, "out of memory");
    }
    // hvc1 is the only name of HEVC that Safari plays.
    out->codecpar->codec_tag =
        stream.codecpar->codec_id == AV_CODEC_ID_HEVC ? MKTAG('h', 'v', 'c', '1') : 0;
    out->time_base = stream.time_base;
    out->sample_aspect_ratio = stream.sample_aspect_ratio;
    out->avg_frame_rate = stream.avg_frame_rate;
    out->disposition = stream.disposition;
    for (const AVPacketSideDataType type :
         {AV_PKT_DATA_DISPLAYMATRIX, AV_PKT_DATA_MASTERING_DISPLAY_METADATA,
          AV_PKT_DATA_CONTENT_LIGHT_LEVEL}) {
        std::size_t size = 0;
        const std::uint8_t* data = av_stream_get_side_data(&stream, type, &size);
        if (data != nullptr) {
            if (std::uint8_t* copy = av_stream_new_side_data(out, type, size); copy != nullptr) {
                std::memcpy(copy, data, size);
            }
        }
    }
    for (const char* key : {"language", "title"}) {
        if (const auto* entry = av_dict_get(stream.metadata, key, nullptr, 0)) {
            av_dict_set(&out->metadata, key, entry->value, 0);
        }
    }
    return out;
}

base::Result<InitSegment> make_init_segment(const AVStream& stream,
                                            const std::vector<Bytes>& first_packets,
                                            std::uint32_t timescale, std::uint32_t skipped) {
    KN_TRY(muxed, mux_header(stream, first_packets));
    const auto ftyp = child(muxed, "ftyp");
    const auto moov = child(muxed, "moov");
    if (ftyp.empty() || moov.empty()) {
        return base::fail(base::Errc::file_unprocessable, {}, "the muxer wrote no moov");
    }
    InitSegment init;
    init.codecs = codec_name(muxed, *stream.codecpar);
    if (init.codecs.empty()) {
        return base::fail(base::Errc::file_unprocessable, {}, "codec without a name");
    }
    put_box(init.bytes, box_type("ftyp"), ftyp);
    put_box(init.bytes, box_type("moov"), rewrite(moov, timescale, skipped));
    return init;
}

}  // namespace kinodex::media
