// Decoding parts of a group of pictures, as little as the question needs.
#pragma once

#include <functional>
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

/// One decoder, used for single key frames and for runs that start at one. Damaged packets are
/// skipped: what decodes is what there is.
class ShotDecoder {
  public:
    static base::Result<ShotDecoder> open(const AVStream& stream);

    /// The frame of a key packet alone; null when it does not decode. Ends a run.
    Frame decode_key(const AVPacket& packet);

    /// Decodes packets in this order, the first of them a key packet.
    void decode_run(std::span<const PlannedPacket> packets, const FrameTaker& take);

    /// A run without an end in sight: packets as they come, then `end_run`.
    void begin_run();
    void feed(const AVPacket& packet, const FrameTaker& take);
    void end_run(const FrameTaker& take);

  private:
    explicit ShotDecoder(CodecContext context) : context_(std::move(context)) {}
    bool receive(const FrameTaker& take);

    CodecContext context_;
    Frame frame_ = new_frame();
};

}  // namespace kinodex::media
