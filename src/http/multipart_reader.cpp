#include "http/multipart_reader.h"

#include <fmt/format.h>

#include <cstring>
#include <mutex>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "http/query.h"

namespace kinodex::http {

using Event = MultipartParser::Event;

/// Buffers that come back when nobody holds them any more, on whatever thread that is. Those who
/// fill one see it through the lock after those who read it.
class MultipartReader::Buffers : public std::enable_shared_from_this<Buffers> {
  public:
    explicit Buffers(std::size_t bytes) : bytes_(bytes) {}

    std::shared_ptr<char[]> take() {
        std::unique_ptr<char[]> buffer;
        {
            const std::lock_guard lock(mutex_);
            if (!free_.empty()) {
                buffer = std::move(free_.back());
                free_.pop_back();
            }
        }
        if (buffer == nullptr) {
            buffer = std::make_unique_for_overwrite<char[]>(bytes_);
        }
        return {buffer.release(),
                [self = shared_from_this()](char* bytes) { self->give_back(bytes); }};
    }

  private:
    void give_back(char* bytes) {
        std::unique_ptr<char[]> buffer(bytes);
        const std::lock_guard lock(mutex_);
        free_.push_back(std::move(buffer));
    }

    const std::size_t bytes_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<char[]>> free_;
};

MultipartReader::MultipartReader(std::string boundary, BodyReader& body, std::size_t buffer_bytes)
    : parser_(boundary),
      body_(body),
      buffer_bytes_(buffer_bytes),
      buffers_(std::make_shared<Buffers>(buffer_bytes)) {
    KN_CHECK(buffer_bytes >= kMultipartViewBytesMin, "the buffer holds what the parser must see");
}

Asked<std::optional<PartHead>> MultipartReader::next_part() {
    while (true) {
        KN_CO_TRY(next, co_await step(Fill::some));
        if (next.event == Event::part_begin) {
            in_part_ = true;
            co_return parser_.part();
        }
        if (next.event == Event::finished) {
            KN_CO_PASS(co_await pass_epilogue());
            co_return std::nullopt;
        }
    }
}

Asked<std::span<const std::byte>> MultipartReader::read_part() {
    if (!in_part_) {
        co_return std::span<const std::byte>{};
    }
    KN_CO_TRY(next, co_await step(Fill::whole));
    if (next.event == Event::part_end) {
        in_part_ = false;
        co_return std::span<const std::byte>{};
    }
    co_return std::as_bytes(std::span(next.data));
}

Asked<std::string> MultipartReader::read_text(std::size_t limit_bytes) {
    std::string text;
    const auto refuse = [this](std::string reason) {
        return base::fail(base::Errc::parameter_invalid,
                          {{"parameter", parser_.part().name}, {"reason", std::move(reason)}});
    };
    while (true) {
        KN_CO_TRY(piece, co_await read_part());
        if (piece.empty()) {
            break;
        }
        if (piece.size() > limit_bytes - text.size()) {
            co_return refuse(fmt::format("longer than {} bytes", limit_bytes));
        }
        text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    }
    if (!base::is_utf8(text)) {
        co_return refuse("not UTF-8");
    }
    co_return text;
}

/// The parser's next event that is not need_more.
Asked<MultipartParser::Step> MultipartReader::step(Fill fill) {
    if (fill == Fill::whole && end_ - begin_ < buffer_bytes_ / 2 && !body_ends_) {
        KN_CO_PASS(co_await fill_buffer(fill));
    }
    while (true) {
        const std::string_view unread(buffer_.get() + begin_, end_ - begin_);
        KN_CO_TRY(next, parser_.next(unread, body_ends_));
        begin_ += next.consumed;
        if (next.event != Event::need_more) {
            co_return next;
        }
        KN_CO_PASS(co_await fill_buffer(fill));
    }
}

/// Reads on to the end of the body: only then has all of it come, and the connection can be used
/// again.
Asked<void> MultipartReader::pass_epilogue() {
    while (!body_ends_) {
        begin_ = end_;
        KN_CO_PASS(co_await fill_buffer(Fill::some));
        epilogue_bytes_ += end_ - begin_;
        if (epilogue_bytes_ > kEpilogueBytesMax) {
            co_return base::fail(base::Errc::invalid_multipart, {}, "an epilogue too long");
        }
    }
    buffer_.reset();
    buffers_ = std::make_shared<Buffers>(buffer_bytes_);
    begin_ = end_ = 0;
    co_return base::Status{};
}

Asked<void> MultipartReader::fill_buffer(Fill fill) {
    const auto from = buffer_;
    // Held here once, as the member once, and perhaps by a writer.
    if (buffer_ == nullptr || buffer_.use_count() > 2) {
        buffer_ = buffers_->take();
    }
    if (end_ > begin_) {
        std::memmove(buffer_.get(), from.get() + begin_, end_ - begin_);
    }
    end_ -= begin_;
    begin_ = 0;
    KN_CHECK(end_ < buffer_bytes_, "the parser gets on with a full buffer");
    do {
        const auto room = std::span(buffer_.get() + end_, buffer_bytes_ - end_);
        KN_CO_TRY(count, co_await body_.read(std::as_writable_bytes(room)));
        end_ += count;
        body_ends_ = count == 0;
    } while (fill == Fill::whole && end_ < buffer_bytes_ && !body_ends_);
    co_return base::Status{};
}

}  // namespace kinodex::http
