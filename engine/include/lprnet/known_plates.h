// A text that was read against a list of plates that are expected.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "lprnet/error.h"
#include "lprnet/export.h"

namespace lprnet {

// Immutable after construction; safe to use from many threads.
class LPRNET_API KnownPlates {
public:
    // UTF-8. Takes the list as it is: to compare costs no memory but that of a call.
    explicit KnownPlates(std::vector<std::string> plates) noexcept : plates_(std::move(plates)) {}

    struct Match {
        std::size_t index = 0;  // in plates()
        // P(the text is read | this plate) / P(it is read | a plate that reads so), by counted
        // confusions of characters: 1 for equal texts, around 0.01 to 0.1 for a usual confusion
        // such as D for 0, 0.0001 and less for two places that are not easy to confuse.
        double likelihood = 0.0;
    };

    // The best `count` plates with at least that likelihood, best first; of equal ones the first in
    // the list. What is longer than any plate, more than 64 characters or 256 bytes, is like
    // nothing but itself, so that a call takes at most about 0.1 ms for each plate of the list,
    // and about 1 us for usual ones. The one error is `out_of_memory`.
    Result<std::vector<Match>> find(const std::string& text, std::size_t count = 1,
                                    double least_likelihood = 1e-3) const noexcept;

    const std::vector<std::string>& plates() const noexcept LPRNET_LIFETIMEBOUND { return plates_; }

private:
    std::vector<std::string> plates_;
};

}  // namespace lprnet
