// Decoder::greedy: the text of the likeliest class of each time step.
#include "engine/decode/ctc_greedy.h"
#include "engine/decode/search.h"

namespace lprnet {
namespace {

class GreedySearch final : public Search {
public:
    explicit GreedySearch(const SearchOptions& options)
        : classes_(options.classes), blank_(options.blank) {}

    std::unique_ptr<Search> clone() const override { return std::make_unique<GreedySearch>(*this); }
    std::size_t most_texts() const noexcept override { return 1; }

    void find(const Posterior& /*posterior*/, std::span<const float> logits,
              FoundTexts& found) noexcept override {
        found.add(best_path(logits, classes_, blank_, found.next_labels()).size(), 0.0);
    }

private:
    std::size_t classes_;
    int blank_;
};

}  // namespace

std::unique_ptr<Search> make_greedy_search(const SearchOptions& options) {
    return std::make_unique<GreedySearch>(options);
}

}  // namespace lprnet
