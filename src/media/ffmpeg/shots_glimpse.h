// What a packet from the middle of a group says without what it refers to.
//
// The first frame after a cut has nothing to be predicted from: it is coded nearly whole by itself,
// and decodes nearly right without the frames before it. Of any other frame the decoder still reads
// which blocks were predicted, and from which side. So one packet tells whether a cut is there,
// where a run from the key frame would decode everything up to it.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "media/ffmpeg/av.h"

namespace kinodex::media {

/// Larger frames than 4K make decoders of more than a gigabyte.
inline constexpr std::int64_t kGlimpsePixelsMax = std::int64_t{4096} * 2304;

struct Glimpse {
    std::int64_t time = 0;   // presentation, ticks
    double own_share = 0;    // of the picture: coded by itself, 0 to 1
    double from_before = 0;  // of the picture: predicted from frames shown earlier
    double from_after = 0;   // and later; blocks of B frames may be both
    double motion_x = 0;     // of most blocks against frames shown earlier, pixels
    double motion_y = 0;
    double moved_share = 0;  // of the picture: moved just so
    Frame frame;             // right where it is coded by itself
};

class PacketGlimpses {
  public:
    /// Whether packets of this stream can be looked at alone: the syntax of its codec depends on no
    /// other frame, the decoder tells what it predicts from, and there is memory for one more.
    static bool can_tell(const AVCodecParameters& codec) {
        return codec.codec_id == AV_CODEC_ID_H264 &&
               std::int64_t{codec.width} * codec.height <= kGlimpsePixelsMax;
    }

    static base::Result<PacketGlimpses> open(const AVStream& stream);

    /// Decodes these packets and nothing before them. What does not decode is left out.
    std::vector<Glimpse> look(std::span<const AVPacket* const> packets);

  private:
    explicit PacketGlimpses(CodecContext context) : context_(std::move(context)) {}
    void receive(std::vector<Glimpse>& into);

    CodecContext context_;
    Frame frame_ = new_frame();
};

}  // namespace kinodex::media
