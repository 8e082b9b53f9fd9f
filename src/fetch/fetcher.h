// Outgoing HTTP: what the server fetches for its clients, and tells other servers.
//
// Promises: only http and https; every connection, also after a redirect, goes to an address that
// the request's AddressRules allow, looked at after the name was resolved; no proxy, cookies or
// credentials of this machine; every wait is bounded by the request's Patience; a body is held in
// a few blocks, however large it is. All bytes move on one thread of the Fetcher's own, and what
// is awaited resumes on the caller's executor. Start reading at `class Fetcher`; `download.h` has
// bodies that survive a broken connection.
//
// Errors of all calls: media_url_not_accessible when the same request cannot help,
// media_url_unreachable when it may later, overloaded, shutting_down.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fetch/exchange.h"
#include "runtime/task.h"

namespace kinodex::fetch {

class Loop;
class Transfer;

inline constexpr int kRedirectsMax = 5;

struct FetcherOptions {
    std::size_t transfers_max = 64;  // at once; each holds about 1.3 MB at most
    std::string ca_file;             // certificates that servers are checked with; empty: system's
};

/// An answer whose body is read piece by piece. Dropped early, its connection is closed.
class Answer {
  public:
    Answer(std::shared_ptr<Transfer> transfer, std::shared_ptr<Loop> loop, Head head);
    ~Answer();
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;

    [[nodiscard]] const Head& head() const { return head_; }
    /// One call at a time; after `end` not again. Returns `tick` about once a second while nothing
    /// comes.
    runtime::Asked<Piece> read();

  private:
    std::shared_ptr<Transfer> transfer_;
    std::shared_ptr<Loop> loop_;
    Head head_;
};

struct GetRequest {
    std::string url;
    std::shared_ptr<const AddressRules> rules;
    Patience patience;
    std::vector<std::string> headers;  // "Name: value"
};

struct PostRequest {
    std::string url;
    std::shared_ptr<const AddressRules> rules;
    Patience patience;
    std::vector<std::string> headers;
    std::string body;
};

class Fetcher {
  public:
    explicit Fetcher(FetcherOptions options);
    ~Fetcher();
    Fetcher(const Fetcher&) = delete;
    Fetcher& operator=(const Fetcher&) = delete;

    /// Follows redirects; returns with the head of the answer that is none, whatever its status.
    /// Errors: also parameter_invalid for a URL that is none.
    runtime::Asked<std::unique_ptr<Answer>> get(GetRequest request);
    /// Sends a small body and returns with the head of the answer, whatever comes of its body.
    /// Redirects are answers like others.
    runtime::Asked<Head> post(PostRequest request);

    /// Fails what runs with shutting_down and refuses what comes. Safe twice, any thread.
    void stop();
    [[nodiscard]] std::size_t transfers() const;

  private:
    runtime::Asked<std::unique_ptr<Answer>> begin(Request request);

    FetcherOptions options_;
    std::shared_ptr<Loop> loop_;  // shared with transfers that are still being read
};

}  // namespace kinodex::fetch
