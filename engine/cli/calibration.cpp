#include "engine/cli/calibration.h"

#include <algorithm>
#include <cmath>

#include "engine/decode/text_decoder.h"

namespace lprnet::cli {
namespace {

Result<double> loss_at(const Model& model, const LabelledLogits& logits, DecodeOptions options,
                       double temperature) {
    options.temperature = temperature;
    options.candidates = 1;
    Result<TextDecoder> decoder = TextDecoder::create(model, options);
    if (!decoder) return decoder.error();
    const std::size_t size = logits.values.size() / logits.texts.size();
    Reading reading;
    double loss = 0.0;
    for (std::size_t i = 0; i < logits.texts.size(); ++i) {
        decoder->decode(std::span(logits.values).subspan(i * size, size), reading);
        // One reading that is wrong and certain must not decide alone.
        constexpr double kLeast = 1e-6;
        const double p = std::clamp(static_cast<double>(reading.confidence), kLeast, 1.0 - kLeast);
        loss -= std::log(reading.text == logits.texts[i] ? p : 1.0 - p);
    }
    return loss / static_cast<double>(logits.texts.size());
}

}  // namespace

void Reliability::add(double confidence, bool correct) {
    const auto bin = static_cast<std::size_t>(confidence * static_cast<double>(kBins));
    Bin& counted = bins_[std::min(bin, kBins - 1)];
    ++counted.plates;
    counted.correct += correct ? 1 : 0;
    counted.confidence += confidence;
}

double Reliability::expected_error() const {
    double error = 0.0;
    std::size_t plates = 0;
    for (const Bin& bin : bins_) {
        error += std::abs(bin.confidence - static_cast<double>(bin.correct));
        plates += bin.plates;
    }
    return plates == 0 ? 0.0 : error / static_cast<double>(plates);
}

double Reliability::mean_confidence() const {
    double sum = 0.0;
    std::size_t plates = 0;
    for (const Bin& bin : bins_) {
        sum += bin.confidence;
        plates += bin.plates;
    }
    return plates == 0 ? 0.0 : sum / static_cast<double>(plates);
}

Result<TemperatureFit> fit_temperature(const Model& model, const LabelledLogits& logits,
                                       DecodeOptions options) {
    if (logits.texts.empty())
        return Error{ErrorCode::not_found, "no image to fit a temperature on"};
    // Golden-section search over the logarithm, to 1 % of the temperature. The loss has one valley
    // but for the few texts that change with the temperature.
    const double ratio = (std::sqrt(5.0) - 1.0) / 2.0;
    constexpr double kPrecision = 0.01;
    double low = std::log(0.25), high = std::log(4.0);
    double a = high - ratio * (high - low), b = low + ratio * (high - low);
    Result<double> loss_a = loss_at(model, logits, options, std::exp(a));
    Result<double> loss_b = loss_at(model, logits, options, std::exp(b));
    while (loss_a && loss_b && high - low > kPrecision) {
        if (*loss_a < *loss_b) {
            high = b;
            b = a;
            loss_b = *loss_a;
            a = high - ratio * (high - low);
            loss_a = loss_at(model, logits, options, std::exp(a));
        } else {
            low = a;
            a = b;
            loss_a = *loss_b;
            b = low + ratio * (high - low);
            loss_b = loss_at(model, logits, options, std::exp(b));
        }
    }
    if (!loss_a) return loss_a.error();
    if (!loss_b) return loss_b.error();
    const Result<double> loss_at_one = loss_at(model, logits, options, 1.0);
    if (!loss_at_one) return loss_at_one.error();
    return TemperatureFit{std::exp((low + high) / 2.0), std::min(*loss_a, *loss_b), *loss_at_one};
}

}  // namespace lprnet::cli
