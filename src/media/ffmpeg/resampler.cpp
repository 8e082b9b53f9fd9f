#include "media/ffmpeg/resampler.h"

namespace kinodex::media {

base::Result<Resampler> open_resampler(const SoundForm& from, const SoundForm& to) {
    SwrContext* opened = nullptr;
    int error = swr_alloc_set_opts2(
        &opened, const_cast<AVChannelLayout*>(&to.layout), static_cast<AVSampleFormat>(to.format),
        to.rate, const_cast<AVChannelLayout*>(&from.layout),
        static_cast<AVSampleFormat>(from.format), from.rate, 0, nullptr);
    Resampler resampler(opened);
    if (error >= 0) {
        error = swr_init(opened);
    }
    if (error < 0) {
        return av_fail(base::Errc::file_unprocessable, "resampler", error);
    }
    return resampler;
}

}  // namespace kinodex::media
