#include "media/ffmpeg/shots_glimpse.h"

#include <algorithm>
#include <cmath>
#include <cstring>

extern "C" {
#include <libavutil/motion_vector.h>
}

#include "media/ffmpeg/input.h"

namespace kinodex::media {
namespace {

// Vectors this close to the usual one, in pixels, follow the same camera.
constexpr double kSameMotion = 2;

struct Block {
    double x = 0;  // moved by
    double y = 0;
    double area = 0;
};

double middle_of(std::vector<Block>& blocks, double Block::* part) {
    const auto middle = blocks.begin() + static_cast<std::ptrdiff_t>(blocks.size() / 2);
    std::ranges::nth_element(blocks, middle, {}, part);
    return (*middle).*part;
}

/// What most blocks moved by, and how much of the picture they are.
void measure_motion(std::vector<Block> blocks, double area, Glimpse& into) {
    if (blocks.empty()) {
        return;
    }
    into.motion_x = middle_of(blocks, &Block::x);
    into.motion_y = middle_of(blocks, &Block::y);
    double moved = 0;
    for (const Block& each : blocks) {
        const bool is_same = std::abs(each.x - into.motion_x) <= kSameMotion &&
                             std::abs(each.y - into.motion_y) <= kSameMotion;
        moved += is_same ? each.area : 0;
    }
    into.moved_share = moved / area;
}

/// Parts of the picture by where they were predicted from.
void measure_blocks(const AVFrame& frame, Glimpse& into) {
    const AVFrameSideData* vectors = av_frame_get_side_data(&frame, AV_FRAME_DATA_MOTION_VECTORS);
    const double area = static_cast<double>(frame.width) * frame.height;
    std::vector<Block> blocks;
    double before = 0;
    double after = 0;
    const std::size_t count = vectors != nullptr ? vectors->size / sizeof(AVMotionVector) : 0;
    for (std::size_t i = 0; i < count; ++i) {
        AVMotionVector vector;
        std::memcpy(&vector, vectors->data + i * sizeof vector, sizeof vector);
        const double covered = vector.w * vector.h;
        (vector.source < 0 ? before : after) += covered;
        if (vector.source < 0 && vector.motion_scale > 0) {
            const double scale = vector.motion_scale;
            blocks.push_back({vector.motion_x / scale, vector.motion_y / scale, covered});
        }
    }
    measure_motion(std::move(blocks), area, into);
    into.from_before = before / area;
    into.from_after = after / area;
    into.own_share = std::max(0.0, 1 - into.from_before - into.from_after);
}

}  // namespace

base::Result<PacketGlimpses> PacketGlimpses::open(const AVStream& stream) {
    KN_TRY(context, open_decoder(stream));
    context->skip_loop_filter = AVDISCARD_ALL;
    context->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
    context->export_side_data |= AV_CODEC_EXPORT_DATA_MVS;
    return PacketGlimpses(std::move(context));
}

std::vector<Glimpse> PacketGlimpses::look(std::span<const AVPacket* const> packets) {
    std::vector<Glimpse> found;
    avcodec_flush_buffers(context_.get());
    for (const AVPacket* packet : packets) {
        if (avcodec_send_packet(context_.get(), packet) >= 0) {
            receive(found);
        }
    }
    avcodec_send_packet(context_.get(), nullptr);
    receive(found);
    return found;
}

void PacketGlimpses::receive(std::vector<Glimpse>& into) {
    while (avcodec_receive_frame(context_.get(), frame_.get()) >= 0) {
        Glimpse seen;
        seen.time = frame_->pts;
        measure_blocks(*frame_, seen);
        seen.frame.reset(av_frame_clone(frame_.get()));
        av_frame_unref(frame_.get());
        if (seen.frame) {
            into.push_back(std::move(seen));
        }
    }
}

}  // namespace kinodex::media
