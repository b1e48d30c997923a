// Which pixels a model expects, found out on labelled images: every channel order and scale is
// tried, then every resize with the best of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/image/preprocess.h"
#include "engine/measure/progress.h"
#include "engine/measure/resample.h"
#include "lprnet/error.h"
#include "lprnet/recognizer.h"

namespace lprnet::measure {

// A crop of a plate and what it shows. The pixels are the caller's.
struct LabelledPlate {
    ImageView image;
    std::string text;
};

// One way to make the input, and what came of it.
struct Setting {
    Preprocess preprocess;
    std::string scale;  // as a formula: "(x - 127.5) / 128"
    Resize resize = Resize::bilinear;
    bool is_file = false;  // what the model file says

    std::size_t right = 0;
    std::size_t edits = 0;
    std::vector<double>
        likelihoods;  // of each plate: the natural logarithm of its text's probability

    // Their mean, 0 of none.
    double likelihood() const noexcept;
};

struct Diagnosis {
    std::vector<Setting> settings;  // the most likely first
    std::size_t best_bilinear = 0;  // the best that a model file can say
    std::size_t file = 0;
    std::size_t plates = 0;
    std::size_t characters = 0;
    std::size_t resized = 0;    // plates that are not of the network's size
    bool nothing_fits = false;  // no setting reads

    const Setting& best() const noexcept LPRNET_LIFETIMEBOUND { return settings.front(); }
    const Setting& best_of_files() const noexcept LPRNET_LIFETIMEBOUND {
        return settings[best_bilinear];
    }
    const Setting& file_setting() const noexcept LPRNET_LIFETIMEBOUND { return settings[file]; }
    bool file_fits() const noexcept;
    // "the model file fits" and the like.
    const char* verdict() const noexcept;
};

// The classes of a text, one for each character. `mismatch` if the model cannot read it; the
// message begins with "the text". May throw std::bad_alloc.
Result<std::vector<std::int32_t>> classes_of(const Model& model, const std::string& text);

// True unless the images tell that `best` fits better, which are those of both: all of them
// together by 20 to 1 (3 in the logarithm), each by a tenth at least, and twice the standard error
// of the difference.
bool as_good(const Setting& setting, const Setting& best) noexcept;

// `recognizer` is one of `model`, else `mismatch`; its decoder reads the plates. `not_found`
// without plates, errors of classes_of() and of pictures with the number of the plate.
Result<Diagnosis> diagnose(const Model& model, Recognizer& recognizer,
                           std::span<const LabelledPlate> plates, Progress& progress) noexcept;

}  // namespace lprnet::measure
