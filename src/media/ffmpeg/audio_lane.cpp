#include "media/ffmpeg/audio_lane.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

namespace kinodex::media {

struct AudioLane::State {
    explicit State(AudioTrack audio) : track(std::move(audio)) {}

    AudioTrack track;  // the thread's, while there is one
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Packet> waiting;
    std::size_t waiting_bytes = 0;
    bool is_over = false;
    base::Result<void> result;  // the first error; nothing is worked on after it
    std::thread thread;

    ~State() { end(); }

    [[nodiscard]] bool has_room(std::size_t bytes) const {
        return waiting.empty() ||
               (waiting.size() < kAudioPacketsMax && waiting_bytes + bytes <= kAudioPacketBytesMax);
    }

    /// As everything that a child does: memory may run out.
    base::Result<void> push_safely(const AVPacket& packet) {
        try {
            return track.push(packet);
        } catch (const std::bad_alloc&) {
            return base::fail(base::Errc::file_unprocessable, {}, "out of memory");
        }
    }

    void work() {
        std::unique_lock lock(mutex);
        for (;;) {
            changed.wait(lock, [this] { return is_over || !waiting.empty(); });
            if (waiting.empty()) {
                return;
            }
            const Packet packet = std::move(waiting.front());
            waiting.pop_front();
            waiting_bytes -= static_cast<std::size_t>(packet->size);
            changed.notify_all();
            if (result) {
                lock.unlock();
                auto pushed = push_safely(*packet);
                lock.lock();
                result = std::move(pushed);
            }
        }
    }

    void end() {
        if (!thread.joinable()) {
            return;
        }
        {
            const std::lock_guard lock(mutex);
            is_over = true;
        }
        changed.notify_all();
        thread.join();
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
        state->thread = std::thread([on = state.get()] { on->work(); });
    } catch (const std::system_error&) {
        // Limits may allow none.
    }
    return AudioLane(std::move(state));
}

base::Result<void> AudioLane::push(const AVPacket& packet) {
    if (!state_->thread.joinable()) {
        return state_->track.push(packet);
    }
    Packet kept(av_packet_clone(&packet));
    if (!kept) {
        return base::fail(base::Errc::internal, {}, "out of memory");
    }
    const auto bytes = static_cast<std::size_t>(packet.size);
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, [&] { return state_->has_room(bytes); });
    if (!state_->result) {
        return state_->result;
    }
    state_->waiting.push_back(std::move(kept));
    state_->waiting_bytes += bytes;
    lock.unlock();
    state_->changed.notify_all();
    return {};
}

base::Result<std::optional<AudioReport>> AudioLane::finish() {
    state_->end();
    KN_PASS(std::move(state_->result));
    return state_->track.finish();
}

}  // namespace kinodex::media
