// The fitted temperature, and logits that do not fit the model.
#include "engine/measure/temperature.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "engine/decode/text_decoder.h"
#include "engine/measure/verify.h"
#include "tests/catch.h"
#include "tests/measure/stopping.h"
#include "tests/network/random_network.h"

namespace lprnet::measure {
namespace {

using test::CountedProgress;

// Logits of which every `wrong_every`-th is said to be of another text.
LabelledLogits labelled(const Model& model, std::size_t images, std::size_t wrong_every,
                        float spread) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0.0f, spread);
    LabelledLogits logits;
    std::vector<float> values(static_cast<std::size_t>(model.steps()) * model.charset().size());
    for (std::size_t i = 0; i < images; ++i) {
        for (float& value : values) value = normal(random);
        const bool right = i % wrong_every != 0;
        logits.add(values, right ? greedy_text(values, model) : "no text of this model");
    }
    return logits;
}

TEST_CASE("the fitted temperature loses less than others", "[measure]") {
    const Model model = test::random_model({.classes = 4, .width = 0.1});
    const LabelledLogits logits = labelled(model, 40, 3, 4.0f);
    CountedProgress progress;
    const Result<TemperatureFit> fit = fit_temperature(model, logits, {}, progress);
    REQUIRE(fit.ok());
    CHECK(fit->temperature >= 0.25);
    CHECK(fit->temperature <= 4.0);
    CHECK(std::isfinite(fit->loss));
    CHECK(fit->loss <= fit->loss_at_one);
    CHECK(progress.done == progress.announced);
}

TEST_CASE("the loss at one is that of a decoder made for it", "[measure]") {
    const Model model = test::random_model({.classes = 4, .width = 0.1});
    const LabelledLogits logits = labelled(model, 12, 4, 2.0f);
    Progress silent;
    const Result<TemperatureFit> fit = fit_temperature(model, logits, {}, silent);
    REQUIRE(fit.ok());
    // By hand, with one of its own.
    DecodeOptions at_one;
    at_one.temperature = 1.0;
    Result<TextDecoder> decoder = TextDecoder::create(model, at_one);
    REQUIRE(decoder.ok());
    Reading reading;
    double loss = 0.0;
    const std::size_t size = logits.values.size() / logits.texts.size();
    for (std::size_t i = 0; i < logits.texts.size(); ++i) {
        decoder->decode(std::span(logits.values).subspan(i * size, size), reading);
        const double p = std::clamp(static_cast<double>(reading.confidence), 1e-6, 1.0 - 1e-6);
        loss -= std::log(reading.text == logits.texts[i] ? p : 1.0 - p);
    }
    CHECK(fit->loss_at_one == loss / static_cast<double>(logits.texts.size()));
}

TEST_CASE("logits that are not numbers do not harm the fit", "[measure]") {
    const Model model = test::random_model({.classes = 4, .width = 0.1});
    LabelledLogits logits = labelled(model, 3, 2, 1.0f);
    logits.values[0] = std::numeric_limits<float>::quiet_NaN();
    logits.values[5] = std::numeric_limits<float>::infinity();
    Progress silent;
    const Result<TemperatureFit> fit = fit_temperature(model, logits, {}, silent);
    REQUIRE(fit.ok());
    CHECK(std::isfinite(fit->loss));
}

TEST_CASE("a fit needs images of the model", "[measure]") {
    const Model model = test::random_model({.classes = 4, .width = 0.1});
    Progress silent;
    const auto error_of = [&](const LabelledLogits& logits) {
        const Result<TemperatureFit> fit = fit_temperature(model, logits, {}, silent);
        REQUIRE_FALSE(fit.ok());
        return fit.error();
    };
    CHECK(error_of({}).code == ErrorCode::not_found);
    LabelledLogits short_of = labelled(model, 2, 2, 1.0f);
    short_of.values.pop_back();
    CHECK(error_of(short_of).code == ErrorCode::mismatch);
    CHECK_THAT(error_of(short_of).message, test::contains("logits of 2 images, found"));
    LabelledLogits none = labelled(model, 1, 2, 1.0f);
    none.values.clear();
    CHECK(error_of(none).code == ErrorCode::mismatch);

    DecodeOptions impossible;
    impossible.beam_width = -1;
    const Result<TemperatureFit> fit =
        fit_temperature(model, labelled(model, 1, 2, 1.0f), impossible, silent);
    REQUIRE_FALSE(fit.ok());
    CHECK(fit.error().code == ErrorCode::invalid_argument);
}

TEST_CASE("a fit can be stopped", "[measure]") {
    const Model model = test::random_model({.classes = 4, .width = 0.1});
    const LabelledLogits logits = labelled(model, 5, 2, 1.0f);
    for (const std::size_t calls : {0, 1, 7, 30}) {
        CountedProgress progress(calls);
        const Result<TemperatureFit> fit = fit_temperature(model, logits, {}, progress);
        REQUIRE_FALSE(fit.ok());
        CHECK(fit.error().message == stopped().message);
        CHECK(progress.done == calls + 1);
    }
}

}  // namespace
}  // namespace lprnet::measure
