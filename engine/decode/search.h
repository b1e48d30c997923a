// What each decoder does alone: to find texts in the network's output. How they are ranked and
// become a reading is text_decoder.h's, and the same for all. A decoder is a file NAME_search.cpp
// with a function make_NAME_search(), its row in search.cpp and one in kDecoders
// (lprnet/decoding.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/decode/automaton.h"
#include "engine/decode/posterior.h"
#include "lprnet/decoding.h"

namespace lprnet {

// Where a search puts its texts. Allocates in the constructor and in reserve() alone.
class FoundTexts {
public:
    struct Text {
        std::uint32_t index;  // of its labels
        std::uint32_t count;
        double log_p;       // without and
        double log_weight;  // with its prior
        std::int32_t format;
    };

    FoundTexts(std::size_t most, std::size_t time_steps)
        : time_steps_(time_steps), most_(most), labels_(most * time_steps) {
        reserve();
    }

    // Takes the memory of all texts, unless it is there: a copy has none of its own yet.
    void reserve() { texts_.reserve(most_); }

    void clear() noexcept { texts_.clear(); }
    // Room for the labels of the next text, one a time step. Precondition: less than `most` texts.
    std::span<std::int32_t> next_labels() noexcept {
        return std::span(labels_).subspan(texts_.size() * time_steps_, time_steps_);
    }
    // A text of the first `count` labels there. log_p: ln of its probability, as far as the search
    // knows it.
    void add(std::size_t count, double log_p) noexcept {
        texts_.push_back({static_cast<std::uint32_t>(texts_.size()),
                          static_cast<std::uint32_t>(count), log_p, log_p, Automaton::kNone});
    }

    std::vector<Text>& texts() noexcept { return texts_; }
    std::span<const std::int32_t> labels_of(const Text& text) const noexcept {
        return std::span(labels_).subspan(text.index * time_steps_, text.count);
    }

private:
    std::size_t time_steps_;
    std::size_t most_;
    std::vector<Text> texts_;
    std::vector<std::int32_t> labels_;  // [text][step]
};

// What a search is made for.
struct SearchOptions {
    std::size_t time_steps;
    std::size_t classes;
    int blank;
    std::size_t beam_width;                      // of those that have a beam
    std::shared_ptr<const Automaton> automaton;  // of the formats; not null if they are needed
};

// Owns its working memory; one for each thread.
class Search {
public:
    Search() = default;
    virtual ~Search() = default;
    Search& operator=(const Search&) = delete;

    // With memory of its own for all that find() does.
    virtual std::unique_ptr<Search> clone() const = 0;

    // Texts that find() gives at most.
    virtual std::size_t most_texts() const noexcept = 0;

    // logits: [step][class] before the softmax, of which `posterior` is. Adds to `found`, which is
    // empty. Allocates nothing.
    virtual void find(const Posterior& posterior, std::span<const float> logits,
                      FoundTexts& found) noexcept = 0;

    // True if a text counts with the prior of its format, and texts without one for nothing.
    virtual bool weighs_formats() const noexcept { return false; }

    // ln of what the probabilities of all texts that count sum to. Allocates nothing.
    virtual double log_norm(const Posterior& /*posterior*/) noexcept { return 0.0; }

protected:
    Search(const Search&) = default;
};

// The search of a decoder, which has to be one of kDecoders. May throw std::bad_alloc.
std::unique_ptr<Search> make_search(Decoder decoder, const SearchOptions& options);

// A search as a value: a copy has one of its own.
class OwnedSearch {
public:
    explicit OwnedSearch(std::unique_ptr<Search> search) noexcept : search_(std::move(search)) {}
    OwnedSearch(OwnedSearch&&) noexcept = default;
    OwnedSearch(const OwnedSearch& other) : search_(other.search_ ? other->clone() : nullptr) {}
    OwnedSearch& operator=(OwnedSearch other) noexcept {
        search_ = std::move(other.search_);
        return *this;
    }
    ~OwnedSearch() = default;

    Search* operator->() const noexcept { return search_.get(); }

private:
    std::unique_ptr<Search> search_;
};

}  // namespace lprnet
