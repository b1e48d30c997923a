#include "engine/measure/diagnose.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <utility>

#include "engine/boundary.h"
#include "engine/decode/ctc_forward.h"
#include "engine/decode/posterior.h"
#include "engine/measure/text_distance.h"
#include "engine/model/model_data.h"
#include "engine/text/printable.h"
#include "engine/text/utf8.h"

namespace lprnet::measure {
namespace {

constexpr Resize kOtherResizes[] = {Resize::area, Resize::nearest, Resize::cubic,
                                    Resize::letterbox};

// A plate's log-likelihood counts no less than this, lest one wrong label outweigh all others.
constexpr double kFloor = -30.0;

std::string number(double value, const char* format) {
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

// "(x - 127.5) / 128" as people write it; with a number for each channel, those of red, green and
// blue between bars.
std::string formula(const Preprocess& p) {
    const int count = channels(p.order);
    bool equal = true;
    for (int c = 1; c < count; ++c)
        equal = equal && p.mean[c] == p.mean[0] && p.scale[c] == p.scale[0];
    std::string means, divisors;
    for (int i = 0; i < (equal ? 1 : count); ++i) {
        const int c = p.order == ChannelOrder::bgr ? count - 1 - i : i;
        const char* format = equal ? "%.6g" : "%.4g";
        means += (i > 0 ? "|" : "") + number(static_cast<double>(p.mean[c]), format);
        divisors += (i > 0 ? "|" : "") + number(1.0 / static_cast<double>(p.scale[c]), format);
    }
    const std::string difference = means == "0" ? "x" : "(x - " + means + ")";
    return divisors == "1" ? difference : difference + " / " + divisors;
}

Preprocess with_scale(Preprocess p, ChannelOrder order, const float (&mean)[3],
                      const float (&scale)[3]) {
    p.order = order;
    for (int c = 0; c < 3; ++c) {
        // The constants are given as red, green, blue.
        const int from = order == ChannelOrder::bgr ? 2 - c : c;
        p.mean[c] = mean[from];
        p.scale[c] = scale[from];
    }
    return p;
}

// The file's own setting first, then those that training code for LPRNet and its relatives uses.
std::vector<Setting> settings_to_try(const Preprocess& file) {
    struct Scale {
        float mean[3];
        float scale[3];
    };
    constexpr auto same = [](float mean, float scale) {
        return Scale{{mean, mean, mean}, {scale, scale, scale}};
    };
    const Scale scales[] = {
        same(127.5f, 0.0078125f),
        same(127.5f, 1.0f / 127.5f),
        same(0.0f, 1.0f / 255.0f),
        same(0.0f, 1.0f),
        // ImageNet's mean and deviation, as torchvision has them, times 255.
        {{123.675f, 116.28f, 103.53f}, {1.0f / 58.395f, 1.0f / 57.12f, 1.0f / 57.375f}}};
    std::vector<ChannelOrder> orders = {ChannelOrder::bgr, ChannelOrder::rgb};
    if (file.order == ChannelOrder::gray) orders = {ChannelOrder::gray};

    std::vector<Setting> settings;
    const auto add = [&](const Preprocess& p, bool is_file) {
        const std::string scale = formula(p);
        for (const Setting& other : settings)
            if (other.preprocess.order == p.order && other.scale == scale) return;
        Setting& setting = settings.emplace_back();
        setting.preprocess = p;
        setting.scale = scale;
        setting.is_file = is_file;
    };
    add(file, true);
    for (const ChannelOrder order : orders) {
        Preprocess own = file;  // the file's scale with the other order
        own.order = order;
        if (order != file.order) std::swap(own.mean[0], own.mean[2]);
        if (order != file.order) std::swap(own.scale[0], own.scale[2]);
        add(own, false);
        for (const Scale& s : scales) add(with_scale(file, order, s.mean, s.scale), false);
    }
    return settings;
}

struct Plate {
    ImageView image;
    std::vector<std::string> characters;
    std::vector<std::int32_t> classes;
};

// Whether a recognizer has the input and the logits of that model.
Status check_recognizer(const Model& model, Recognizer& recognizer) {
    const std::size_t logits = static_cast<std::size_t>(model.steps()) * model.charset().size();
    const std::size_t input = static_cast<std::size_t>(model.input_width()) *
                              static_cast<std::size_t>(model.input_height()) *
                              static_cast<std::size_t>(channels(model.data().preprocess.order));
    if (recognizer.logits().size() == logits && recognizer.input().size() == input) return {};
    return Error{ErrorCode::mismatch, model.name() + ": the recognizer is of another model"};
}

Error of_plate(std::size_t index, const Error& error) {
    return {error.code, "plate " + std::to_string(index + 1) + ": " + error.message};
}

Result<std::vector<Plate>> prepared(const Model& model, std::span<const LabelledPlate> labelled) {
    std::vector<Plate> plates;
    for (const LabelledPlate& plate : labelled) {
        Result<std::vector<std::int32_t>> classes = classes_of(model, plate.text);
        if (!classes) return of_plate(plates.size(), classes.error());
        plates.push_back({plate.image, split_characters(plate.text), std::move(*classes)});
    }
    return plates;
}

// Reads plates in one setting after the other.
class Trials {
public:
    Trials(const Model& model, Recognizer& recognizer, std::span<const Plate> plates,
           Progress& progress)
        : model_(model),
          recognizer_(recognizer),
          plates_(plates),
          progress_(progress),
          posterior_(static_cast<std::size_t>(model.steps()), model.charset().size()),
          text_(static_cast<std::size_t>(model.steps()), model.charset().size(), model.blank()) {}

    Status run(Setting& setting) {
        Result<Preprocessor> preprocessor = Preprocessor::create(setting.preprocess);
        if (!preprocessor) return preprocessor.error();
        for (std::size_t i = 0; i < plates_.size(); ++i) {
            if (!progress_.advance(1)) return stopped();
            if (Status s = set_input(plates_[i].image, *preprocessor, setting.resize); !s)
                return of_plate(i, s.error());
            recognizer_.infer();
            if (Status s = recognizer_.decode(reading_); !s) return s;
            add_reading(plates_[i], setting);
        }
        return {};
    }

private:
    Status set_input(ImageView image, Preprocessor& preprocessor, Resize resize) {
        if (resize == Resize::bilinear) return preprocessor.run(image, recognizer_.input().data());
        const int width = model_.input_width(), height = model_.input_height();
        const auto pixels = resample(image, width, height, resize);
        if (!pixels) return pixels.error();
        image = {pixels->data(), width, height, std::ptrdiff_t{3} * width, PixelFormat::rgb};
        return preprocessor.run(image, recognizer_.input().data());
    }
    void add_reading(const Plate& plate, Setting& setting) {
        const std::size_t edits = align(plate.characters, split_characters(reading_.text)).distance;
        setting.edits += edits;
        setting.right += edits == 0 ? 1 : 0;
        posterior_.set(recognizer_.logits(), 1.0);
        const double likelihood = text_.log_probability(posterior_, plate.classes);
        setting.likelihoods.push_back(likelihood > kFloor ? likelihood : kFloor);
    }

    const Model& model_;
    Recognizer& recognizer_;
    std::span<const Plate> plates_;
    Progress& progress_;
    Posterior posterior_;
    CtcText text_;
    Reading reading_;
};

std::size_t most_likely(const std::vector<Setting>& settings) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < settings.size(); ++i)
        if (settings[i].likelihood() > settings[best].likelihood()) best = i;
    return best;
}

// Sorts the settings and says what they tell.
void conclude(Diagnosis& found) {
    std::stable_sort(
        found.settings.begin(), found.settings.end(),
        [](const Setting& a, const Setting& b) { return a.likelihood() > b.likelihood(); });
    for (std::size_t i = found.settings.size(); i-- > 0;) {
        if (found.settings[i].is_file) found.file = i;
        if (found.settings[i].resize == Resize::bilinear) found.best_bilinear = i;
    }
    // Fewer than a tenth of the plates right and most characters wrong is no reading.
    found.nothing_fits =
        10 * found.best().right < found.plates && 2 * found.best().edits > found.characters;
}

}  // namespace

double Setting::likelihood() const noexcept {
    double sum = 0.0;
    for (const double value : likelihoods) sum += value;
    return likelihoods.empty() ? 0.0 : sum / static_cast<double>(likelihoods.size());
}

bool Diagnosis::file_fits() const noexcept {
    return !nothing_fits && as_good(file_setting(), best_of_files());
}

const char* Diagnosis::verdict() const noexcept {
    if (nothing_fits) return "nothing fits";
    return file_fits() ? "the model file fits" : "the model file does not fit";
}

Result<std::vector<std::int32_t>> classes_of(const Model& model, const std::string& text) {
    const std::vector<std::string>& charset = model.charset();
    std::vector<std::int32_t> classes;
    for (const std::string& character : split_characters(text)) {
        const auto found = std::find(charset.begin(), charset.end(), character);
        const auto index = static_cast<std::int32_t>(found - charset.begin());
        if (found == charset.end() || index == model.blank()) {
            return Error{ErrorCode::mismatch, "the text " + in_quotes(text) + " has " +
                                                  in_quotes(character) +
                                                  ", which the model cannot read"};
        }
        classes.push_back(index);
    }
    if (classes.empty() || classes.size() > static_cast<std::size_t>(model.steps()))
        return Error{ErrorCode::mismatch, "the text " + in_quotes(text) + ": expected 1 to " +
                                              std::to_string(model.steps()) + " characters"};
    return classes;
}

bool as_good(const Setting& setting, const Setting& best) noexcept {
    const std::size_t plates = std::min(setting.likelihoods.size(), best.likelihoods.size());
    const auto count = static_cast<double>(plates);
    double sum = 0.0, squares = 0.0;
    for (std::size_t i = 0; i < plates; ++i) {
        const double difference = best.likelihoods[i] - setting.likelihoods[i];
        sum += difference;
        squares += difference * difference;
    }
    const double mean = sum / count;
    const double variance = count > 1 ? (squares - sum * mean) / (count - 1) : 0.0;
    const double error = std::sqrt(std::max(0.0, variance) / count);
    return sum < 3.0 || mean < 0.1 || mean < 2.0 * error;
}

Result<Diagnosis> diagnose(const Model& model, Recognizer& recognizer,
                           std::span<const LabelledPlate> plates, Progress& progress) noexcept {
    return guarded([&]() -> Result<Diagnosis> {
        if (plates.empty()) return Error{ErrorCode::not_found, "no plate to try settings on"};
        if (Status s = check_recognizer(model, recognizer); !s) return s.error();
        const Result<std::vector<Plate>> all = prepared(model, plates);
        if (!all) return all.error();
        Diagnosis found;
        found.plates = all->size();
        for (const Plate& plate : *all) {
            found.characters += plate.characters.size();
            if (plate.image.width != model.input_width() ||
                plate.image.height != model.input_height())
                ++found.resized;
        }
        found.settings = settings_to_try(model.data().preprocess);
        // Of pictures of the network's size every resize makes equal pixels.
        const std::size_t others = found.resized > 0 ? std::size(kOtherResizes) : 0;
        progress.begin((found.settings.size() + others) * all->size());
        Trials trials(model, recognizer, *all, progress);
        for (Setting& setting : found.settings) {
            if (Status s = trials.run(setting); !s) return s.error();
        }
        const Setting best = found.settings[most_likely(found.settings)];
        for (std::size_t i = 0; i < others; ++i) {
            Setting setting;
            setting.preprocess = best.preprocess;
            setting.scale = best.scale;
            setting.resize = kOtherResizes[i];
            if (Status s = trials.run(setting); !s) return s.error();
            found.settings.push_back(std::move(setting));
        }
        conclude(found);
        return found;
    });
}

}  // namespace lprnet::measure
