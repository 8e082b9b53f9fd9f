// A body that survives broken connections: what is missing is asked for again, with back-off, and
// taken only when the other side says that it is the same thing; else it begins anew.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "fetch/fetcher.h"

namespace kinodex::fetch {

struct DownloadRequest {
    std::string url;
    std::shared_ptr<const AddressRules> rules;
    Patience patience;                     // of each connection
    std::chrono::seconds total{6 * 3600};  // of all together
    std::uint64_t bytes_max = 0;
    int breaks_max = 3;                          // in a row, without kProgressBytes in between
    std::chrono::milliseconds first_pause{500};  // after a break; twice as long after each further
};

/// So much received means that the connection works: the count of breaks begins anew.
inline constexpr std::uint64_t kProgressBytes = 1024 * 1024;
/// A body that keeps changing is given up.
inline constexpr int kRestartsMax = 3;

class Download {
  public:
    /// Returns when the body is about to come. Errors: those of Fetcher::get; body_too_large (its
    /// values include content_type) by what is announced; media_url_unsupported_format for encoded
    /// bodies. Not tried again here.
    static runtime::Asked<std::unique_ptr<Download>> open(Fetcher& fetcher,
                                                          DownloadRequest request);

    [[nodiscard]] const Head& head() const { return first_; }
    /// Bytes handed out since the last (re)start.
    [[nodiscard]] std::uint64_t received_bytes() const { return received_; }
    /// The next step. After `restart` the reader forgets what it has. May move to another executor
    /// between calls. Errors: also body_too_large as soon as it is.
    runtime::Asked<Piece> read();

  private:
    using Clock = std::chrono::steady_clock;

    Download(Fetcher& fetcher, DownloadRequest request);
    runtime::Asked<std::unique_ptr<Answer>> ask(std::vector<std::string> headers);
    runtime::Asked<bool> connect();
    runtime::Asked<bool> pause();
    base::Status check_head(const Head& head, unsigned wanted) const;
    [[nodiscard]] base::Error too_large(const Head& head, std::uint64_t size_bytes) const;
    base::Status break_off(base::Error error);
    base::Status begin_anew();
    [[nodiscard]] base::Error failed(base::Errc code, std::string detail) const;

    Fetcher& fetcher_;
    DownloadRequest request_;
    std::unique_ptr<Answer> answer_;  // null between connections
    Head first_;                      // of the answer that began what is being received
    std::uint64_t received_ = 0;
    std::uint64_t since_break_ = 0;
    int breaks_ = 0;
    int restarts_ = 0;
    Clock::time_point deadline_;
    Clock::time_point not_before_;
};

}  // namespace kinodex::fetch
