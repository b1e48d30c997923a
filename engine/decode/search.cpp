#include "engine/decode/search.h"

#include <iterator>

#include "engine/decode/compiled_decoders.h"

namespace lprnet {

using Make = std::unique_ptr<Search>(const SearchOptions& options);
// Each in a file of its own.
Make make_greedy_search, make_beam_search, make_grammar_search;

std::unique_ptr<Search> make_search(Decoder decoder, const SearchOptions& options) {
    // In the order of kDecoders.
    constexpr Make* kMakers[] = {
        make_greedy_search,
        is_compiled(Decoder::beam) ? make_beam_search : nullptr,
        is_compiled(Decoder::grammar) ? make_grammar_search : nullptr,
    };
    static_assert(std::size(kMakers) == std::size(kDecoders), "each decoder has its search");
    return kMakers[static_cast<std::size_t>(decoder)](options);
}

}  // namespace lprnet
