#include "service/indexing.h"

#include "domain/metadata_text.h"
#include "observe/log.h"
#include "service/leftovers.h"
#include "service/object_keys.h"

namespace kinodex::service {
namespace {

using base::Errc;
using domain::IndexedAsset;
using domain::IndexingStatus;
using domain::StreamStatus;

// A job that was begun this often and never came to an end is what kills its workers.
constexpr int kAttemptsMax = 10;

void append_field(std::string& out, std::string_view name, double number) {
    domain::append_json_text(out, name);
    out += ':';
    domain::append_json_number(out, number);
}

}  // namespace

std::string shots_json(const media::AnalyzeReport& report) {
    std::string out = "{\"shots\":[";
    for (const auto& shot : report.shots) {
        out += out.ends_with('[') ? "{" : ",{";
        append_field(out, "start_sec", shot.start_sec);
        out += ',';
        append_field(out, "end_sec", shot.end_sec);
        out += ',';
        append_field(out, "picture_sec", shot.picture_sec);
        out += ",\"picture_offset\":" + std::to_string(shot.picture_offset);
        out += ",\"picture_bytes\":" + std::to_string(shot.picture_bytes) + "}";
    }
    return out + "]}";
}

std::string audio_json(const media::AudioReport& report) {
    std::string out = "{";
    append_field(out, "duration_sec", report.duration_sec);
    out += ',';
    append_field(out, "integrated_lufs", report.integrated_lufs);
    out += ',';
    append_field(out, "loudness_range_lu", report.loudness_range_lu);
    out += ',';
    append_field(out, "true_peak_dbtp", report.true_peak_dbtp);
    out += ",\"loudness_lufs\":[";
    for (const float loudness : report.loudness_lufs) {
        out += out.ends_with('[') ? "" : ",";
        domain::append_json_number(out, static_cast<double>(loudness));
    }
    out += "],\"silences\":[";
    for (const auto& silence : report.silences) {
        out += out.ends_with('[') ? "{" : ",{";
        append_field(out, "start_sec", silence.start_sec);
        out += ',';
        append_field(out, "end_sec", silence.end_sec);
        out += '}';
    }
    return out + "]}";
}

class Indexing::InProgress {
  public:
    InProgress(Indexing& indexing, domain::IndexedAssetId id) : indexing_(indexing), id_(id) {
        set(0);
    }
    ~InProgress() {
        const std::lock_guard lock(indexing_.mutex_);
        indexing_.progress_.erase(id_);
    }
    InProgress(const InProgress&) = delete;
    InProgress& operator=(const InProgress&) = delete;
    void set(double progress) {
        const std::lock_guard lock(indexing_.mutex_);
        indexing_.progress_[id_] = progress;
    }

  private:
    Indexing& indexing_;
    domain::IndexedAssetId id_;
};

double Indexing::mean_progress() const {
    const std::lock_guard lock(mutex_);
    double sum = 0;
    for (const auto& [id, progress] : progress_) {
        sum += progress;
    }
    return progress_.empty() ? 0 : sum / static_cast<double>(progress_.size());
}

runtime::Task<Step> Indexing::run(domain::IndexedAssetId id, int attempts) {
    auto item = co_await store_.find_indexed_asset(id);
    if (!item) {
        // Deleted, perhaps under an earlier run that has put something in place.
        const bool is_deleted = item.error().code == Errc::resource_not_exist;
        co_return is_deleted&& co_await remove_leftovers(store_, id) ? Step::done : Step::later;
    }
    if (item->status == IndexingStatus::ready || item->status == IndexingStatus::failed) {
        co_return Step::done;
    }
    auto queued = co_await store_.set_indexing(id, {IndexingStatus::queued, "", {}, {}});
    if (!queued || !*queued) {
        co_return queued ? Step::done : Step::later;
    }
    base::Status analyzed;
    if (attempts > kAttemptsMax) {
        analyzed = base::fail(Errc::file_unprocessable, {}, "indexing was begun too often");
    } else {
        analyzed = co_await analyze(*item);
    }
    store::IndexingOutcome outcome;
    if (analyzed) {
        outcome.status = IndexingStatus::ready;
        if (item->stream == StreamStatus::processing) {
            outcome.stream = co_await stream_of(*item);
        }
    } else {
        const auto& error = analyzed.error();
        const bool passing = is_passing(error);
        observe::log_warn(
            "indexing_failed",
            {{"indexed_asset_id", id.text()}, {"detail", error.detail}, {"retry", passing}});
        if (passing) {
            co_return is_of_the_server(error) ? Step::postponed : Step::later;
        }
        outcome.status = IndexingStatus::failed;
        outcome.error_message = describe_(error);
        if (item->stream == StreamStatus::processing) {
            outcome.stream = StreamStatus::canceled;
        }
    }
    if (announces_) {
        outcome.jobs.push_back({domain::JobKind::announce, id.text()});
    }
    auto stored = co_await store_.set_indexing(id, std::move(outcome));
    const bool is_clean = (co_await remove_leftovers(store_, id)).has_value();
    co_return stored&& is_clean ? Step::done : Step::later;
}

runtime::Asked<void> Indexing::analyze(const IndexedAsset& item) {
    const auto id = item.id;
    KN_CO_TRY(source, co_await objects_.open(source_key(item.asset_id)));
    KN_CO_TRY(pictures, co_await objects_.create());
    KN_CO_TRY(audio, co_await objects_.create());
    KN_CO_PASS(co_await store_.set_indexing(id, {IndexingStatus::indexing, "", {}, {}}));
    media::AnalyzeRequest request;
    request.source_fd = source->fd();
    request.pictures_fd = pictures->fd();
    request.audio_fd = audio->fd();
    InProgress in_progress(*this, id);
    LookNowAndThen looks;
    request.on_progress = [this, id, &in_progress, &looks](double progress) -> runtime::Task<bool> {
        in_progress.set(progress);
        store_.set_progress(id, progress);
        if (!looks.is_time()) {
            co_return true;
        }
        auto known = co_await store_.indexed_assets_exist({id});
        co_return !known || known->front();
    };
    KN_CO_TRY(report, co_await media_.analyze(std::move(request)));
    if (!report.shots.empty()) {
        KN_CO_PASS(co_await pictures->commit(shot_pictures_key(id)));
    }
    if (report.audio) {
        KN_CO_PASS(co_await audio->commit(audio_key(id)));
        KN_CO_PASS(co_await objects_.put(audio_report_key(id), audio_json(*report.audio)));
    }
    co_return co_await objects_.put(shots_key(id), shots_json(report));
}

runtime::Task<StreamStatus> Indexing::stream_of(const IndexedAsset& item) {
    switch (co_await renditions_.make_playback(item.asset_id)) {
        case Step::done:
            co_return StreamStatus::complete;
        case Step::failed:
            co_return StreamStatus::error;
        case Step::later:
        case Step::postponed:
            break;
    }
    // The asset's own playback job follows up and tells every stream that waits for it.
    auto queued =
        co_await store_.insert_job({domain::JobKind::make_rendition, item.asset_id.text()});
    co_return queued ? StreamStatus::processing : StreamStatus::error;
}

}  // namespace kinodex::service
