#include "media/sandbox/sandboxed_media.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "media/sandbox/worker_pool.h"
#include "runtime/lane.h"

namespace kinodex::media {
namespace {

/// Copies of the caller's descriptors: a call may be cancelled, and its numbers reused, while its
/// order still waits in the queue. A source that is writable is opened again for reading only.
base::Result<std::vector<base::UniqueFd>> own_descriptors(const Request& request) {
    std::vector<base::UniqueFd> owned;
    for (const int fd : descriptors_of(request)) {
        const bool is_source = owned.empty();
        const int flags = ::fcntl(fd, F_GETFL);
        const bool is_writable = flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
        if (is_source && is_writable) {
            const std::string path = "/proc/self/fd/" + std::to_string(fd);
            owned.emplace_back(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        } else {
            owned.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
        }
        if (!owned.back()) {
            return base::fail(base::Errc::internal, {},
                              std::string("descriptor for a media child: ") + std::strerror(errno));
        }
    }
    return owned;
}

class SandboxedMedia final : public Media {
  public:
    explicit SandboxedMedia(SandboxOptions options)
        : pool_(std::make_shared<WorkerPool>(std::move(options))), lane_("media", 1, 1) {
        // The lane's thread is also the zygote's parent: the kernel ends the zygote when it ends.
        [[maybe_unused]] const bool posted = lane_.post([pool = pool_] { pool->run(); });
    }
    ~SandboxedMedia() override {
        pool_->stop();
        pool_->close();
    }

    Asked<ProbeReport> probe(ProbeRequest request) override {
        KN_CO_TRY(reply, co_await run(Request(request), {}));
        co_return std::get<ProbeReport>(std::move(reply));
    }
    Asked<void> thumbnail(ThumbnailRequest request) override {
        KN_CO_TRY(reply, co_await run(Request(request), {}));
        (void)reply;
        co_return base::Result<void>();
    }
    Asked<void> rendition(RenditionRequest request) override {
        auto on_progress = std::move(request.on_progress);
        KN_CO_TRY(reply, co_await run(Request(std::move(request)), std::move(on_progress)));
        (void)reply;
        co_return base::Result<void>();
    }
    Asked<AnalyzeReport> analyze(AnalyzeRequest request) override {
        auto on_progress = std::move(request.on_progress);
        KN_CO_TRY(reply, co_await run(Request(std::move(request)), std::move(on_progress)));
        co_return std::get<AnalyzeReport>(std::move(reply));
    }
    void stop() override { pool_->stop(); }

  private:
    Asked<Reply> run(Request request, OnProgress on_progress) {
        KN_CO_TRY(fds, own_descriptors(request));
        auto call = std::make_shared<Call>(pool_);
        const CallOwner owner(call);  // a frame that is destroyed while it waits kills the child
        pool_->submit(call, std::move(request), std::move(fds));
        while (true) {
            auto happening = co_await call->next();
            if (happening.outcome) {
                co_return std::move(*happening.outcome);
            }
            if (happening.progress && on_progress && !co_await on_progress(*happening.progress)) {
                co_return base::fail(base::Errc::media_worker_unavailable, {}, "nobody wants it");
            }
        }
    }

    std::shared_ptr<WorkerPool> pool_;  // shared with calls, whose cancellation may come late
    runtime::Lane lane_;
};

}  // namespace

std::unique_ptr<Media> make_sandboxed_media(SandboxOptions options) {
    return std::make_unique<SandboxedMedia>(std::move(options));
}

}  // namespace kinodex::media
