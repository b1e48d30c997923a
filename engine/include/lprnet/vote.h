// One answer from several readings of the same plate.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lprnet/error.h"
#include "lprnet/export.h"
#include "lprnet/result.h"

namespace lprnet {

// Whatever follows vehicles from frame to frame keeps one vote for each of them. Texts are weighed
// by the product of their probabilities in the frames, where
// - every frame is a misreading for reasons of its own with probability 0.05, so that no frame is
//   certain and one bad frame cannot outvote two good ones;
// - frames after the first count half, for they share dirt, blur and angle.
// These two numbers are a choice, not a measurement.
//
// A reading brings its candidates, and its first text with each character replaced by its
// alternatives: ask the recognizer for some candidates to make the most of each frame.
//
// For one thread at a time.
class LPRNET_API Vote {
public:
    struct Answer {
        // The likeliest text; empty before the first reading.
        std::string text;
        // Its share among all texts, 0..1, and by how much it is ahead of the next.
        float confidence = 0.0f;
        float margin = 0.0f;
        // Texts with their shares, best first. `format` is that of the last reading with the text.
        std::vector<Candidate> candidates;
    };

    // A reading without text says nothing and is not counted. Readings of any origin will do:
    // confidences that are no number from 0 to 1 count as the nearest of these, a NaN as 0, and
    // what no recognizer returns is left out: texts of more than 256 bytes, candidates after the
    // first 100, alternatives after the third, and those of readings with more than 64 characters.
    // The one error is `out_of_memory`; nothing has changed then.
    Status add(const Reading& reading) noexcept;
    // With up to so many candidates. The one error is `out_of_memory`.
    Result<Answer> answer(std::size_t candidates = 5) const noexcept;
    // Readings that were counted.
    std::size_t frames() const noexcept { return frames_; }
    // For the next vehicle.
    void clear() noexcept;

private:
    struct Text {
        std::string text;
        double log_likelihood;
        int format;
    };

    std::vector<Text> texts_;
    // Of any text that no frame brought.
    double log_unseen_ = 0.0;
    std::size_t frames_ = 0;
};

}  // namespace lprnet
