// Decoding parts of a group of pictures, as little as the question needs.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>

#include "media/ffmpeg/av.h"

namespace kinodex::media {

/// What to do with a packet when a group is decoded.
enum class Feed {
    leave_out,      // nothing needed refers to it
    for_reference,  // decoded only if others need it
    show,
};

struct PlannedPacket {
    const AVPacket* packet = nullptr;
    Feed feed = Feed::show;
};

/// Gets a frame; false stops the run.
using FrameTaker = std::function<bool(const AVFrame&)>;

/// Decodes single key frames, and runs that start at one. Damaged packets are skipped: what decodes
/// is what there is.
///
/// Key frames are looked at in the decoder's own buffer, before it would show them, so that a run
/// can go on from there. Two decoders take turns: a group is judged when the next key frame is
/// known, and may then be entered at its own.
class ShotDecoder {
  public:
    static base::Result<ShotDecoder> open(const AVStream& stream);

    /// The frame of a key packet alone; null when it does not decode.
    Frame decode_key(const AVPacket& packet);

    /// Decodes packets in this order, the first of them a key packet.
    void decode_run(std::span<const PlannedPacket> packets, const FrameTaker& take);

    /// A run without an end in sight: packets as they come, then `end_run`.
    void begin_run();
    void feed(const AVPacket& packet, const FrameTaker& take);
    void end_run(const FrameTaker& take);

  private:
    struct Lane {
        CodecContext context;
        Frame decoded = new_frame();     // the buffer of the last picture that was decoded
        std::optional<std::int64_t> at;  // time of the key packet that was sent, and nothing since
    };
    explicit ShotDecoder(std::array<std::unique_ptr<Lane>, 2> lanes) : lanes_(std::move(lanes)) {}
    static int keep_buffer(AVCodecContext* context, AVFrame* frame, int flags);
    void restart(Lane& lane);
    bool receive(const FrameTaker& take);

    std::array<std::unique_ptr<Lane>, 2> lanes_;  // decoders point at their lanes
    Lane* running_ = nullptr;
    std::size_t next_ = 0;  // lane of the next key frame
    Frame frame_ = new_frame();
};

}  // namespace kinodex::media
