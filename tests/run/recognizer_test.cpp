// The recognizer as a user sees it.
#include "lprnet/recognizer.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "tests/allocation_counter.h"
#include "tests/catch.h"
#include "tests/kernels/tables.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

struct Picture {
    Picture(int width, int height, PixelFormat format, unsigned seed)
        : pixels(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                 static_cast<std::size_t>(channels(format))),
          view{nullptr, width, height, std::ptrdiff_t{channels(format)} * width, format} {
        std::mt19937 random(seed);
        for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(random());
        view.data = pixels.data();
    }
    std::vector<std::uint8_t> pixels;
    ImageView view;
};

Recognizer make_recognizer(const Model& model, const RecognizerOptions& options = {}) {
    Result<Recognizer> recognizer = Recognizer::create(model, options);
    if (!recognizer) FAIL(recognizer.error().message);
    return std::move(*recognizer);
}

std::vector<float> logits_of(Recognizer& recognizer, const ImageView& view) {
    Reading reading;
    const Status status = recognizer.read(view, reading);
    if (!status) FAIL(status.error().message);
    return {recognizer.logits().begin(), recognizer.logits().end()};
}

TEST_CASE("an answer depends on its own picture alone", "[recognizer]") {
    const Model model = random_model({});
    Recognizer recognizer = make_recognizer(model);
    const Picture first(94, 24, PixelFormat::bgr, 1);
    const Picture second(440, 140, PixelFormat::rgba, 2);
    const std::vector<float> alone = logits_of(recognizer, first.view);
    const std::vector<float> other = logits_of(recognizer, second.view);
    CHECK(logits_of(recognizer, first.view) == alone);
    CHECK(other != alone);
}

TEST_CASE("a warm recognizer allocates nothing", "[recognizer]") {
    for (const double zeros : {0.0, 0.7}) {
        const Model model = random_model({.width = 0.5, .zeros = zeros});
        Recognizer recognizer = make_recognizer(model);
        const Picture pictures[] = {{94, 24, PixelFormat::bgr, 1},
                                    {440, 140, PixelFormat::rgb, 2},
                                    {1920, 1080, PixelFormat::bgra, 3},
                                    {50, 10, PixelFormat::gray, 4}};
        Reading reading;
        REQUIRE(recognizer.read(pictures[0].view, reading).ok());
        const std::size_t before = allocation_count();
        bool ok = true;
        for (int round = 0; round < 3; ++round) {
            for (const Picture& picture : pictures)
                ok = recognizer.read(picture.view, reading).ok() && ok;
            ok = recognizer.read(pictures[1].view, Region{7, 5, 99, 33}, reading).ok() && ok;
            ok = recognizer.read(pictures[1].view, quad_of({7, 5, 99, 33}, 1 + round % 2), reading)
                     .ok() &&
                 ok;
        }
        const std::size_t after = allocation_count();
        CHECK(ok);
        CHECK(after == before);
    }
}

TEST_CASE("a warm recognizer allocates nothing with any decoder", "[recognizer]") {
    const Model model = random_model({});
    Recognizer recognizer = make_recognizer(model);
    const Result<Patterns> patterns = Patterns::parse("a : ?{4,8}", "p");
    REQUIRE(patterns.ok());
    for (const Decoder decoder : {Decoder::beam, Decoder::grammar}) {
        REQUIRE(
            recognizer.set_decoding({.decoder = decoder, .patterns = *patterns, .candidates = 10})
                .ok());
        Result<Recognizer> clone = recognizer.clone();
        REQUIRE(clone.ok());
        for (Recognizer* warm : {&recognizer, &*clone}) {
            Reading reading;
            REQUIRE(warm->read(Picture(94, 24, PixelFormat::bgr, 1).view, reading).ok());
            const Picture pictures[] = {{94, 24, PixelFormat::bgr, 2},
                                        {50, 10, PixelFormat::gray, 3}};
            const std::size_t before = allocation_count();
            bool ok = true;
            for (const Picture& picture : pictures) {
                ok = warm->read(picture.view, reading).ok() && ok;
            }
            const std::size_t after = allocation_count();
            CHECK(ok);
            CHECK(after == before);
        }
    }
}

TEST_CASE("a recognizer that was moved from says so", "[recognizer]") {
    const Model model = random_model({});
    Recognizer first = make_recognizer(model);
    Recognizer second = std::move(first);
    const Picture picture(94, 24, PixelFormat::bgr, 1);
    Reading reading;
    reading.text = "before";
    const Status status = first.read(picture.view, reading);
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == ErrorCode::invalid_argument);
    CHECK_THAT(status.error().message, contains("moved from"));
    CHECK(reading.text.empty());
    first.infer();
    CHECK(first.input().empty());
    CHECK(first.logits().empty());
    CHECK_FALSE(first.clone().ok());
    CHECK(second.read(picture.view, reading).ok());
    first = std::move(second);
    CHECK(first.read(picture.view, reading).ok());
}

TEST_CASE("a picture that is refused leaves no text", "[recognizer]") {
    const Model model = random_model({});
    Recognizer recognizer = make_recognizer(model);
    const Picture picture(94, 24, PixelFormat::bgr, 1);
    Reading reading;
    REQUIRE(recognizer.read(picture.view, reading).ok());
    reading.text = "before";
    CHECK_FALSE(recognizer.read(picture.view, Region{90, 0, 5, 5}, reading).ok());
    CHECK(reading.text.empty());
    CHECK(reading.characters.empty());
    CHECK(reading.candidates.empty());
    CHECK(reading.reject_score == 1.0f);
}

TEST_CASE("a clone decodes as its recognizer did", "[recognizer]") {
    const Model model = random_model({});
    Recognizer recognizer = make_recognizer(model);
    const Result<Patterns> patterns = Patterns::parse("a : #{3}", "p");
    REQUIRE(patterns.ok());
    const DecodeOptions grammar = {.decoder = Decoder::grammar, .patterns = *patterns};
    REQUIRE(recognizer.set_decoding(grammar).ok());
    Result<Recognizer> clone = recognizer.clone();
    REQUIRE(clone.ok());
    // Alone in its own decoder: what the first one does later does not change the clone.
    REQUIRE(recognizer.set_decoding({}).ok());
    const Picture picture(94, 24, PixelFormat::bgr, 4);
    CHECK(clone->read(picture.view)->characters.size() == 3);
    REQUIRE_FALSE(recognizer.set_decoding({.candidates = 0}).ok());
    CHECK(recognizer.read(picture.view)->candidates.size() == 1);
}

TEST_CASE("the counter of allocations counts", "[recognizer]") {
    // Called by name: the compiler may leave out what a new-expression allocates in vain.
    const std::size_t before = allocation_count();
    ::operator delete(::operator new(1000));
    CHECK(allocation_count() == before + 1);
}

TEST_CASE("clones give the same answer, also at the same time", "[recognizer][threads]") {
    const Model model = random_model({});
    Recognizer first = make_recognizer(model);
    const Picture picture(200, 60, PixelFormat::bgr, 9);
    const std::vector<float> expected = logits_of(first, picture.view);
    constexpr int kThreads = 4;
    std::vector<std::vector<float>> found(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        Result<Recognizer> clone = first.clone();
        REQUIRE(clone.ok());
        threads.emplace_back([&found, &picture, t, own = std::move(*clone)]() mutable {
            Reading reading;
            for (int i = 0; i < 3; ++i) {
                if (!own.read(picture.view, reading).ok()) return;
            }
            found[static_cast<std::size_t>(t)].assign(own.logits().begin(), own.logits().end());
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& logits : found) CHECK(logits == expected);
}

TEST_CASE("a clone outlives its recognizer and its model", "[recognizer]") {
    const Picture picture(94, 24, PixelFormat::bgr, 5);
    std::vector<float> expected;
    Result<Recognizer> clone = [&] {
        const Model model = random_model({.width = 0.5});
        Recognizer recognizer = make_recognizer(model);
        expected = logits_of(recognizer, picture.view);
        return recognizer.clone();
    }();
    REQUIRE(clone.ok());
    CHECK(logits_of(*clone, picture.view) == expected);
}

TEST_CASE("the input tensor may be written directly", "[recognizer]") {
    const Model model = random_model({.width = 0.5});
    Recognizer recognizer = make_recognizer(model);
    const Picture picture(94, 24, PixelFormat::bgr, 6);
    const std::vector<float> expected = logits_of(recognizer, picture.view);
    REQUIRE(recognizer.input().size() == picture.pixels.size());
    for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
        recognizer.input()[i] = (static_cast<float>(picture.pixels[i]) - 127.5f) * 0.0078125f;
    }
    recognizer.infer();
    CHECK(std::equal(expected.begin(), expected.end(), recognizer.logits().begin()));
}

TEST_CASE("pictures that cannot be read are errors", "[recognizer]") {
    const Model model = random_model({.width = 0.25});
    Recognizer recognizer = make_recognizer(model);
    const Picture good(94, 24, PixelFormat::bgr, 1);
    ImageView null = good.view;
    null.data = nullptr;
    ImageView flat = good.view;
    flat.height = 0;
    ImageView narrow = good.view;
    narrow.stride = 10;
    ImageView huge = good.view;
    huge.width = 40000;
    for (const ImageView& bad : {null, flat, narrow, huge}) {
        const Result<Reading> reading = recognizer.read(bad);
        REQUIRE_FALSE(reading.ok());
        CHECK(reading.error().code == ErrorCode::invalid_argument);
        CHECK(reading.error().message.find('\n') == std::string::npos);
    }
    CHECK(recognizer.read(good.view).ok());
}

TEST_CASE("one pixel and one line are pictures", "[recognizer]") {
    const Model model = random_model({.width = 0.25});
    Recognizer recognizer = make_recognizer(model);
    for (const Picture& picture :
         {Picture(1, 1, PixelFormat::bgr, 1), Picture(20000, 1, PixelFormat::gray, 2),
          Picture(1, 20000, PixelFormat::rgba, 3)}) {
        const Result<Reading> reading = recognizer.read(picture.view);
        REQUIRE(reading.ok());
        CHECK(std::isfinite(reading->confidence));
    }
}

TEST_CASE("confidences are probabilities", "[recognizer]") {
    const Model model = random_model({});
    Recognizer recognizer = make_recognizer(model);
    for (unsigned seed = 0; seed < 5; ++seed) {
        const Result<Reading> reading =
            recognizer.read(Picture(94, 24, PixelFormat::bgr, seed).view);
        REQUIRE(reading.ok());
        CHECK(reading->confidence >= 0.0f);
        CHECK(reading->confidence <= 1.0f);
        for (const Character& c : reading->characters) {
            CHECK(c.confidence > 0.0f);
            CHECK(c.confidence <= 1.0f);
            CHECK(c.first_step <= c.last_step);
            CHECK(c.last_step < model.steps());
        }
    }
}

TEST_CASE("an unknown instruction set is refused", "[recognizer]") {
    const Model model = random_model({.width = 0.25});
    RecognizerOptions options;
    options.isa = "vax";
    const Result<Recognizer> recognizer = Recognizer::create(model, options);
    REQUIRE_FALSE(recognizer.ok());
    CHECK(recognizer.error().code == ErrorCode::unsupported);
    options.isa = "reference";
    CHECK(std::string(make_recognizer(model, options).isa()) == "reference");
}

TEST_CASE("errors of a tuning name it", "[recognizer]") {
    const Model model = random_model({.width = 0.1});
    RecognizerOptions options;
    options.tuning = "no tuning";
    CHECK_THAT(Recognizer::create(model, options).error().message, starts_with("tuning: "));
    options.tuning_name = "of\na machine";
    const Result<Recognizer> refused = Recognizer::create(model, options);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::malformed);
    CHECK_THAT(refused.error().message, starts_with("of\\x0aa machine: "));
}

}  // namespace
}  // namespace lprnet::test
