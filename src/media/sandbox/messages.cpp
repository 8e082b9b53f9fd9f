#include "media/sandbox/messages.h"

#include <array>
#include <boost/json.hpp>
#include <cmath>

#include "domain/names.h"
#include "media/sandbox/json_text.h"
#include "media/sandbox/message_reader.h"

namespace kinodex::media {
namespace {

namespace json = boost::json;
using base::Errc;
using domain::AssetType;

constexpr std::array<std::string_view, kOperationCount> kOperationNames = {"probe", "thumbnail",
                                                                           "rendition", "analyze"};
constexpr std::array<std::string_view, 4> kPlaybackNames = {"none", "packaged", "remux",
                                                            "transcode"};
constexpr std::array<std::string_view, 4> kTypeNames = {"unknown", "video", "audio", "image"};

constexpr double kSecondsMax = 1e9;
constexpr double kFpsMax = 1e6;
constexpr std::int64_t kPixelsAcrossMax = 1'000'000;
constexpr std::size_t kMetadataBytesMax = 256 * 1024;
constexpr std::size_t kDetailBytesMax = 4096;
constexpr std::size_t kErrorValuesMax = 8;
constexpr std::int64_t kBytesMax = std::int64_t{1} << 50;

struct NamedError {
    Errc code;
    std::string_view name;
};

// The only errors a child may raise; anything else in a reply is not believed.
constexpr NamedError kChildErrors[] = {
    {Errc::file_unprocessable, "file_unprocessable"},
    {Errc::asset_type_unsupported, "asset_type_unsupported"},
    {Errc::image_broken, "image_broken"},
    {Errc::video_file_broken, "video_file_broken"},
    {Errc::video_file_live, "video_file_live"},
    {Errc::audio_file_broken, "audio_file_broken"},
    {Errc::audio_format_unsupported, "audio_format_unsupported"},
    {Errc::storage_full, "storage_full"},
    {Errc::internal, "internal"},
};

json::object error_json(const base::Error& error) {
    std::string_view name = "internal";
    for (const auto& each : kChildErrors) {
        if (each.code == error.code) {
            name = each.name;
        }
    }
    json::object values;
    for (const auto& each : error.values) {
        values[each.name] = printable_text(each.text, kErrorTextBytesMax);
    }
    return {{"code", name},
            {"values", std::move(values)},
            {"detail", printable_text(error.detail, kDetailBytesMax)}};
}

base::Error read_error(Reader reader) {
    base::Error error;
    const auto name = reader.text("code", 64);
    bool known = false;
    for (const auto& each : kChildErrors) {
        if (each.name == name) {
            error.code = each.code;
            known = true;
        }
    }
    reader.check(known, "unknown error code");
    const json::object& values = reader.object("values");
    reader.check(values.size() <= kErrorValuesMax, "too many error values");
    for (const auto& [key, value] : values) {
        const bool fits = is_name(key) && value.is_string();
        reader.check(fits, "error value");
        if (fits) {
            error.values.push_back(
                {std::string(key), reader.printable(value.get_string(), kErrorTextBytesMax)});
        }
    }
    error.detail = reader.printable(reader.text("detail", kDetailBytesMax), kDetailBytesMax);
    return error;
}

void put(json::object& into, std::string_view key, const auto& optional) {
    if (optional) {
        into[key] = *optional;
    }
}

json::object reply_json(const ProbeReport& report) {
    json::object out{
        {"type", kTypeNames[static_cast<std::size_t>(report.type)]},
        {"file_type", report.file_type},
        {"container_format", report.container_format},
        {"has_audio", report.has_audio},
        {"has_video", report.has_video},
        {"technical_metadata", report.technical_metadata},
        {"playback", kPlaybackNames[static_cast<std::size_t>(report.playback)]},
        {"plan_written", report.plan_written},
    };
    put(out, "duration_sec", report.duration_sec);
    put(out, "fps", report.fps);
    put(out, "width", report.width);
    put(out, "height", report.height);
    if (report.refusal) {
        out["refusal"] = error_json(*report.refusal);
    }
    return out;
}

ProbeReport read_probe(Reader reader) {
    ProbeReport report;
    report.type = static_cast<AssetType>(reader.one_of("type", kTypeNames));
    report.file_type = reader.text("file_type", 127);
    reader.check(is_mime(report.file_type), "file_type is not a MIME type");
    report.container_format = reader.text("container_format", 256);
    reader.check(is_ascii_word_list(report.container_format), "container_format");
    report.duration_sec = reader.optional_number("duration_sec", 0, kSecondsMax);
    report.fps = reader.optional_number("fps", 0, kFpsMax);
    if (auto width = reader.optional_integer("width", 1, kPixelsAcrossMax)) {
        report.width = static_cast<int>(*width);
    }
    if (auto height = reader.optional_integer("height", 1, kPixelsAcrossMax)) {
        report.height = static_cast<int>(*height);
    }
    report.has_audio = reader.boolean("has_audio");
    report.has_video = reader.boolean("has_video");
    const auto metadata = reader.text("technical_metadata", kMetadataBytesMax);
    if (!metadata.empty()) {
        // Sent to clients as it is, so it is parsed and written again here.
        auto parsed = parse_object(metadata);
        reader.check(parsed.has_value(), "technical_metadata is not an object");
        report.technical_metadata = parsed ? json_text(*parsed) : std::string();
    }
    report.playback = static_cast<Playback>(reader.one_of("playback", kPlaybackNames));
    report.plan_written = reader.boolean("plan_written");
    if (reader.has("refusal")) {
        report.refusal = read_error(reader.inner("refusal"));
    }
    return report;
}

double rounded(double value, double scale) {
    return std::round(value * scale) / scale;
}

json::object reply_json(const AnalyzeReport& report) {
    json::array shots;
    for (const auto& each : report.shots) {
        shots.push_back(json::array{each.start_sec, each.end_sec, each.picture_sec,
                                    each.picture_offset, each.picture_bytes});
    }
    json::object out{{"shots", std::move(shots)}};
    if (report.audio) {
        json::array loudness;
        for (const float each : report.audio->loudness_lufs) {
            loudness.push_back(static_cast<std::int64_t>(std::lround(each * 100)));
        }
        json::array silences;
        for (const auto& each : report.audio->silences) {
            silences.push_back(
                json::array{rounded(each.start_sec, 1e6), rounded(each.end_sec, 1e6)});
        }
        out["audio"] = json::object{
            {"duration_sec", report.audio->duration_sec},
            {"integrated_lufs", report.audio->integrated_lufs},
            {"loudness_range_lu", report.audio->loudness_range_lu},
            {"true_peak_dbtp", report.audio->true_peak_dbtp},
            {"loudness_centi_lufs", std::move(loudness)},  // integers: a third of the bytes
            {"silences", std::move(silences)},
        };
    }
    return out;
}

AudioReport read_audio(Reader reader) {
    AudioReport audio;
    audio.duration_sec = reader.number("duration_sec", 0, kSecondsMax);
    audio.integrated_lufs = reader.number("integrated_lufs", -1000, 1000);
    audio.loudness_range_lu = reader.number("loudness_range_lu", 0, 1000);
    audio.true_peak_dbtp = reader.number("true_peak_dbtp", -1000, 1000);
    for (const auto& each : reader.array("loudness_centi_lufs", kLoudnessValuesMax)) {
        const auto value = reader.integer_value(each, -100'000, 100'000);
        audio.loudness_lufs.push_back(static_cast<float>(value) / 100.0F);
    }
    for (const auto& each : reader.array("silences", kSilencesMax)) {
        const auto& range = reader.tuple(each, 2);
        audio.silences.push_back({reader.number_value(range[0], 0, kSecondsMax),
                                  reader.number_value(range[1], 0, kSecondsMax)});
    }
    return audio;
}

AnalyzeReport read_analysis(Reader reader) {
    AnalyzeReport report;
    for (const auto& each : reader.array("shots", kShotsMax)) {
        const auto& row = reader.tuple(each, 5);
        Shot shot;
        shot.start_sec = reader.number_value(row[0], -kSecondsMax, kSecondsMax);
        shot.end_sec = reader.number_value(row[1], -kSecondsMax, kSecondsMax);
        shot.picture_sec = reader.number_value(row[2], -kSecondsMax, kSecondsMax);
        shot.picture_offset =
            static_cast<std::uint64_t>(reader.integer_value(row[3], 0, kBytesMax));
        shot.picture_bytes = static_cast<std::uint64_t>(reader.integer_value(row[4], 0, kBytesMax));
        report.shots.push_back(shot);
    }
    if (reader.has("audio")) {
        report.audio = read_audio(reader.inner("audio"));
    }
    return report;
}

json::object limits_json(const Limits& limits) {
    return {{"memory_bytes", limits.memory_bytes},
            {"cpu_sec", limits.cpu.count()},
            {"output_bytes", limits.output_bytes},
            {"threads", limits.threads},
            {"nice", limits.nice}};
}

Limits read_limits(Reader reader) {
    Limits limits;
    limits.memory_bytes = static_cast<std::uint64_t>(reader.integer("memory_bytes", 0, kBytesMax));
    limits.cpu = std::chrono::seconds(reader.integer("cpu_sec", 1, 1'000'000));
    limits.output_bytes = static_cast<std::uint64_t>(reader.integer("output_bytes", 0, kBytesMax));
    limits.threads = reader.boolean("threads");
    limits.nice = static_cast<int>(reader.integer("nice", 0, 19));
    return limits;
}

json::object request_json(const Request& request) {
    json::object out;
    out["op"] = kOperationNames[static_cast<std::size_t>(operation_of(request))];
    if (const auto* probe = std::get_if<ProbeRequest>(&request)) {
        out["plan"] = probe->plan_fd >= 0;
    } else if (const auto* thumbnail = std::get_if<ThumbnailRequest>(&request)) {
        out["max_width"] = thumbnail->max_width;
        out["type"] = kTypeNames[static_cast<std::size_t>(thumbnail->type)];
    } else if (const auto* rendition = std::get_if<RenditionRequest>(&request)) {
        out["copy_streams"] = rendition->copy_streams;
    }
    return out;
}

Request read_request(Reader reader) {
    switch (static_cast<Operation>(reader.one_of("op", kOperationNames))) {
        case Operation::probe:
            return ProbeRequest{0, reader.boolean("plan") ? 0 : -1, {}};
        case Operation::thumbnail: {
            ThumbnailRequest request{0, 0};
            request.max_width = static_cast<int>(reader.integer("max_width", 16, 16384));
            request.type = static_cast<AssetType>(reader.one_of("type", kTypeNames));
            return request;
        }
        case Operation::rendition:
            return RenditionRequest{0, 0, 0, reader.boolean("copy_streams"), {}};
        case Operation::analyze:
            break;
    }
    return AnalyzeRequest{0, 0, 0, {}};
}

/// Pointers to the descriptors of any request; an optional one only where it is present.
std::vector<int*> slots_of(Request& request) {
    if (auto* probe = std::get_if<ProbeRequest>(&request)) {
        std::vector<int*> slots{&probe->source_fd};
        if (probe->plan_fd >= 0) {
            slots.push_back(&probe->plan_fd);
        }
        return slots;
    }
    if (auto* thumbnail = std::get_if<ThumbnailRequest>(&request)) {
        return {&thumbnail->source_fd, &thumbnail->out_fd};
    }
    if (auto* rendition = std::get_if<RenditionRequest>(&request)) {
        return {&rendition->source_fd, &rendition->out_fd, &rendition->plan_fd};
    }
    auto& analyze = std::get<AnalyzeRequest>(request);
    return {&analyze.source_fd, &analyze.pictures_fd, &analyze.audio_fd};
}

}  // namespace

Operation operation_of(const Request& request) {
    return static_cast<Operation>(request.index());  // both are in the same order
}

std::vector<int> descriptors_of(const Request& request) {
    Request copy = request;
    std::vector<int> fds;
    for (const int* slot : slots_of(copy)) {
        fds.push_back(*slot);
    }
    return fds;
}

void replace_descriptors(Request& request, std::span<const int> fds) {
    const auto slots = slots_of(request);
    for (std::size_t i = 0; i < slots.size() && i < fds.size(); ++i) {
        *slots[i] = fds[i];
    }
}

std::string encode_order(const Order& order) {
    if (const auto* kill = std::get_if<KillOrder>(&order)) {
        return json::serialize(json::object{{"kill", kill->id}});
    }
    const auto& job = std::get<JobOrder>(order);
    return json::serialize(json::object{{"job", job.id},
                                        {"request", request_json(job.request)},
                                        {"limits", limits_json(job.limits)},
                                        {"stays", job.stays}});
}

base::Result<Order> decode_order(std::string_view text) {
    return read_message<Order>(text, [](Reader reader) -> Order {
        if (reader.has("kill")) {
            return KillOrder{reader.id("kill")};
        }
        return JobOrder{reader.id("job"), read_request(reader.inner("request")),
                        read_limits(reader.inner("limits")), reader.boolean("stays")};
    });
}

std::string encode_event(const Event& event) {
    if (const auto* ready = std::get_if<ZygoteReady>(&event)) {
        return json::serialize(json::object{{"ready", ready->confinement}});
    }
    if (const auto* refused = std::get_if<ChildRefused>(&event)) {
        return json::serialize(json::object{{"refused", refused->id}, {"reason", refused->reason}});
    }
    const auto& ended = std::get<ChildEnded>(event);
    return json::serialize(json::object{
        {"ended", ended.id}, {"exit_code", ended.exit_code}, {"signal", ended.signal}});
}

base::Result<Event> decode_event(std::string_view text) {
    return read_message<Event>(text, [](Reader reader) -> Event {
        if (reader.has("ready")) {
            return ZygoteReady{reader.text("ready", kErrorTextBytesMax)};
        }
        if (reader.has("refused")) {
            return ChildRefused{reader.id("refused"), reader.text("reason", kErrorTextBytesMax)};
        }
        return ChildEnded{reader.id("ended"), static_cast<int>(reader.integer("exit_code", 0, 255)),
                          static_cast<int>(reader.integer("signal", 0, 127))};
    });
}

std::string encode_progress(double value) {
    return json::serialize(json::object{{"progress", value}});
}

std::string encode_at_rest() {
    return json::serialize(json::object{{"at_rest", true}});
}

std::string encode_outcome(const Outcome& outcome) {
    if (!outcome) {
        return json::serialize(json::object{{"error", error_json(outcome.error())}});
    }
    if (const auto* probe = std::get_if<ProbeReport>(&*outcome)) {
        return json::serialize(json::object{{"ok", reply_json(*probe)}});
    }
    if (const auto* analysis = std::get_if<AnalyzeReport>(&*outcome)) {
        return json::serialize(json::object{{"ok", reply_json(*analysis)}});
    }
    return json::serialize(json::object{{"ok", json::object{}}});
}

base::Result<ChildMessage> decode_child_message(Operation operation, std::string_view text) {
    return read_message<ChildMessage>(text, [operation](Reader reader) -> ChildMessage {
        if (reader.has("progress")) {
            return ProgressMade{reader.number("progress", 0, 1)};
        }
        if (reader.has("at_rest")) {
            reader.check(reader.boolean("at_rest"), "at_rest");
            return AtRest{};
        }
        if (reader.has("error")) {
            return Outcome(std::unexpected(read_error(reader.inner("error"))));
        }
        const Reader ok = reader.inner("ok");
        switch (operation) {
            case Operation::probe:
                return Outcome(read_probe(ok));
            case Operation::analyze:
                return Outcome(read_analysis(ok));
            case Operation::thumbnail:
            case Operation::rendition:
                break;
        }
        return Outcome(Reply(std::monostate{}));
    });
}

}  // namespace kinodex::media
