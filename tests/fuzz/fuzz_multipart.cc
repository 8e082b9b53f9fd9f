// Multipart forms and chunked bodies of any bytes: no crash, every view within the input, and the
// same events however the bytes are split over reads. The input's first bytes choose the splits.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "http/chunked.h"
#include "http/multipart.h"

namespace {

using kinodex::http::MultipartParser;
using Event = MultipartParser::Event;

constexpr std::string_view kBoundary = "bound";
constexpr std::size_t kSteps = 8;  // lengths of pieces, used in turn

void tell(std::string& told, const MultipartParser& parser, const MultipartParser::Step& step) {
    if (step.event == Event::part_begin) {
        told += "\n[" + parser.part().name + "|" + parser.part().filename.value_or("-") + "|" +
                parser.part().content_type + "]";
    } else if (step.event == Event::part_data) {
        told += step.data;
    } else if (step.event == Event::part_end) {
        told += "\n;";
    } else if (step.event == Event::finished) {
        told += "\n.";
    }
}

/// All events as one text. `steps` empty: the whole body at once.
std::string story(std::string_view body, const std::vector<std::size_t>& steps) {
    MultipartParser parser(kBoundary);
    std::string told;
    std::size_t begin = 0;
    std::size_t end = steps.empty() ? body.size() : 0;
    for (std::size_t turn = 0;; ++turn) {
        const bool ends = end == body.size();
        const auto view = body.substr(begin, end - begin);
        const auto step = parser.next(view, ends);
        if (!step) {
            return told + "\n!";
        }
        KN_CHECK(step->consumed <= view.size(), "the parser consumes what it was shown");
        KN_CHECK(step->data.empty() || (step->data.data() >= view.data() &&
                                        step->data.end() <= view.data() + step->consumed),
                 "data lies within what was consumed");
        begin += step->consumed;
        tell(told, parser, *step);
        if (step->event == Event::finished) {
            return told;
        }
        if (step->event == Event::need_more) {
            KN_CHECK(!ends, "nothing more can come");
            const auto more = steps[turn % steps.size()] + 1;
            end = end + more < body.size() ? end + more : body.size();
        }
    }
}

std::string unchunked(std::string_view body, const std::vector<std::size_t>& steps) {
    kinodex::http::ChunkDecoder decoder;
    std::string content;
    std::size_t begin = 0;
    for (std::size_t turn = 0; begin < body.size() && !decoder.is_done(); ++turn) {
        const auto size = steps.empty() ? body.size() : steps[turn % steps.size()] + 1;
        std::string piece(body.substr(begin, size));
        const auto decoded = decoder.decode(piece);
        if (!decoded) {
            return "!";  // what came before the mistake depends on the split
        }
        KN_CHECK(decoded->content <= decoded->consumed && decoded->consumed <= piece.size(),
                 "content comes from what was consumed");
        content += piece.substr(0, decoded->content);
        begin += decoded->consumed;
    }
    return content + "\n" + std::to_string(begin);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < kSteps) {
        return 0;
    }
    const std::vector<std::size_t> steps(data, data + kSteps);
    const std::string_view body(reinterpret_cast<const char*>(data) + kSteps, size - kSteps);
    KN_CHECK(story(body, {}) == story(body, steps), "splits change nothing");
    KN_CHECK(story(body, {}) == story(body, {0}), "byte by byte changes nothing");
    KN_CHECK(unchunked(body, {}) == unchunked(body, steps), "splits change no chunk");
    const auto boundary = kinodex::http::multipart_boundary(body.substr(0, 256));
    KN_CHECK(!boundary || boundary->size() <= kinodex::http::kBoundaryBytesMax, "bounded");
    return 0;
}
