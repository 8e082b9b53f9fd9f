#include "media/ffmpeg/audio_lane.h"

#include <condition_variable>
#include <mutex>
#include <new>
#include <system_error>

#include "runtime/lane.h"

namespace kinodex::media {

struct AudioLane::State {
    explicit State(AudioTrack audio) : track(std::move(audio)) {}

    AudioTrack track;  // the lane's, while there is one
    std::mutex mutex;
    std::condition_variable has_changed;
    std::size_t waiting = 0;
    std::size_t waiting_bytes = 0;
    base::Result<void> result;          // the first error; nothing is worked on after it
    std::optional<runtime::Lane> lane;  // the last member, so that it ends before what it uses

    [[nodiscard]] bool has_room(std::size_t bytes) const {
        return waiting == 0 ||
               (waiting < kAudioPacketsMax && waiting_bytes + bytes <= kAudioPacketBytesMax);
    }

    /// As everything that a child does: memory may run out.
    base::Result<void> push_safely(const AVPacket& packet) {
        try {
            return track.push(packet);
        } catch (const std::bad_alloc&) {
            return base::fail(base::Errc::file_unprocessable, {}, "out of memory");
        }
    }

    void work_on(const AVPacket& packet) {
        bool is_good = false;
        {
            const std::lock_guard lock(mutex);
            --waiting;
            waiting_bytes -= static_cast<std::size_t>(packet.size);
            is_good = result.has_value();
        }
        has_changed.notify_one();
        if (!is_good) {
            return;
        }
        if (auto pushed = push_safely(packet); !pushed) {
            const std::lock_guard lock(mutex);
            result = std::move(pushed);
        }
    }
};

AudioLane::AudioLane(std::unique_ptr<State> state) : state_(std::move(state)) {}
AudioLane::AudioLane(AudioLane&&) noexcept = default;
AudioLane::~AudioLane() = default;

base::Result<AudioLane> AudioLane::open(const AVStream& stream, double file_start_sec,
                                        int audio_fd) {
    KN_TRY(track, AudioTrack::open(stream, file_start_sec, audio_fd));
    auto state = std::make_unique<State>(std::move(track));
    try {
        state->lane.emplace("sound", 1, kAudioPacketsMax);
    } catch (const std::system_error&) {
        state->lane.reset();  // limits may allow no thread: then everything is worked on at once
    }
    return AudioLane(std::move(state));
}

base::Result<void> AudioLane::push(const AVPacket& packet) {
    if (!state_->lane) {
        return state_->track.push(packet);
    }
    Packet kept(av_packet_clone(&packet));
    if (!kept) {
        return base::fail(base::Errc::internal, {}, "out of memory");
    }
    const auto bytes = static_cast<std::size_t>(packet.size);
    {
        std::unique_lock lock(state_->mutex);
        state_->has_changed.wait(lock, [&] { return state_->has_room(bytes); });
        if (!state_->result) {
            return state_->result;
        }
        ++state_->waiting;
        state_->waiting_bytes += bytes;
    }
    auto work = [on = state_.get(), kept = std::move(kept)] { on->work_on(*kept); };
    return state_->lane->post(std::move(work))
               ? base::Result<void>()
               : base::fail(base::Errc::internal, {}, "the lane of the sound is full");
}

base::Result<std::optional<AudioReport>> AudioLane::finish() {
    if (state_->lane) {
        state_->lane->stop();
    }
    KN_PASS(std::move(state_->result));
    return state_->track.finish();
}

}  // namespace kinodex::media
