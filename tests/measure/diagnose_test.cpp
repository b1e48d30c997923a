// Which pixels a model expects, on the samples; and pictures that nobody should give.
#include "engine/measure/diagnose.h"

#include <algorithm>
#include <cmath>

#include "engine/decode/ctc_forward.h"
#include "engine/image_file/image_file.h"
#include "engine/model/model_data.h"
#include "tests/catch.h"
#include "tests/measure/stopping.h"
#include "tests/network/random_network.h"
#include "tests/paths.h"

namespace lprnet::measure {
namespace {

const Model& shipped() {
    static const Model model = [] {
        Result<Model> loaded = Model::load(LPRNET_WEIGHTS_FILE);
        if (!loaded) FAIL(loaded.error().message);
        return std::move(*loaded);
    }();
    return model;
}

Recognizer recognizer_of(const Model& model) {
    Result<Recognizer> recognizer = Recognizer::create(model);
    if (!recognizer) FAIL(recognizer.error().message);
    return std::move(*recognizer);
}

struct Sample {
    DecodedImage image;
    std::string text;
};

const std::vector<Sample>& samples() {
    static const std::vector<Sample> all = [] {
        std::vector<Sample> read;
        for (const char* text : {"京A7K259", "川G5W306", "新J85T20", "沪C62018"}) {
            Result<DecodedImage> image =
                open_image(test::tests_path(std::string("samples/") + text + ".jpg"));
            if (!image) FAIL(image.error().message);
            read.push_back({std::move(*image), text});
        }
        return read;
    }();
    return all;
}

std::vector<LabelledPlate> plates() {
    std::vector<LabelledPlate> all;
    for (const Sample& sample : samples()) all.push_back({sample.image.view(), sample.text});
    return all;
}

TEST_CASE("the shipped file fits the samples", "[measure]") {
    Recognizer recognizer = recognizer_of(shipped());
    test::CountedProgress progress;
    const Result<Diagnosis> found = diagnose(shipped(), recognizer, plates(), progress);
    if (!found) FAIL(found.error().message);
    CHECK(found->plates == 4);
    CHECK(found->characters == 28);
    CHECK(found->file_fits());
    CHECK(found->verdict() == std::string("the model file fits"));
    CHECK(found->file_setting().is_file);
    CHECK(found->file_setting().right == 4);
    CHECK(found->file_setting().scale == "(x - 127.5) / 128");
    CHECK(found->best_of_files().resize == Resize::bilinear);
    CHECK(progress.done == progress.announced);
    for (std::size_t i = 1; i < found->settings.size(); ++i)
        CHECK(found->settings[i - 1].likelihood() >= found->settings[i].likelihood());
    // Red for blue is another picture.
    for (const Setting& setting : found->settings) {
        CHECK(setting.likelihoods.size() == 4);
        if (setting.preprocess.order == ChannelOrder::rgb && setting.scale == "(x - 127.5) / 128")
            CHECK(setting.likelihood() < found->file_setting().likelihood());
    }
}

TEST_CASE("the likelihood is that of the decoders", "[measure]") {
    Recognizer recognizer = recognizer_of(shipped());
    Progress silent;
    const Result<Diagnosis> found = diagnose(shipped(), recognizer, plates(), silent);
    REQUIRE(found.ok());
    for (std::size_t i = 0; i < samples().size(); ++i) {
        Reading reading;
        REQUIRE(recognizer.read(samples()[i].image.view(), reading).ok());
        REQUIRE(reading.text == samples()[i].text);
        const auto labels = classes_of(shipped(), reading.text);
        REQUIRE(labels.ok());
        Posterior posterior(static_cast<std::size_t>(shipped().steps()),
                            shipped().charset().size());
        posterior.set(recognizer.logits(), 1.0);
        CtcText text(posterior.time_steps(), posterior.classes(), shipped().blank());
        CHECK(found->file_setting().likelihoods[i] == text.log_probability(posterior, *labels));
    }
}

// The bytes of `image` in another format.
std::vector<std::uint8_t> converted(const ImageView& rgb, PixelFormat format) {
    std::vector<std::uint8_t> bytes;
    for (int y = 0; y < rgb.height; ++y) {
        for (int x = 0; x < rgb.width; ++x) {
            const std::uint8_t* p = rgb.data + y * rgb.stride + 3 * x;
            const bool blue_first = format == PixelFormat::bgr || format == PixelFormat::bgra;
            for (int c = 0; c < 3; ++c) bytes.push_back(p[blue_first ? 2 - c : c]);
            if (channels(format) == 4) bytes.push_back(9);
        }
    }
    return bytes;
}

TEST_CASE("pictures of every format say the same", "[measure]") {
    Recognizer recognizer = recognizer_of(shipped());
    Progress silent;
    const Result<Diagnosis> expected = diagnose(shipped(), recognizer, plates(), silent);
    REQUIRE(expected.ok());
    for (const PixelFormat format : {PixelFormat::bgr, PixelFormat::bgra, PixelFormat::rgba}) {
        std::vector<LabelledPlate> others = plates();
        std::vector<std::vector<std::uint8_t>> pixels;
        for (LabelledPlate& plate : others) {
            pixels.push_back(converted(plate.image, format));
            plate.image.data = pixels.back().data();
            plate.image.format = format;
            plate.image.stride = row_bytes(format, plate.image.width);
        }
        const Result<Diagnosis> found = diagnose(shipped(), recognizer, others, silent);
        REQUIRE(found.ok());
        REQUIRE(found->settings.size() == expected->settings.size());
        for (std::size_t i = 0; i < found->settings.size(); ++i) {
            CHECK(found->settings[i].scale == expected->settings[i].scale);
            CHECK(found->settings[i].likelihoods == expected->settings[i].likelihoods);
        }
    }
}

TEST_CASE("wrong texts and pictures are named by their number", "[measure]") {
    Recognizer recognizer = recognizer_of(shipped());
    Progress silent;
    const auto error_of = [&](const std::vector<LabelledPlate>& all) {
        const Result<Diagnosis> found = diagnose(shipped(), recognizer, all, silent);
        REQUIRE_FALSE(found.ok());
        return found.error();
    };
    CHECK(error_of({}).code == ErrorCode::not_found);
    std::vector<LabelledPlate> all = plates();
    all[1].text = "京€1";
    CHECK(error_of(all).message == "plate 2: the text '京€1' has '€', which the model cannot read");
    all[1].text = "";
    CHECK_THAT(error_of(all).message, test::contains("plate 2: the text '': expected 1 to "));
    all[1].text = std::string(40, 'A');
    CHECK_THAT(error_of(all).message, test::contains("characters"));
    all[1].text = shipped().charset()[static_cast<std::size_t>(shipped().blank())];
    CHECK_THAT(error_of(all).message, test::contains("which the model cannot read"));
    all[1].text = "\n\xFF";
    CHECK_THAT(error_of(all).message, test::contains("'\\x0a'"));
    all = plates();
    all[3].image = {};
    CHECK_THAT(error_of(all).message, test::starts_with("plate 4: "));
    CHECK(error_of(all).code == ErrorCode::invalid_argument);
    all = plates();
    all[2].image.width = 0;
    CHECK_THAT(error_of(all).message, test::starts_with("plate 3: "));
}

TEST_CASE("a recognizer of another model is refused", "[measure]") {
    const Model other = test::random_model({.channels = 1, .width = 0.1});
    Recognizer recognizer = recognizer_of(other);
    Progress silent;
    CHECK(diagnose(shipped(), recognizer, plates(), silent).error().code == ErrorCode::mismatch);
    const Model narrow = test::random_model({.classes = 5, .width = 0.1});
    Recognizer small = recognizer_of(narrow);
    CHECK(diagnose(shipped(), small, plates(), silent).error().code == ErrorCode::mismatch);
    Recognizer taken = std::move(small);
    CHECK(diagnose(narrow, small, plates(), silent).error().code == ErrorCode::mismatch);
}

TEST_CASE("a model of gray pictures is tried with gray ones", "[measure]") {
    const Model gray = test::random_model({.channels = 1, .width = 0.1});
    Recognizer recognizer = recognizer_of(gray);
    Progress silent;
    std::vector<LabelledPlate> all = plates();
    for (LabelledPlate& plate : all) plate.text = gray.charset().front();
    const Result<Diagnosis> found = diagnose(gray, recognizer, all, silent);
    if (!found) FAIL(found.error().message);
    for (const Setting& setting : found->settings)
        CHECK(setting.preprocess.order == ChannelOrder::gray);
}

TEST_CASE("a diagnosis can be stopped", "[measure]") {
    Recognizer recognizer = recognizer_of(shipped());
    test::CountedProgress progress(5);
    const Result<Diagnosis> found = diagnose(shipped(), recognizer, plates(), progress);
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().message == stopped().message);
}

TEST_CASE("settings are told apart by more than noise", "[measure]") {
    const auto setting = [](std::vector<double> likelihoods) {
        Setting made;
        made.likelihoods = std::move(likelihoods);
        return made;
    };
    const Setting best = setting({-1.0, -1.0, -1.0, -1.0});
    CHECK(as_good(best, best));
    CHECK(as_good(setting({-1.5, -1.5, -1.5, -1.4}), best));        // 1.9 together
    CHECK_FALSE(as_good(setting({-2.0, -2.0, -2.0, -2.0}), best));  // 4
    CHECK(as_good(setting({-1.0, -1.0, -1.0, -5.0}), best));        // one image alone says so
    CHECK(as_good(setting({}), best));
    CHECK(as_good(setting({}), setting({})));
    CHECK(setting({}).likelihood() == 0.0);
}

TEST_CASE("resampling keeps an even picture even, whatever the size", "[measure]") {
    const std::vector<std::uint8_t> pixels(3 * 200 * 90, 77);
    const ImageView view = {pixels.data(), 200, 90, 600, PixelFormat::rgb};
    for (const Resize resize :
         {Resize::bilinear, Resize::area, Resize::nearest, Resize::cubic, Resize::letterbox}) {
        INFO(name_of(resize));
        for (const auto& [width, height] :
             {std::pair(94, 24), std::pair(1, 1), std::pair(300, 100)}) {
            const auto found = resample(view, width, height, resize);
            REQUIRE(found.ok());
            CHECK(found->size() == static_cast<std::size_t>(3 * width * height));
            const auto is_even = [&](std::uint8_t value) {
                return value == 77 || (resize == Resize::letterbox && value == 127);
            };
            CHECK(std::all_of(found->begin(), found->end(), is_even));
        }
    }
    CHECK_FALSE(resample({}, 94, 24, Resize::area).ok());
}

TEST_CASE("resampling to the same size changes nothing", "[measure]") {
    const ImageView view = samples().front().image.view();
    const std::vector<std::uint8_t> expected(
        view.data, view.data + view.stride * static_cast<std::ptrdiff_t>(view.height));
    for (const Resize resize : {Resize::bilinear, Resize::area, Resize::nearest, Resize::cubic}) {
        const auto found = resample(view, view.width, view.height, resize);
        REQUIRE(found.ok());
        CHECK(*found == expected);
    }
    // From the bottom up.
    ImageView turned = view;
    turned.data = view.data + (view.height - 1) * view.stride;
    turned.stride = -view.stride;
    const auto found = resample(turned, view.width, view.height, Resize::nearest);
    REQUIRE(found.ok());
    CHECK(std::equal(found->begin(), found->begin() + 3 * view.width,
                     view.data + (view.height - 1) * view.stride));
}

}  // namespace
}  // namespace lprnet::measure
