// One HTTP exchange, shared by the thread that moves its bytes and the coroutine that reads them.
//
// Between the two lie a few blocks of fixed size. When all are full the connection is left alone
// until the reader has used one up, so a slow reader costs those blocks and nothing more.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "fetch/exchange.h"
#include "fetch/head_reader.h"
#include "runtime/event.h"

namespace kinodex::fetch {

class Loop;

inline constexpr std::size_t kBlockBytes = 256 * 1024;
inline constexpr std::size_t kBlocksMax = 4;

class Transfer : public std::enable_shared_from_this<Transfer> {
  public:
    Transfer(Request request, std::shared_ptr<Loop> loop);
    ~Transfer();
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    // The reader's side. Errors of both: media_url_not_accessible when the same request cannot
    // help, media_url_unreachable when it may, shutting_down.
    runtime::Asked<Head> head();
    runtime::Asked<Piece> read();

    // The loop's side, on its thread.
    CURL* open();
    void tick();
    void go_on();
    /// Before it is taken off the loop.
    void discard();
    void finish(CURLcode code);
    void fail(base::Error error);

  private:
    struct Block {
        std::unique_ptr<std::byte[]> bytes;
        std::size_t size = 0;
    };

    static std::size_t on_header(char* line, std::size_t one, std::size_t size, void* self);
    static std::size_t on_body(char* bytes, std::size_t one, std::size_t size, void* self);
    static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* to);
    std::size_t take(std::span<const std::byte> bytes);
    std::unique_ptr<Block> new_block();
    std::optional<base::Result<Piece>> next();
    Piece piece_of(std::unique_ptr<Block> block);
    void recycle(std::unique_ptr<Block> block);
    base::Error error_of(CURLcode code) const;

    const Request request_;
    const std::shared_ptr<Loop> loop_;  // outlives the transfers it is asked to drop
    runtime::Event event_;

    // Of the loop's thread alone.
    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_;
    std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers_;
    std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> ok_lines_;
    std::string problem_;  // curl's own words, for the log
    HeadReader head_reader_;
    bool address_refused_ = false;
    bool is_discarding_ = false;

    std::mutex mutex_;
    std::optional<Head> head_;
    std::unique_ptr<Block> filling_;
    std::unique_ptr<Block> ready_;
    std::vector<std::unique_ptr<Block>> free_;
    std::size_t blocks_made_ = 0;
    bool is_paused_ = false;
    bool has_ticked_ = false;
    bool has_ended_ = false;
    std::optional<base::Error> error_;
};

}  // namespace kinodex::fetch
