#include "media/ffmpeg/loudness.h"

#include <ebur128.h>

#include <algorithm>
#include <cmath>

#include "media/ffmpeg/true_peak.h"

namespace kinodex::media {
namespace {

// Loudness of silence is judged over windows this long: longer than a period of the lowest tones,
// short enough to find the edges of a pause.
constexpr double kWindowSec = 0.02;

struct FreeMeter {
    void operator()(ebur128_state* p) const { ebur128_destroy(&p); }
};

base::Result<void> checked(int error, const char* step) {
    if (error == EBUR128_SUCCESS) {
        return {};
    }
    return base::fail(base::Errc::internal, {}, std::string("loudness: ") + step);
}

/// Finds quiet ranges from the loudest channel's power in short windows.
class SilenceFinder {
  public:
    SilenceFinder(int channels, int sample_rate)
        : channels_(static_cast<std::size_t>(channels)),
          sample_rate_(sample_rate),
          window_frames_(std::max<std::size_t>(
              1, static_cast<std::size_t>(std::lround(kWindowSec * sample_rate)))),
          power_(channels_, 0) {}

    void add(std::span<const float> samples) {
        for (std::size_t at = 0; at + channels_ <= samples.size(); at += channels_) {
            for (std::size_t c = 0; c < channels_; ++c) {
                const double value = samples[at + c];
                power_[c] += value * value;
            }
            if (++in_window_ == window_frames_) {
                end_window();
            }
        }
    }

    std::vector<TimeRange> finish() {
        if (in_window_ > 0) {
            end_window();
        }
        end_quiet();
        return std::move(ranges_);
    }

  private:
    void end_window() {
        const double loudest = *std::ranges::max_element(power_);
        const double limit = std::pow(10, kSilenceDbfs / 10) * static_cast<double>(in_window_);
        if (loudest >= limit) {
            end_quiet();
            quiet_from_ = frames_ + static_cast<std::int64_t>(in_window_);
        }
        frames_ += static_cast<std::int64_t>(in_window_);
        in_window_ = 0;
        std::ranges::fill(power_, 0.0);
    }

    void end_quiet() {
        const double from = static_cast<double>(quiet_from_) / sample_rate_;
        const double to = static_cast<double>(frames_) / sample_rate_;
        if (to - from >= kSilenceSecMin) {
            ranges_.push_back({from, to});
        }
        quiet_from_ = frames_;
    }

    std::size_t channels_;
    double sample_rate_;
    std::size_t window_frames_;
    std::size_t in_window_ = 0;
    std::vector<double> power_;
    std::int64_t frames_ = 0;
    std::int64_t quiet_from_ = 0;
    std::vector<TimeRange> ranges_;
};

}  // namespace

struct LoudnessMeter::State {
    State(int channels_given, int rate)
        : channels(static_cast<std::size_t>(channels_given)),
          sample_rate(rate),
          block_frames(static_cast<std::size_t>(std::lround(kMomentarySec * rate))),
          silences(channels_given, rate),
          true_peak(channels) {}

    std::size_t channels;
    int sample_rate;
    std::size_t block_frames;
    std::size_t in_block = 0;
    std::int64_t frames = 0;
    std::unique_ptr<ebur128_state, FreeMeter> meter;
    SilenceFinder silences;
    TruePeak true_peak;
    std::vector<float> momentary;

    base::Result<void> end_block() {
        double loudness = 0;
        KN_PASS(checked(ebur128_loudness_momentary(meter.get(), &loudness), "momentary"));
        momentary.push_back(static_cast<float>(std::max(kLoudnessFloorLufs, loudness)));
        in_block = 0;
        return {};
    }
};

LoudnessMeter::LoudnessMeter(std::unique_ptr<State> state) : state_(std::move(state)) {}
LoudnessMeter::LoudnessMeter(LoudnessMeter&&) noexcept = default;
LoudnessMeter& LoudnessMeter::operator=(LoudnessMeter&&) noexcept = default;
LoudnessMeter::~LoudnessMeter() = default;

base::Result<LoudnessMeter> LoudnessMeter::open(int channels, int sample_rate) {
    if (channels < 1 || channels > 64 || sample_rate < 1000 || sample_rate > 768'000) {
        return base::fail(base::Errc::file_unprocessable, {}, "audio layout cannot be measured");
    }
    auto state = std::make_unique<State>(channels, sample_rate);
    // The histogram keeps memory constant however long the track is.
    constexpr int kMode = EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_HISTOGRAM;
    state->meter.reset(ebur128_init(static_cast<unsigned>(channels),
                                    static_cast<unsigned long>(sample_rate), kMode));
    if (!state->meter) {
        return base::fail(base::Errc::internal, {}, "loudness: out of memory");
    }
    return LoudnessMeter(std::move(state));
}

base::Result<void> LoudnessMeter::add(std::span<const float> samples) {
    State& state = *state_;
    state.silences.add(samples);
    state.true_peak.add(samples);
    while (samples.size() >= state.channels) {
        const std::size_t frames =
            std::min(samples.size() / state.channels, state.block_frames - state.in_block);
        KN_PASS(checked(ebur128_add_frames_float(state.meter.get(), samples.data(), frames),
                        "add frames"));
        samples = samples.subspan(frames * state.channels);
        state.in_block += frames;
        state.frames += static_cast<std::int64_t>(frames);
        if (state.in_block == state.block_frames) {
            KN_PASS(state.end_block());
        }
    }
    return {};
}

base::Result<AudioReport> LoudnessMeter::finish() {
    State& state = *state_;
    if (state.in_block > 0) {
        KN_PASS(state.end_block());
    }
    AudioReport report;
    report.duration_sec = static_cast<double>(state.frames) / state.sample_rate;
    KN_PASS(
        checked(ebur128_loudness_global(state.meter.get(), &report.integrated_lufs), "integrated"));
    KN_PASS(checked(ebur128_loudness_range(state.meter.get(), &report.loudness_range_lu), "range"));
    const double peak = state.true_peak.peak();
    // Silence has no logarithm; -144 dB is below the last bit of 24.
    constexpr double kPeakFloorDb = -144;
    report.true_peak_dbtp = peak > 0 ? std::max(kPeakFloorDb, 20 * std::log10(peak)) : kPeakFloorDb;
    report.integrated_lufs = std::max(kLoudnessFloorLufs, report.integrated_lufs);
    report.loudness_lufs = std::move(state.momentary);
    report.silences = state.silences.finish();
    return report;
}

}  // namespace kinodex::media
