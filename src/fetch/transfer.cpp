#include "fetch/transfer.h"

#include <sys/socket.h>

#include <cstring>

#include "fetch/loop.h"

namespace kinodex::fetch {
namespace {

using base::Errc;

// What curl reads from a socket at once.
constexpr long kReceiveBytes = 256 * 1024;

std::span<const std::byte> bytes_of(const char* bytes, std::size_t size) {
    return std::as_bytes(std::span(bytes, size));
}

}  // namespace

Transfer::Transfer(Request request, std::shared_ptr<Loop> loop)
    : request_(std::move(request)),
      loop_(std::move(loop)),
      easy_(nullptr, &curl_easy_cleanup),
      headers_(nullptr, &curl_slist_free_all),
      ok_lines_(nullptr, &curl_slist_free_all) {}

Transfer::~Transfer() = default;

runtime::Asked<Head> Transfer::head() {
    while (true) {
        {
            const std::lock_guard lock(mutex_);
            if (head_) {
                co_return *head_;
            }
            if (error_) {
                co_return std::unexpected(*error_);
            }
        }
        co_await event_.wait();
    }
}

runtime::Asked<Piece> Transfer::read() {
    while (true) {
        if (auto outcome = next()) {
            co_return std::move(*outcome);
        }
        co_await event_.wait();
    }
}

/// Whole blocks while more is coming; what there is when a second has passed or nothing follows.
std::optional<base::Result<Piece>> Transfer::next() {
    bool wants_more = false;
    std::unique_ptr<Block> block;
    {
        const std::lock_guard lock(mutex_);
        if (ready_) {
            block = std::move(ready_);
        } else if ((has_ended_ || has_ticked_) && filling_ && filling_->size > 0) {
            block = std::move(filling_);
        } else if (error_) {
            return std::unexpected(*error_);
        } else if (has_ended_) {
            return Piece{};
        } else if (!has_ticked_) {
            return std::nullopt;
        }
        has_ticked_ = false;
        wants_more = block && std::exchange(is_paused_, false);
    }
    if (wants_more) {
        loop_->go_on(shared_from_this());
    }
    return block ? piece_of(std::move(block)) : Piece{Piece::Kind::tick, {}, {}};
}

Piece Transfer::piece_of(std::unique_ptr<Block> block) {
    auto give_back = [weak = weak_from_this()](Block* used) {
        std::unique_ptr<Block> owned(used);
        if (auto self = weak.lock()) {
            self->recycle(std::move(owned));
        }
    };
    const std::shared_ptr<Block> shared(block.release(), std::move(give_back));
    return {Piece::Kind::bytes, {shared->bytes.get(), shared->size}, shared};
}

void Transfer::recycle(std::unique_ptr<Block> block) {
    {
        const std::lock_guard lock(mutex_);
        block->size = 0;
        free_.push_back(std::move(block));
        if (!std::exchange(is_paused_, false)) {
            return;
        }
    }
    loop_->go_on(shared_from_this());
}

std::unique_ptr<Transfer::Block> Transfer::new_block() {
    if (!free_.empty()) {
        auto block = std::move(free_.back());
        free_.pop_back();
        return block;
    }
    if (blocks_made_ == kBlocksMax) {
        return nullptr;
    }
    ++blocks_made_;
    return std::make_unique<Block>(
        Block{std::make_unique_for_overwrite<std::byte[]>(kBlockBytes), 0});
}

CURL* Transfer::open() {
    easy_.reset(curl_easy_init());
    CURL* easy = easy_.get();
    if (easy == nullptr) {
        return nullptr;
    }
    problem_.resize(CURL_ERROR_SIZE);
    const auto add = [](auto& list, const char* line) {
        list.reset(curl_slist_append(list.release(), line));
    };
    // No codings: a body of a few bytes must not become gigabytes here.
    add(headers_, "Accept-Encoding: identity");
    add(headers_, "Expect:");
    for (const auto& line : request_.headers) {
        add(headers_, line.c_str());
    }
    add(ok_lines_, "ICY 200 OK");
    const auto& patience = request_.patience;
    curl_easy_setopt(easy, CURLOPT_URL, request_.url.text.c_str());
    curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, problem_.data());
    // Only these two, whatever a URL says; redirects are followed by the caller, hop by hop.
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &on_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
    // Nothing from the environment or the home directory, and no connection of another request.
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_HTTP200ALIASES, ok_lines_.get());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "Kinodex/" KN_VERSION);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!request_.ca_file.empty()) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, request_.ca_file.c_str());
        curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
    }
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    // A name server that does not answer must not hold up the other transfers, nor a stop.
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(patience.connect.count()));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSec);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(patience.stall.count()));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(patience.total.count()));
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kReceiveBytes);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    if (request_.method == Method::post) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(request_.body.size()));
    }
    return easy;
}

/// The guard: names have been resolved, and this is where the connection would go.
curl_socket_t Transfer::on_socket(void* self, curlsocktype purpose, curl_sockaddr* to) {
    auto& transfer = *static_cast<Transfer*>(self);
    const auto& url = transfer.request_.url;
    const auto address = address_of(to->addr);
    if (purpose != CURLSOCKTYPE_IPCXN || !address ||
        !transfer.request_.rules->allow(url.host, url.port, *address)) {
        transfer.address_refused_ = true;
        return CURL_SOCKET_BAD;
    }
    return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

std::size_t Transfer::on_header(char* line, std::size_t one, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const auto state = transfer.head_reader_.add_line({line, one * size});
    if (state == HeadReader::State::refused) {
        return 0;
    }
    if (state == HeadReader::State::complete) {
        {
            const std::lock_guard lock(transfer.mutex_);
            if (transfer.head_) {
                return one * size;  // a trailer
            }
            transfer.head_ = transfer.head_reader_.head();
        }
        transfer.event_.set();
    }
    return one * size;
}

std::size_t Transfer::on_body(char* bytes, std::size_t one, std::size_t size, void* self) {
    return static_cast<Transfer*>(self)->take(bytes_of(bytes, one * size));
}

std::size_t Transfer::take(std::span<const std::byte> bytes) {
    if (is_discarding_) {
        return bytes.size();
    }
    bool filled_one = false;
    bool is_stuck = false;
    {
        const std::lock_guard lock(mutex_);
        const bool is_full = filling_ && filling_->size + bytes.size() > kBlockBytes;
        if (is_full && !ready_) {
            ready_ = std::move(filling_);
            filled_one = true;
        }
        if (!filling_) {
            filling_ = new_block();
        }
        is_stuck = !filling_ || filling_->size + bytes.size() > kBlockBytes;
        if (!is_stuck) {
            std::memcpy(filling_->bytes.get() + filling_->size, bytes.data(), bytes.size());
            filling_->size += bytes.size();
        }
        is_paused_ = is_stuck;
    }
    if (filled_one) {
        event_.set();
    }
    // Room made from here on is told by `go_on`, which this thread obeys after it has paused.
    return is_stuck ? CURL_WRITEFUNC_PAUSE : bytes.size();
}

void Transfer::tick() {
    {
        const std::lock_guard lock(mutex_);
        has_ticked_ = true;
    }
    event_.set();
}

void Transfer::go_on() {
    if (easy_) {
        curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
    }
}

/// curl 7.88 forgets to free what a paused transfer holds; so it is let out first.
void Transfer::discard() {
    is_discarding_ = true;
    go_on();
}

void Transfer::finish(CURLcode code) {
    if (code != CURLE_OK) {
        fail(error_of(code));
        return;
    }
    easy_.reset();
    {
        const std::lock_guard lock(mutex_);
        has_ended_ = true;
    }
    event_.set();
}

void Transfer::fail(base::Error error) {
    easy_.reset();
    {
        const std::lock_guard lock(mutex_);
        has_ended_ = true;
        error_ = std::move(error);
    }
    event_.set();
}

base::Error Transfer::error_of(CURLcode code) const {
    const auto failed = [this](Errc errc, std::string detail) {
        return base::fail(errc, {{"url", request_.asked_url}},
                          request_.url.host + ": " + std::move(detail))
            .error();
    };
    if (address_refused_ && code == CURLE_COULDNT_CONNECT) {
        return failed(Errc::media_url_not_accessible, "its address is not allowed");
    }
    // The buffer ends where the text does not.
    // NOLINTNEXTLINE(readability-redundant-string-cstr)
    const std::string words(problem_.c_str());
    const auto detail = words.empty() ? curl_easy_strerror(code) : words;
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_OPERATION_TIMEDOUT:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_GOT_NOTHING:
        case CURLE_PARTIAL_FILE:
            return failed(Errc::media_url_unreachable, detail);
        default:
            return failed(Errc::media_url_not_accessible, detail);
    }
}

}  // namespace kinodex::fetch
