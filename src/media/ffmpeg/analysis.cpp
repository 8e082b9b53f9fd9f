// The deterministic part of indexing: shots with key pictures, and the audio track with its
// measures, from one pass over the file.
#include <algorithm>
#include <optional>

#include "media/child.h"
#include "media/ffmpeg/audio_lane.h"
#include "media/ffmpeg/input.h"
#include "media/ffmpeg/shots.h"

namespace kinodex::media {
namespace {

// Damaged stretches make reading fail for a moment; a file that only fails is given up.
constexpr int kReadFailuresMax = 100;

/// Tells progress with every packet, for it is also the sign of life; it never goes back.
class ProgressSteps {
  public:
    ProgressSteps(const Progress& progress, std::int64_t total_bytes)
        : progress_(progress),
          total_bytes_(static_cast<double>(std::max<std::int64_t>(1, total_bytes))) {}

    void reach(std::int64_t bytes) {
        told_ = std::max(told_, std::min(static_cast<double>(bytes) / total_bytes_, 1.0));
        if (progress_) {
            progress_(told_);
        }
    }
    void end() {
        if (progress_) {
            progress_(1);
        }
    }

  private:
    const Progress& progress_;
    double total_bytes_;
    double told_ = 0;
};

void read_only(Input& input, const AVStream* video, const AVStream* audio) {
    for (unsigned i = 0; i < input->nb_streams; ++i) {
        AVStream* each = input->streams[i];
        each->discard = each == video || each == audio ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    }
}

}  // namespace

base::Result<AnalyzeReport> analyze_file(const AnalyzeRequest& request, const Progress& progress) {
    KN_TRY(input, Input::open(request.source_fd));
    KN_PASS(input.find_streams());
    const AVStream* video = input.best_stream(AVMEDIA_TYPE_VIDEO);
    const AVStream* audio = input.best_stream(AVMEDIA_TYPE_AUDIO);
    if (video == nullptr && audio == nullptr) {
        return base::fail(base::Errc::file_unprocessable, {}, "neither video nor audio");
    }
    read_only(input, video, audio);
    const double start_sec = input->start_time == AV_NOPTS_VALUE
                                 ? 0
                                 : static_cast<double>(input->start_time) / AV_TIME_BASE;
    std::optional<ShotTrack> shots;
    if (video != nullptr) {
        KN_TRY(track, ShotTrack::open(*video, start_sec, request.pictures_fd));
        shots.emplace(std::move(track));
    }
    std::optional<AudioLane> sound;
    if (audio != nullptr) {
        KN_TRY(track, AudioLane::open(*audio, start_sec, request.audio_fd));
        sound.emplace(std::move(track));
    }

    ProgressSteps steps(progress, input.size_bytes());
    const Packet packet = new_packet();
    int failures = 0;
    for (;;) {
        const int error = av_read_frame(input.get(), packet.get());
        if (error == AVERROR_EOF || (error < 0 && ++failures > kReadFailuresMax)) {
            break;
        }
        if (error < 0) {
            continue;
        }
        base::Result<void> pushed;
        if (shots && packet->stream_index == video->index) {
            pushed = shots->push(*packet);
        } else if (sound && packet->stream_index == audio->index) {
            pushed = sound->push(*packet);
        }
        steps.reach(packet->pos);
        av_packet_unref(packet.get());
        KN_PASS(std::move(pushed));
    }

    AnalyzeReport report;
    if (shots) {
        KN_TRY(found, shots->finish());
        report.shots = std::move(found);
    }
    if (sound) {
        KN_TRY(found, sound->finish());
        report.audio = std::move(found);
    }
    if (report.shots.empty() && !report.audio) {
        return base::fail(base::Errc::file_unprocessable, {}, "nothing in the file decodes");
    }
    steps.end();
    return report;
}

}  // namespace kinodex::media
