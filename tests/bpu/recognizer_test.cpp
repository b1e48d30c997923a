// The adapter against the stand-in for libdnn: what it answers, what it refuses, and that nothing
// is left whatever fails.
#include "lprnet/bpu.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>
#include <thread>

#include "engine/bpu/context_tail.h"
#include "lprnet/recognizer.h"
#include "tests/allocation_counter.h"
#include "tests/bpu/stand_in_library.h"
#include "tests/bpu/tail_reference.h"
#include "tests/catch.h"
#include "tests/network/random_network.h"
#include "tests/paths.h"

namespace lprnet::test {
namespace {

using bpu::abi::TensorProperties;

// A small network in memory and as the stand-in's .bin.
struct Network {
    explicit Network(const RandomNetwork& shape, const char* name)
        : model(random_model(shape)), bin(folder().file(name)) {
        const std::vector<std::byte> bytes = random_network(shape).bytes();
        std::ofstream(bin, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
    }
    static TemporaryFolder& folder() {
        static TemporaryFolder it;
        return it;
    }
    Model model;
    std::string bin;
};

const Network& network() {
    static const Network it({.width = 0.25}, "network.bin");
    return it;
}

const Network& gray_network() {
    static const Network it({.channels = 1, .width = 0.25}, "gray.bin");
    return it;
}

struct Picture {
    explicit Picture(unsigned seed, PixelFormat format = PixelFormat::bgr)
        : pixels(std::size_t{94} * 24 * static_cast<std::size_t>(channels(format))),
          view{nullptr, 94, 24, std::ptrdiff_t{94} * channels(format), format} {
        std::mt19937 random(seed);
        for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(random());
        view.data = pixels.data();
    }
    std::vector<std::uint8_t> pixels;
    ImageView view;
};

std::vector<float> copy(std::span<const float> values) {
    return {values.begin(), values.end()};
}

// The logits of lprnet's CPU engine.
std::vector<float> cpu_logits(const ImageView& view, const Model& model = network().model) {
    Result<Recognizer> recognizer = Recognizer::create(model);
    REQUIRE(recognizer.ok());
    REQUIRE(recognizer->read(view).ok());
    return copy(recognizer->logits());
}

Result<bpu::Recognizer> open(const bpu::RecognizerOptions& options = {},
                             const Network& with = network()) {
    bpu::RecognizerOptions named = options;
    named.library = StandIn::path();
    // Emulators and sanitizers on a busy machine take their time.
    if (named.timeout_ms == bpu::RecognizerOptions{}.timeout_ms) named.timeout_ms = 100000;
    return bpu::Recognizer::create(with.model, with.bin, named);
}

bpu::Recognizer opened(const bpu::RecognizerOptions& options = {}) {
    Result<bpu::Recognizer> recognizer = open(options);
    if (!recognizer) FAIL(recognizer.error().message);
    return std::move(*recognizer);
}

std::vector<float> bpu_logits(bpu::Recognizer& recognizer, const ImageView& view) {
    Reading reading;
    const Status status = recognizer.read(view, reading);
    if (!status) FAIL(status.error().message);
    return copy(recognizer.logits());
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
    REQUIRE(a.size() == b.size());
    double largest = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i)
        largest =
            std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    return largest;
}

// The largest step of each output, as the stand-in reports it.
double output_steps[4];

void keep_steps(TensorProperties& p, bool output, int index) {
    if (!output) return;
    double& largest = output_steps[index] = 0.0;
    if (p.quant_type == bpu::abi::kQuantShift)
        for (int i = 0; i < p.shift.count; ++i)
            largest = std::max(largest, std::ldexp(1.0, -p.shift.shifts[i]));
    if (p.quant_type == bpu::abi::kQuantScale)
        for (int i = 0; i < p.scale.count; ++i)
            largest = std::max(largest, static_cast<double>(p.scale.scales[i]));
}

// How far numbers of output `index` may be off; float32 itself counts steps of 2^-23 of the
// largest.
double half_step(std::size_t index, const std::vector<float>& values) {
    double largest = 0.0;
    for (const float x : values) largest = std::max(largest, std::abs(static_cast<double>(x)));
    return output_steps[index] / 2 + largest * std::ldexp(1.0, -22);
}

// --- Answers ----------------------------------------------------------------------------------

TEST_CASE("logits arrive as they are, in any shape", "[bpu]") {
    const Picture picture(1);
    const std::vector<float> expected = cpu_logits(picture.view);
    for (const char* shape : {"1xCxT", "1xCxTx1", "1x1xCxT", "CxT", "1xTxC", "TxC", "CT", "1xCTx1",
                              "1x1x1x1x1x1xCxT"}) {
        for (const char* rest : {"", "pad=32", "pad=7 strides=zero", "strides=zero"}) {
            INFO(shape << " " << rest);
            const StandIn stand_in(std::string("shape=") + shape + " " + rest);
            {
                bpu::Recognizer recognizer = opened();
                CHECK(bpu_logits(recognizer, picture.view) == expected);
            }
            stand_in.check_nothing_left();
        }
    }
}

TEST_CASE("an aligned shape of another rank", "[bpu]") {
    const Picture picture(1);
    StandIn stand_in("strides=zero shape=1xCxT");
    stand_in.edit([](TensorProperties& p, bool output, int) {
        if (!output) return;
        p.aligned_shape.extents[2] = 32;
        p.aligned_shape.extents[3] = 1;
        p.aligned_shape.count = 4;
        p.aligned_bytes = 68 * 32 * 4;
    });
    bpu::Recognizer recognizer = opened();
    CHECK(bpu_logits(recognizer, picture.view) == cpu_logits(picture.view));
}

TEST_CASE("quantized logits are off by half a step at most", "[bpu]") {
    const Picture picture(2);
    const std::vector<float> expected = cpu_logits(picture.view);
    for (const char* type : {"s8", "u8", "s16", "u16", "s32"}) {
        for (const char* quant : {"scale", "shift", "channel"}) {
            const std::string unsigned_types = "u8 u16";
            // Numbers below zero need a zero point.
            if (quant == std::string("shift") && unsigned_types.find(type) != std::string::npos)
                continue;
            INFO(type << " " << quant);
            StandIn stand_in(std::string("pad=8 output=") + type + " quant=" + quant);
            stand_in.edit(keep_steps);
            bpu::Recognizer recognizer = opened();
            const std::vector<float> found = bpu_logits(recognizer, picture.view);
            CHECK(largest_difference(found, expected) <= half_step(0, expected));
            CHECK(output_steps[0] > 0.0);
        }
    }
}

TEST_CASE("branches become the network's logits", "[bpu]") {
    const Picture picture(3);
    const std::vector<float> expected = cpu_logits(picture.view);
    const Graph& graph = network().model.data().graph;
    const Result<bpu::ContextTail> tail = bpu::ContextTail::create(graph);
    REQUIRE(tail.ok());
    std::vector<std::vector<float>> branches;
    for (const char* rest : {"", "output_layout=nhwc", "pad=16", "order=reversed strides=zero",
                             "output_layout=nhwc pad=32 strides=zero"}) {
        INFO(rest);
        const StandIn stand_in(std::string("form=split ") + rest);
        {
            bpu::Recognizer recognizer = opened();
            const std::vector<float> found = bpu_logits(recognizer, picture.view);
            const std::span<const std::vector<float>> given = recognizer.branches();
            REQUIRE(given.size() == 4);
            check_tail(graph, tail->shapes(), given, found);
            // Pooled and summed in another order than the CPU engine does.
            float largest = 0.0f;
            for (const float x : expected) largest = std::max(largest, std::abs(x));
            CHECK(largest_difference(found, expected) <=
                  static_cast<double>(largest) * std::ldexp(1.0, -14));
            if (branches.empty()) branches.assign(given.begin(), given.end());
            CHECK(std::equal(given.begin(), given.end(), branches.begin(), branches.end()));
            CHECK(recognizer.close().ok());
            CHECK(recognizer.branches().empty());
            CHECK(recognizer.logits().empty());
        }
        stand_in.check_nothing_left();
    }
    for (const char* type : {"s8", "s16", "u8"}) {
        for (const char* quant : {"scale", "shift", "channel"}) {
            INFO(type << " " << quant);
            StandIn stand_in(std::string("form=split pad=4 output_layout=nhwc output=") + type +
                             " quant=" + quant);
            stand_in.edit(keep_steps);
            bpu::Recognizer recognizer = opened();
            const std::vector<float> found = bpu_logits(recognizer, picture.view);
            const std::span<const std::vector<float>> given = recognizer.branches();
            REQUIRE(given.size() == 4);
            for (std::size_t i = 0; i < 4; ++i)
                CHECK(largest_difference(given[i], branches[i]) <= half_step(i, branches[i]));
            check_tail(graph, tail->shapes(), given, found);
        }
    }
}

TEST_CASE("the network gets the pixels it was trained on", "[bpu]") {
    const Picture picture(4);
    const std::vector<float> expected = cpu_logits(picture.view);
    for (const char* settings : {"input=f32", "input=f32 input_layout=nhwc", "input=f32 pad=32",
                                 "input=f32 pad=32 strides=zero input_layout=nhwc", "input=rgb",
                                 "input=bgr", "input=bgr input_layout=nhwc pad=16 strides=zero"}) {
        INFO(settings);
        const StandIn stand_in(settings);
        bpu::Recognizer recognizer = opened();
        CHECK(bpu_logits(recognizer, picture.view) == expected);
    }
    // A gray picture loses nothing in NV12 of full range, and some of its levels in that of video.
    for (const bpu::Nv12Range range : {bpu::Nv12Range::full, bpu::Nv12Range::video}) {
        const bool full = range == bpu::Nv12Range::full;
        Picture gray(5), decoded(5);
        for (std::size_t i = 0; i < gray.pixels.size(); ++i) {
            const std::uint8_t level = gray.pixels[i - i % 3];
            gray.pixels[i] = decoded.pixels[i] = level;
            if (full) continue;
            const double luma = std::nearbyint(16.0 + level * 219.0 / 255.0);
            decoded.pixels[i] =
                static_cast<std::uint8_t>(std::nearbyint((luma - 16.0) * 255 / 219));
        }
        const std::vector<float> expected_gray = cpu_logits(decoded.view);
        for (const char* settings :
             {"input=nv12", "input=nv12 input_layout=nhwc", "input=nv12_separate"}) {
            INFO(settings);
            const StandIn stand_in(std::string(settings) + (full ? " range=full" : ""));
            {
                bpu::Recognizer recognizer = opened({.nv12_range = range});
                CHECK(bpu_logits(recognizer, gray.view) == expected_gray);
            }
            stand_in.check_nothing_left();
        }
    }
    const StandIn stand_in("input=y");
    Result<bpu::Recognizer> recognizer = open({}, gray_network());
    REQUIRE(recognizer.ok());
    CHECK(bpu_logits(*recognizer, picture.view) == cpu_logits(picture.view, gray_network().model));
}

TEST_CASE("quantized input is rounded to its steps", "[bpu]") {
    const Picture picture(6);
    for (const char* settings : {"input=s16", "input=s8", "input=s8 quant=shift",
                                 "input=s16 quant=channel pad=64", "input=u8"}) {
        INFO(settings);
        StandIn stand_in(settings);
        static double scale, zero;
        stand_in.edit([](TensorProperties& p, bool output, int) {
            if (output) return;
            const bool shift = p.quant_type == bpu::abi::kQuantShift;
            scale = shift ? std::ldexp(1.0, -p.shift.shifts[0])
                          : static_cast<double>(p.scale.scales[0]);
            zero = shift ? 0.0 : p.scale.zero_points[0];
        });
        bpu::Recognizer recognizer = opened();
        const std::vector<float> found = bpu_logits(recognizer, picture.view);
        Result<Recognizer> cpu = Recognizer::create(network().model);
        REQUIRE(cpu.ok());
        REQUIRE(cpu->set_image(picture.view).ok());
        const double steps = std::string(settings).find("16") != std::string::npos ? 32768 : 128;
        const double lowest = std::string(settings).find("u8") != std::string::npos ? 0 : -steps;
        for (float& x : cpu->input()) {
            const double level = std::nearbyint(static_cast<double>(x) / scale + zero);
            const double clipped = std::clamp(level, lowest, lowest == 0 ? 255.0 : steps - 1);
            x = static_cast<float>((clipped - zero) * scale);
        }
        cpu->infer();
        CHECK(found == copy(cpu->logits()));
    }
}

TEST_CASE("regions, corners and direct input", "[bpu]") {
    const StandIn stand_in;
    bpu::Recognizer recognizer = opened();
    Result<Recognizer> cpu = Recognizer::create(network().model);
    REQUIRE(cpu.ok());
    const Picture picture(7);
    Reading found, expected;
    REQUIRE(recognizer.read(picture.view, Region{3, 2, 50, 20}, found).ok());
    REQUIRE(cpu->read(picture.view, Region{3, 2, 50, 20}, expected).ok());
    CHECK(copy(recognizer.logits()) == copy(cpu->logits()));
    CHECK(found.text == expected.text);
    CHECK(found.confidence == expected.confidence);
    const Quad quad = quad_of({5, 4, 60, 15}, 2);
    REQUIRE(recognizer.read(picture.view, quad, found).ok());
    REQUIRE(cpu->read(picture.view, quad, expected).ok());
    CHECK(copy(recognizer.logits()) == copy(cpu->logits()));

    REQUIRE(recognizer.set_input(cpu->input()).ok());
    REQUIRE(recognizer.infer().ok());
    CHECK(copy(recognizer.logits()) == copy(cpu->logits()));
    CHECK_FALSE(recognizer.set_input(cpu->input().first(5)).ok());
    CHECK_FALSE(recognizer.read(picture.view, Region{90, 0, 50, 20}, found).ok());
    CHECK_FALSE(recognizer.read({}, found).ok());

    const StandIn pixels("input=bgr");
    bpu::Recognizer with_pixels = opened();
    REQUIRE(with_pixels.set_input(cpu->input()).ok());
    REQUIRE(with_pixels.infer().ok());
    CHECK(copy(with_pixels.logits()) == copy(cpu->logits()));
}

TEST_CASE("a .bin of the bpu decodes as asked", "[bpu]") {
    const StandIn stand_in;
    bpu::Recognizer recognizer = opened();
    const Result<Patterns> patterns = Patterns::parse("a : #{3}", "p");
    REQUIRE(patterns.ok());
    REQUIRE(recognizer.set_decoding({.decoder = Decoder::grammar, .patterns = *patterns}).ok());
    CHECK(recognizer.read(Picture(8).view)->characters.size() == 3);
    CHECK_FALSE(recognizer.set_decoding({.candidates = 0}).ok());
    CHECK(recognizer.clone()->read(Picture(8).view)->characters.size() == 3);
}

// --- Several frames ---------------------------------------------------------------------------

TEST_CASE("frames on their way come back in their order", "[bpu]") {
    const StandIn stand_in("delay=1 form=whole");
    {
        bpu::Recognizer recognizer = opened({.in_flight = 4});
        std::vector<Picture> pictures;
        std::vector<std::vector<float>> expected;
        for (unsigned i = 0; i < 6; ++i) {
            pictures.emplace_back(i);
            pictures.back().view.data = pictures.back().pixels.data();
            expected.push_back(cpu_logits(pictures.back().view));
        }
        std::size_t sent = 0, received = 0;
        const auto send = [&] {
            REQUIRE(recognizer.set_image(pictures[sent++ % 6].view).ok());
            REQUIRE(recognizer.start().ok());
        };
        const auto receive = [&] {
            REQUIRE(recognizer.finish().ok());
            CHECK(copy(recognizer.logits()) == expected[received++ % 6]);
        };
        for (int i = 0; i < 4; ++i) send();
        CHECK(recognizer.on_the_way() == 4);
        const Status full = recognizer.set_image(pictures[0].view);
        REQUIRE_FALSE(full.ok());
        CHECK_THAT(full.error().message, contains("all 4 frames"));
        CHECK_FALSE(recognizer.start().ok());
        CHECK_FALSE(recognizer.infer().ok());
        Reading reading;
        const Status busy = recognizer.read(pictures[0].view, reading);
        REQUIRE_FALSE(busy.ok());
        CHECK(busy.error().code == ErrorCode::invalid_argument);
        for (int i = 0; i < 20; ++i) {
            receive();
            send();
        }
        for (int i = 0; i < 4; ++i) receive();
        CHECK_FALSE(recognizer.finish().ok());
        CHECK(recognizer.on_the_way() == 0);
        CHECK(stand_in.counts().most_tasks == 4);
        send();  // the destructor waits for it
    }
    stand_in.check_nothing_left();
}

TEST_CASE("clones in threads share a .bin", "[bpu][threads]") {
    const StandIn stand_in("form=split");
    const Picture picture(9);
    {
        bpu::Recognizer first = opened();
        const std::vector<float> expected = bpu_logits(first, picture.view);
        constexpr std::size_t kThreads = 4;
        std::vector<std::vector<float>> found(kThreads);
        std::vector<std::thread> threads;
        for (std::size_t t = 0; t < kThreads; ++t) {
            Result<bpu::Recognizer> clone = first.clone();
            REQUIRE(clone.ok());
            threads.emplace_back([&found, &picture, t, own = std::move(*clone)]() mutable {
                Reading reading;
                for (int i = 0; i < 5; ++i)
                    if (!own.read(picture.view, reading).ok()) return;
                found[t] = copy(own.logits());
            });
        }
        for (std::thread& thread : threads) thread.join();
        for (const auto& logits : found) CHECK(logits == expected);
        CHECK(stand_in.counts().models == 1);
        // A clone outlives what it was made of.
        Result<bpu::Recognizer> clone = first.clone();
        REQUIRE(clone.ok());
        first = std::move(*clone);
        CHECK(bpu_logits(first, picture.view) == expected);
        CHECK(first.close().ok());
    }
    stand_in.check_nothing_left();
}

TEST_CASE("too many frames for the runtime", "[bpu]") {
    const StandIn stand_in("idle=1 delay=1");
    {
        bpu::Recognizer first = opened({.in_flight = 32});
        Result<bpu::Recognizer> second = first.clone();
        REQUIRE(second.ok());
        for (int i = 0; i < 32; ++i) REQUIRE(first.start().ok());
        const Status refused = second->start();
        REQUIRE_FALSE(refused.ok());
        CHECK(refused.error().code == ErrorCode::device_failed);
        CHECK_THAT(refused.error().message, contains("HB_DNN_TASK_NUM_EXCEED_LIMIT (-6000009)"));
        REQUIRE(first.finish().ok());
        CHECK(second->infer().ok());
    }
    stand_in.check_nothing_left();
}

TEST_CASE("a warm bpu recognizer allocates nothing", "[bpu]") {
    for (const char* settings : {"idle=1", "idle=1 form=split input=nv12 output=s8"}) {
        const StandIn stand_in(settings);
        bpu::Recognizer recognizer = opened({.in_flight = 2});
        const Picture pictures[] = {Picture(1), Picture(2)};
        Reading reading;
        bool ok = true;
        for (int i = 0; i < 3; ++i) ok = recognizer.read(pictures[0].view, reading).ok() && ok;
        const std::size_t before = allocation_count();
        for (const Picture& picture : pictures) {
            ok = recognizer.read(picture.view, reading).ok() && ok;
            ok = recognizer.set_image(picture.view).ok() && recognizer.start().ok() && ok;
            ok = recognizer.set_image(picture.view).ok() && recognizer.start().ok() && ok;
            ok = recognizer.finish().ok() && recognizer.finish().ok() && ok;
        }
        const std::size_t after = allocation_count();
        CHECK(ok);
        CHECK(after == before);
    }
}

// --- Time-outs --------------------------------------------------------------------------------

TEST_CASE("a frame that never ends is given up, the next one is read", "[bpu]") {
    const StandIn stand_in("delay=60");
    const Picture picture(10);
    {
        bpu::Recognizer recognizer = opened({.timeout_ms = 20});
        const Result<Reading> late = recognizer.read(picture.view);
        REQUIRE_FALSE(late.ok());
        CHECK(late.error().code == ErrorCode::timed_out);
        CHECK_THAT(late.error().message, contains("20 ms"));
        CHECK_THAT(late.error().message, contains("HB_DNN_TIMEOUT (-6000008)"));
        // The BPU still writes into its memory, which is not given back yet.
        CHECK(stand_in.counts().tasks == 0);
        CHECK(stand_in.counts().blocks == 2);
        CHECK_FALSE(recognizer.read(picture.view).ok());
        CHECK(stand_in.counts().blocks == 4);
    }
    stand_in.check_nothing_left();

    // A task that failed has ended: its memory is used again, however often that happens.
    const StandIn fails("fail=hbDNNWaitTaskDone:-6000012");
    {
        bpu::Recognizer recognizer = opened();
        for (int i = 0; i < 40; ++i) CHECK_FALSE(recognizer.read(picture.view).ok());
        CHECK(fails.counts().blocks == 2);
    }
    fails.check_nothing_left();

    // There is an end to the memory of frames that were given up.
    const StandIn dead("hang=1");
    {
        bpu::Recognizer recognizer = opened({.timeout_ms = 1});
        for (int i = 0; i < 32; ++i)
            CHECK(recognizer.read(picture.view).error().code == ErrorCode::timed_out);
        const Result<Reading> refused = recognizer.read(picture.view);
        REQUIRE_FALSE(refused.ok());
        CHECK(refused.error().code == ErrorCode::device_failed);
        CHECK_THAT(refused.error().message, contains("not answered 32 frames"));
        CHECK(dead.counts().blocks == 64);
    }
    dead.check_nothing_left();

    const StandIn recovers("delay=2000 delays=1");
    {
        bpu::Recognizer recognizer = opened({.timeout_ms = 1900});
        CHECK_FALSE(recognizer.read(picture.view).ok());
        CHECK(bpu_logits(recognizer, picture.view) == cpu_logits(picture.view));
    }
    recovers.check_nothing_left();

    const StandIn hangs("hang=1");
    {
        // The stand-in's BPU does nothing else while a task hangs: other frames wait behind it.
        bpu::Recognizer recognizer = opened({.in_flight = 3, .timeout_ms = 20});
        for (int i = 0; i < 3; ++i) {
            REQUIRE(recognizer.set_image(picture.view).ok());
            REQUIRE(recognizer.start().ok());
        }
        CHECK_FALSE(recognizer.finish().ok());
        CHECK(recognizer.on_the_way() == 2);
        const Status status = recognizer.close();
        REQUIRE_FALSE(status.ok());
        CHECK(status.error().code == ErrorCode::timed_out);
    }
    hangs.check_nothing_left();
}

// --- Faults -----------------------------------------------------------------------------------

// Everything a program may do; the first error.
Status scenario() {
    bpu::RecognizerOptions options = {.in_flight = 2, .timeout_ms = 100000};
    Result<bpu::Recognizer> recognizer = open(options);
    if (!recognizer) return recognizer.error();
    Status first;
    const auto note = [&](Status next) {
        if (first.ok() && !next.ok()) first = std::move(next);
    };
    const Picture picture(11);
    Reading reading;
    note(recognizer->read(picture.view, reading));
    Result<bpu::Recognizer> clone = recognizer->clone();
    if (!clone) {
        note(clone.error());
    } else {
        for (int i = 0; i < 2; ++i) {
            note(clone->set_image(picture.view));
            note(clone->start());
        }
        while (clone->on_the_way() > 0) note(clone->finish());
        note(clone->close());
    }
    note(recognizer->read(picture.view, reading));
    note(recognizer->close());
    return first;
}

TEST_CASE("every call that fails is told by name, and nothing is left", "[bpu][many]") {
    for (const char* form : {"form=whole", "form=split input=nv12_separate"}) {
        int tried = 0;
#define LPRNET_DNN_NAME(name, symbol, ...) #symbol,
        for (const std::string function : {LPRNET_DNN_FUNCTIONS(LPRNET_DNN_NAME)}) {
            if (function == "hbDNNGetVersion") continue;  // has no code
            for (int call = 1;; ++call) {
                INFO(form << " " << function << " " << call);
                REQUIRE(call < 100);
                const StandIn stand_in(std::string(form) + " fail=" + function +
                                       ":-6000001:" + std::to_string(call));
                const Status status = scenario();
                stand_in.check_nothing_left();
                if (status) break;  // fewer calls than that
                ++tried;
                CHECK_THAT(status.error().message, contains(function + " returned"));
                CHECK_THAT(status.error().message, contains("HB_DNN_INVALID_ARGUMENT (-6000001)"));
                CHECK(status.error().code == ErrorCode::device_failed);
                CHECK(status.error().message.find('\n') == std::string::npos);
            }
        }
#undef LPRNET_DNN_NAME
        CHECK(tried > 40);
    }
}

TEST_CASE("every code has a name", "[bpu]") {
    struct Code {
        int code;
        const char* name;
        ErrorCode error;
    };
    const Code codes[] = {
        {-6000001, "HB_DNN_INVALID_ARGUMENT", ErrorCode::device_failed},
        {-6000002, "HB_DNN_INVALID_MODEL", ErrorCode::malformed},
        {-6000003, "HB_DNN_MODEL_NUMBER_EXCEED_LIMIT", ErrorCode::device_failed},
        {-6000004, "HB_DNN_INVALID_PACKED_DNN_HANDLE", ErrorCode::device_failed},
        {-6000005, "HB_DNN_INVALID_DNN_HANDLE", ErrorCode::device_failed},
        {-6000006, "HB_DNN_CAN_NOT_OPEN_FILE", ErrorCode::not_found},
        {-6000007, "HB_DNN_OUT_OF_MEMORY", ErrorCode::out_of_memory},
        {-6000008, "HB_DNN_TIMEOUT", ErrorCode::timed_out},
        {-6000009, "HB_DNN_TASK_NUM_EXCEED_LIMIT", ErrorCode::device_failed},
        {-6000010, "HB_DNN_TASK_BATCH_SIZE_EXCEED_LIMIT", ErrorCode::device_failed},
        {-6000011, "HB_DNN_INVALID_TASK_HANDLE", ErrorCode::device_failed},
        {-6000012, "HB_DNN_RUN_TASK_FAILED", ErrorCode::device_failed},
        {-6000013, "HB_DNN_MODEL_IS_RUNNING", ErrorCode::device_failed},
        {-6000014, "HB_DNN_INCOMPATIBLE_MODEL", ErrorCode::mismatch},
        {-6000015, "HB_DNN_API_USE_ERROR", ErrorCode::device_failed},
        {-6000016, "HB_DNN_MULTI_PROGRESS_USE_ERROR", ErrorCode::device_failed},
        {-6000129, "HB_SYS_INVALID_ARGUMENT", ErrorCode::device_failed},
        {-6000130, "HB_SYS_OUT_OF_MEMORY", ErrorCode::out_of_memory},
        {-6000131, "HB_SYS_REGISTER_MEM_FAILED", ErrorCode::device_failed},
        {-42, "code -42", ErrorCode::device_failed}};
    for (const Code& code : codes) {
        INFO(code.name);
        const StandIn stand_in("fail=hbDNNWaitTaskDone:" + std::to_string(code.code));
        {
            bpu::Recognizer recognizer = opened();
            const Result<Reading> reading = recognizer.read(Picture(1).view);
            REQUIRE_FALSE(reading.ok());
            CHECK(reading.error().code == code.error);
            CHECK_THAT(reading.error().message, contains(code.name));
            CHECK_THAT(reading.error().message, contains(std::to_string(code.code)));
        }
        stand_in.check_nothing_left();
    }
    // A .bin for another chip loads and fails when it runs.
    const StandIn stand_in("fail=hbDNNWaitTaskDone:-6000012");
    bpu::Recognizer recognizer = opened();
    CHECK_THAT(recognizer.read(Picture(1).view).error().message, contains("bayes-e"));
}

TEST_CASE("calls that succeed without what they promise", "[bpu]") {
    for (const char* settings :
         {"no_task=1", "task_on_failure=1 fail=hbDNNInfer:-6000015", "null_memory=1"}) {
        INFO(settings);
        const StandIn stand_in(settings);
        const Status status = scenario();
        REQUIRE_FALSE(status.ok());
        CHECK(status.error().code == ErrorCode::device_failed);
        stand_in.check_nothing_left();
    }
}

TEST_CASE("a .bin that is not this network is refused", "[bpu]") {
    struct Case {
        const char* settings;
        ErrorCode code;
        const char* message;
    };
    const Case cases[] = {
        {"models=0", ErrorCode::mismatch, "expected one model, found 0"},
        {"models=2", ErrorCode::mismatch, "expected one model, found 2"},
        {"null_names=1", ErrorCode::mismatch, "expected one model"},
        {"inputs=2", ErrorCode::mismatch, "expected one input, found 2"},
        {"outputs=0", ErrorCode::mismatch, "expected 1 or 4 outputs, found 0"},
        {"outputs=3", ErrorCode::mismatch, "expected 1 or 4 outputs, found 3"},
        {"outputs=-1", ErrorCode::mismatch, "found -1"},
        {"outputs=1000000", ErrorCode::mismatch, "found 1000000"},
        {"form=split outputs=1", ErrorCode::mismatch, "output 'branch0': expected 68x1x18"},
        {"form=split names=other", ErrorCode::mismatch,
         "output 'branch0' is missing; found 'other0'"},
        {"outputs=4", ErrorCode::mismatch, "output 'branch0' is missing; found 'logits'"},
        {"shape=1xCx17", ErrorCode::mismatch, "found 1x68x17"},
        {"shape=1x3xCxT", ErrorCode::mismatch, "found 1x3x68x18"},
        {"output=nv12", ErrorCode::unsupported, "NV12"}};
    for (const Case& c : cases) {
        INFO(c.settings);
        const StandIn stand_in(c.settings);
        const Result<bpu::Recognizer> recognizer = open();
        REQUIRE_FALSE(recognizer.ok());
        CHECK(recognizer.error().code == c.code);
        CHECK_THAT(recognizer.error().message, contains(c.message));
        CHECK_THAT(recognizer.error().message, contains("network.bin"));
        stand_in.check_nothing_left();
    }
    // Another network's .bin: other channels in and out.
    const StandIn stand_in;
    bpu::RecognizerOptions options;
    options.library = StandIn::path();
    CHECK_THAT(
        bpu::Recognizer::create(network().model, gray_network().bin, options).error().message,
        contains("expected 3x24x94 (channels, rows, columns), found 1x1x24x94"));
    const Network fewer({.classes = 36, .width = 0.25}, "fewer.bin");
    CHECK_THAT(bpu::Recognizer::create(network().model, fewer.bin, options).error().message,
               contains("output 'logits': expected 68x1x18"));
    stand_in.check_nothing_left();
}

TEST_CASE("a spatial transformer is left to the CPU", "[bpu]") {
    const StandIn stand_in;
    const Network with({.width = 0.25, .transformer = true}, "transformer.bin");
    const Result<bpu::Recognizer> recognizer = open({}, with);
    REQUIRE_FALSE(recognizer.ok());
    CHECK(recognizer.error().code == ErrorCode::unsupported);
    CHECK(
        recognizer.error().message ==
        "random: has a spatial transformer, which the BPU's recognizer has not: read with the CPU");
    stand_in.check_nothing_left();
}

TEST_CASE("files that are no .bin", "[bpu]") {
    const StandIn stand_in;
    bpu::RecognizerOptions options;
    options.library = StandIn::path();
    const auto message = [&](const std::string& path) {
        const Result<bpu::Recognizer> recognizer =
            bpu::Recognizer::create(network().model, path, options);
        return recognizer.ok() ? "" : recognizer.error().message;
    };
    CHECK_THAT(message("/nowhere/lpr.bin"), contains("/nowhere/lpr.bin: no such file"));
    CHECK_THAT(message(Network::folder().path()), contains("no such file"));
    const std::string text = Network::folder().file("text.bin");
    std::ofstream(text) << "no model";
    CHECK_THAT(message(text), contains("HB_DNN_INVALID_MODEL (-6000002); expected a .bin"));
    stand_in.check_nothing_left();
}

TEST_CASE("libraries that are no libdnn", "[bpu]") {
    const auto error = [](const std::string& path) {
        bpu::RecognizerOptions options;
        options.library = path;
        const Result<bpu::Recognizer> recognizer =
            bpu::Recognizer::create(network().model, network().bin, options);
        REQUIRE_FALSE(recognizer.ok());
        CHECK(recognizer.error().code == ErrorCode::unsupported);
        CHECK(recognizer.error().message.find('\n') == std::string::npos);
        return recognizer.error().message;
    };
    CHECK_THAT(error("libdnn_that_is_not_there.so"), contains("cannot be opened"));
    CHECK_THAT(error(network().bin), contains("cannot be opened"));
    CHECK_THAT(error("libm.so.6"), contains("has no function hbDNNGetVersion"));
#define LPRNET_DNN_NAME(name, symbol, ...) #symbol,
    for (const std::string function : {LPRNET_DNN_FUNCTIONS(LPRNET_DNN_NAME)}) {
#undef LPRNET_DNN_NAME
        CHECK_THAT(error(LPRNET_WITHOUT_DIR "/without_" + function + ".so"),
                   contains("has no function " + function));
    }
    for (const char* version : {"3.0.2", "null", "11.0", "hello"}) {
        const StandIn stand_in(std::string("version=") + version);
        CHECK_THAT(error(StandIn::path()), contains("expected version 1.x, found"));
        stand_in.check_nothing_left();
    }
    const StandIn stand_in("version=1.23.10");
    CHECK(opened().runtime_version() == "1.23.10");
}

TEST_CASE("options out of range", "[bpu]") {
    const StandIn stand_in;
    for (const bpu::RecognizerOptions& options :
         {bpu::RecognizerOptions{.in_flight = 0}, bpu::RecognizerOptions{.in_flight = 33},
          bpu::RecognizerOptions{.timeout_ms = 0}, bpu::RecognizerOptions{.timeout_ms = -1}}) {
        const Result<bpu::Recognizer> recognizer = open(options);
        REQUIRE_FALSE(recognizer.ok());
        CHECK(recognizer.error().code == ErrorCode::invalid_argument);
    }
    CHECK(stand_in.counts().calls == 0);
}

}  // namespace
}  // namespace lprnet::test
