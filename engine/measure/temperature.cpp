#include "engine/measure/temperature.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/boundary.h"
#include "engine/decode/text_decoder.h"

namespace lprnet::measure {
namespace {

// The mean loss of all images, at any temperature.
class Loss {
public:
    Loss(TextDecoder decoder, const LabelledLogits& logits, Progress& progress)
        : decoder_(std::move(decoder)), logits_(logits), progress_(progress) {}

    Result<double> at(double temperature) {
        decoder_.set_temperature(temperature);
        const std::size_t size = logits_.values.size() / logits_.texts.size();
        double loss = 0.0;
        for (std::size_t i = 0; i < logits_.texts.size(); ++i) {
            if (!progress_.advance(1)) return stopped();
            decoder_.decode(std::span(logits_.values).subspan(i * size, size), reading_);
            // One reading that is wrong and certain must not decide alone.
            constexpr double kLeast = 1e-6;
            const double p =
                std::clamp(static_cast<double>(reading_.confidence), kLeast, 1.0 - kLeast);
            loss -= std::log(reading_.text == logits_.texts[i] ? p : 1.0 - p);
        }
        return loss / static_cast<double>(logits_.texts.size());
    }

private:
    TextDecoder decoder_;
    const LabelledLogits& logits_;
    Progress& progress_;
    Reading reading_;
};

constexpr double kLowest = 0.25, kHighest = 4.0;
constexpr double kPrecision = 0.01;  // of the logarithm: 1 % of the temperature

// Golden-section search over the logarithm. The loss has one valley but for the few texts that
// change with the temperature.
Result<TemperatureFit> search(Loss& loss) {
    const double ratio = (std::sqrt(5.0) - 1.0) / 2.0;
    double low = std::log(kLowest), high = std::log(kHighest);
    double a = high - ratio * (high - low), b = low + ratio * (high - low);
    Result<double> loss_a = loss.at(std::exp(a));
    Result<double> loss_b = loss_a ? loss.at(std::exp(b)) : loss_a;
    while (loss_a && loss_b && high - low > kPrecision) {
        if (*loss_a < *loss_b) {
            high = b;
            b = a;
            loss_b = *loss_a;
            a = high - ratio * (high - low);
            loss_a = loss.at(std::exp(a));
        } else {
            low = a;
            a = b;
            loss_a = *loss_b;
            b = low + ratio * (high - low);
            loss_b = loss.at(std::exp(b));
        }
    }
    if (!loss_a) return loss_a.error();
    if (!loss_b) return loss_b.error();
    const Result<double> loss_at_one = loss.at(1.0);
    if (!loss_at_one) return loss_at_one.error();
    return TemperatureFit{std::exp((low + high) / 2.0), std::min(*loss_a, *loss_b), *loss_at_one};
}

// Passes that search() makes over the images: each narrows the range by the ratio, after two and
// before the last.
std::size_t passes() {
    const double ratio = (std::sqrt(5.0) - 1.0) / 2.0;
    const double range = std::log(kHighest) - std::log(kLowest);
    return 3 + static_cast<std::size_t>(std::ceil(std::log(kPrecision / range) / std::log(ratio)));
}

}  // namespace

Result<TemperatureFit> fit_temperature(const Model& model, const LabelledLogits& logits,
                                       const DecodeOptions& options, Progress& progress) noexcept {
    return guarded([&]() -> Result<TemperatureFit> {
        if (logits.texts.empty())
            return Error{ErrorCode::not_found, "no image to fit a temperature on"};
        const std::size_t expected =
            logits.texts.size() * static_cast<std::size_t>(model.steps()) * model.charset().size();
        if (logits.values.size() != expected) {
            return Error{ErrorCode::mismatch,
                         model.name() + ": expected " + std::to_string(expected) + " logits of " +
                             std::to_string(logits.texts.size()) + " images, found " +
                             std::to_string(logits.values.size())};
        }
        DecodeOptions best_alone = options;
        best_alone.candidates = 1;
        Result<TextDecoder> decoder = TextDecoder::create(model, best_alone);
        if (!decoder) return decoder.error();
        progress.begin(passes() * logits.texts.size());
        Loss loss(std::move(*decoder), logits, progress);
        return search(loss);
    });
}

}  // namespace lprnet::measure
