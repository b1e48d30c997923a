// The C interface: every function, every way to misuse it, and that it tells what the C++
// interface tells. What the readings are worth is tested elsewhere; nearly all pictures here are
// made up.
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/image_file/image_file.h"
#include "lprnet/lprnet.h"
#include "lprnet/recognizer.h"
#include "lprnet/version.h"
#include "tests/allocation_counter.h"
#include "tests/catch.h"
#include "tests/network/random_network.h"
#include "tests/paths.h"
#include "weights/safetensors.h"

namespace {

// Programs that were compiled with 0.9.0 go on running: nothing in front of the end of these moves.
static_assert(sizeof(void*) != 8 || (sizeof(lpr_image) == 56 && offsetof(lpr_image, format) == 24 &&
                                     offsetof(lpr_image, chroma_stride) == 48));
static_assert(sizeof(lpr_region) == 16);
static_assert(sizeof(lpr_quad) == 36 && offsetof(lpr_quad, rows) == 32);
static_assert(sizeof(void*) != 8 || (offsetof(lpr_decoding, temperature) == 32 &&
                                     offsetof(lpr_decoding, provinces) == 40));
static_assert(sizeof(void*) != 8 ||
              (offsetof(lpr_options, threads) == 24 && offsetof(lpr_options, decoding) == 40));
static_assert(sizeof(lpr_alternative) == 20);
static_assert(sizeof(lpr_character) == 92 && offsetof(lpr_character, alternatives) == 32);
static_assert(sizeof(lpr_candidate) == 264 && offsetof(lpr_candidate, format) == 260);
static_assert(sizeof(void*) != 8 ||
              (offsetof(lpr_reading, reject_score) == 268 &&
               offsetof(lpr_reading, characters) == 280 &&
               offsetof(lpr_reading, candidates) == 6168 && sizeof(lpr_reading) >= 10392));

struct Free {
    void operator()(lpr_model* model) const { lpr_model_free(model); }
    void operator()(lpr_recognizer* recognizer) const { lpr_recognizer_free(recognizer); }
};
using ModelHandle = std::unique_ptr<lpr_model, Free>;
using RecognizerHandle = std::unique_ptr<lpr_recognizer, Free>;

ModelHandle builtin_model() {
    lpr_model* model = nullptr;
    char error[200] = "";
    INFO(error);
    REQUIRE(lpr_model_builtin(&model, error, sizeof error) == LPR_OK);
    REQUIRE(model != nullptr);
    return ModelHandle(model);
}

// The network as published with a quarter of its channels, random weights and the built-in
// characters: a picture costs a fraction.
const std::vector<std::byte>& small_file() {
    static const std::vector<std::byte> bytes = [] {
        const lprnet::Result<lprnet::Model> builtin = lprnet::Model::builtin();
        REQUIRE(builtin.ok());
        const std::vector<std::string>& charset = builtin->charset();
        lprnet::test::NetworkFile file = lprnet::test::random_network(
            {.classes = static_cast<int>(charset.size()), .width = 0.25});
        std::string names;
        for (const std::string& name : charset)
            names += (names.empty() ? "[\"" : ",\"") + name + '"';
        file.metadata["lprnet.charset"] = names + ']';
        return file.bytes();
    }();
    return bytes;
}

ModelHandle small_model() {
    lpr_model* model = nullptr;
    REQUIRE(lpr_model_from_memory(small_file().data(), small_file().size(), &model, nullptr, 0) ==
            LPR_OK);
    return ModelHandle(model);
}

lprnet::Result<lprnet::Model> small() {
    return lprnet::Model::from_memory(small_file(), "small");
}

RecognizerHandle recognizer_of(const lpr_model* model, const char* isa = nullptr) {
    lpr_recognizer* recognizer = nullptr;
    char error[200] = "";
    INFO(error);
    REQUIRE(lpr_recognizer_create(model, isa, &recognizer, error, sizeof error) == LPR_OK);
    REQUIRE(recognizer != nullptr);
    return RecognizerHandle(recognizer);
}

lpr_options options_of() {
    lpr_options options = {};
    options.struct_size = sizeof options;
    return options;
}

RecognizerHandle opened(const lpr_model* model, const lpr_options& options) {
    lpr_recognizer* recognizer = nullptr;
    char error[200] = "";
    const lpr_status status =
        lpr_recognizer_open(model, &options, &recognizer, error, sizeof error);
    INFO(error);
    REQUIRE(status == LPR_OK);
    REQUIRE(recognizer != nullptr);
    return RecognizerHandle(recognizer);
}

RecognizerHandle clone_of(const RecognizerHandle& recognizer) {
    lpr_recognizer* clone = nullptr;
    REQUIRE(lpr_recognizer_clone(recognizer.get(), &clone, nullptr, 0) == LPR_OK);
    REQUIRE(clone != nullptr);
    return RecognizerHandle(clone);
}

struct Picture {
    int width = 0;
    int height = 0;
    int channels = 0;
    std::vector<std::uint8_t> pixels;

    lpr_image view(lpr_pixel_format format) const {
        return {pixels.data(), width, height, std::ptrdiff_t{width} * channels, format};
    }
};

// Blocks of random color about as wide as a stroke; three channels.
Picture blocks(std::uint32_t seed, int width = 94, int height = 24) {
    Picture picture = {width, height, 3, {}};
    constexpr int kBlock = 5;
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            for (int c = 0; c < 3; ++c) {
                std::uint32_t hash =
                    seed + static_cast<std::uint32_t>((y / kBlock * 4096 + x / kBlock) * 4 + c);
                hash *= 2654435761U;
                hash ^= hash >> 15;
                hash *= 2246822519U;
                picture.pixels.push_back(static_cast<std::uint8_t>(hash >> 24));
            }
        }
    }
    return picture;
}

// Byte `from[i]` of each pixel becomes byte i; -1 becomes `filling`.
Picture rearranged(const Picture& picture, const std::vector<int>& from, std::uint8_t filling = 0) {
    Picture result = {picture.width, picture.height, static_cast<int>(from.size()), {}};
    for (std::size_t i = 0; i < picture.pixels.size();
         i += static_cast<std::size_t>(picture.channels)) {
        for (const int channel : from) {
            result.pixels.push_back(
                channel < 0 ? filling : picture.pixels[i + static_cast<std::size_t>(channel)]);
        }
    }
    return result;
}

lpr_reading read(const RecognizerHandle& recognizer, const lpr_image& image) {
    lpr_reading reading;
    std::memset(&reading, 0x5A, sizeof reading);
    reading.struct_size = sizeof reading;
    char error[200] = "";
    INFO(error);
    REQUIRE(lpr_read(recognizer.get(), &image, &reading, error, sizeof error) == LPR_OK);
    return reading;
}

void check_same(const lpr_reading& a, const lpr_reading& b) {
    CHECK(std::string(a.text) == b.text);
    CHECK(a.confidence == b.confidence);
    REQUIRE(a.character_count == b.character_count);
    for (std::int32_t i = 0; i < a.character_count; ++i) {
        CHECK(std::string(a.characters[i].text) == b.characters[i].text);
        CHECK(a.characters[i].confidence == b.characters[i].confidence);
        CHECK(a.characters[i].first_step == b.characters[i].first_step);
        CHECK(a.characters[i].last_step == b.characters[i].last_step);
    }
}

std::vector<char> file_bytes(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

// Calls `fails(error, size)` with buffers of several sizes and returns the whole message.
template <class Call>
std::string message_of(lpr_status expected, Call fails) {
    char whole[512];
    std::memset(whole, 'x', sizeof whole);
    CHECK(fails(whole, sizeof whole) == expected);
    REQUIRE(std::memchr(whole, '\0', sizeof whole) != nullptr);
    const std::string message = whole;
    CHECK_FALSE(message.empty());
    CHECK(message.find('\n') == std::string::npos);

    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{5}}) {
        char buffer[8];
        std::memset(buffer, 'x', sizeof buffer);
        CHECK(fails(buffer, size) == expected);
        if (size > 0) CHECK(std::string(buffer) == message.substr(0, size - 1));
        for (std::size_t i = size; i < sizeof buffer; ++i) CHECK(buffer[i] == 'x');
    }
    CHECK(fails(nullptr, 0) == expected);
    CHECK(fails(nullptr, 100) == expected);
    return message;
}

// As C lets it be: the first number that no decoder has, which the enumeration need not reach.
lpr_decoder no_decoder() {
    const int number = static_cast<int>(std::size(lprnet::kDecoders));
    lpr_decoder decoder;
    std::memcpy(&decoder, &number, sizeof decoder);
    return decoder;
}

TEST_CASE("the version is that of the headers", "[c_api]") {
    CHECK(std::string(lpr_version()) == LPRNET_VERSION);
}

TEST_CASE("every status has a name", "[c_api]") {
    CHECK(std::string(lpr_status_string(LPR_OK)) == "ok");
    CHECK(std::string(lpr_status_string(LPR_INVALID_ARGUMENT)) == "invalid_argument");
    CHECK(std::string(lpr_status_string(LPR_NOT_FOUND)) == "not_found");
    CHECK(std::string(lpr_status_string(LPR_MALFORMED)) == "malformed");
    CHECK(std::string(lpr_status_string(LPR_MISMATCH)) == "mismatch");
    CHECK(std::string(lpr_status_string(LPR_UNSUPPORTED)) == "unsupported");
    CHECK(std::string(lpr_status_string(LPR_OUT_OF_MEMORY)) == "out_of_memory");
    // 7 is the largest value that an enumeration of 0..6 can hold.
    CHECK(std::string(lpr_status_string(static_cast<lpr_status>(7))) == "unknown");
}

TEST_CASE("NULL may be freed", "[c_api]") {
    lpr_model_free(nullptr);
    lpr_recognizer_free(nullptr);
}

TEST_CASE("NULL arguments are named", "[c_api]") {
    const ModelHandle model = builtin_model();
    const RecognizerHandle recognizer = recognizer_of(model.get());
    const Picture picture = blocks(1);
    const lpr_image image = picture.view(LPR_BGR);
    lpr_reading reading = {};
    reading.struct_size = sizeof reading;
    lpr_model* out_model = nullptr;
    lpr_recognizer* out_recognizer = nullptr;

    const auto names = [](const char* name, auto call) {
        CHECK(message_of(LPR_INVALID_ARGUMENT, call) == std::string(name) + " is NULL");
    };
    names("path", [&](char* e, size_t n) { return lpr_model_load(nullptr, &out_model, e, n); });
    names("model", [&](char* e, size_t n) { return lpr_model_load("x", nullptr, e, n); });
    names("bytes",
          [&](char* e, size_t n) { return lpr_model_from_memory(nullptr, 0, &out_model, e, n); });
    names("bytes",
          [&](char* e, size_t n) { return lpr_model_from_memory(nullptr, 8, &out_model, e, n); });
    names("model", [&](char* e, size_t n) { return lpr_model_from_memory("x", 1, nullptr, e, n); });
    names("model", [&](char* e, size_t n) { return lpr_model_builtin(nullptr, e, n); });
    names("model", [&](char* e, size_t n) {
        return lpr_recognizer_create(nullptr, nullptr, &out_recognizer, e, n);
    });
    names("recognizer", [&](char* e, size_t n) {
        return lpr_recognizer_create(model.get(), nullptr, nullptr, e, n);
    });
    names("model",
          [&](char* e, size_t n) { return lpr_model_builtin_precision("fp32", nullptr, e, n); });
    const lpr_options options = options_of();
    names("model", [&](char* e, size_t n) {
        return lpr_recognizer_open(nullptr, &options, &out_recognizer, e, n);
    });
    names("options", [&](char* e, size_t n) {
        return lpr_recognizer_open(model.get(), nullptr, &out_recognizer, e, n);
    });
    names("recognizer", [&](char* e, size_t n) {
        return lpr_recognizer_open(model.get(), &options, nullptr, e, n);
    });
    names("recognizer",
          [&](char* e, size_t n) { return lpr_recognizer_clone(nullptr, &out_recognizer, e, n); });
    names("clone",
          [&](char* e, size_t n) { return lpr_recognizer_clone(recognizer.get(), nullptr, e, n); });
    names("recognizer",
          [&](char* e, size_t n) { return lpr_read(nullptr, &image, &reading, e, n); });
    names("image",
          [&](char* e, size_t n) { return lpr_read(recognizer.get(), nullptr, &reading, e, n); });
    names("reading",
          [&](char* e, size_t n) { return lpr_read(recognizer.get(), &image, nullptr, e, n); });
    const lpr_region region = {0, 0, 2, 2};
    names("recognizer", [&](char* e, size_t n) {
        return lpr_read_region(nullptr, &image, &region, &reading, e, n);
    });
    names("image", [&](char* e, size_t n) {
        return lpr_read_region(recognizer.get(), nullptr, &region, &reading, e, n);
    });
    names("region", [&](char* e, size_t n) {
        return lpr_read_region(recognizer.get(), &image, nullptr, &reading, e, n);
    });
    names("reading", [&](char* e, size_t n) {
        return lpr_read_region(recognizer.get(), &image, &region, nullptr, e, n);
    });
    const lpr_quad quad = {{0, 9, 9, 0}, {0, 0, 9, 9}, 1};
    names("recognizer",
          [&](char* e, size_t n) { return lpr_read_quad(nullptr, &image, &quad, &reading, e, n); });
    names("image", [&](char* e, size_t n) {
        return lpr_read_quad(recognizer.get(), nullptr, &quad, &reading, e, n);
    });
    names("quad", [&](char* e, size_t n) {
        return lpr_read_quad(recognizer.get(), &image, nullptr, &reading, e, n);
    });
    names("reading", [&](char* e, size_t n) {
        return lpr_read_quad(recognizer.get(), &image, &quad, nullptr, e, n);
    });
    CHECK(out_model == nullptr);
    CHECK(out_recognizer == nullptr);
}

TEST_CASE("a file that is no model gives no handle", "[c_api]") {
    const lprnet::test::TemporaryFolder folder;
    lpr_model* model = nullptr;
    const auto load = [&](const std::string& path) {
        return [&model, path](char* e, size_t n) {
            return lpr_model_load(path.c_str(), &model, e, n);
        };
    };
    const std::string missing = folder.file("missing");
    CHECK(message_of(LPR_NOT_FOUND, load(missing)) == missing + ": no such file");
    CHECK(message_of(LPR_NOT_FOUND, load(folder.path())).find(folder.path()) == 0);
    const std::string text = folder.file("text");
    std::ofstream(text) << "this is not a model";
    CHECK(message_of(LPR_MALFORMED, load(text)).find(text) == 0);
    CHECK(message_of(LPR_INVALID_ARGUMENT, load("")).find("empty") != std::string::npos);

    const std::string other = folder.file("other");
    REQUIRE(lprnet::weights::write_safetensors(other, {}, {}).ok());
    CHECK(message_of(LPR_MISMATCH, load(other)).find("lprnet.format") != std::string::npos);
    CHECK(model == nullptr);
}

TEST_CASE("memory that is no model gives no handle", "[c_api]") {
    const std::vector<char> whole = file_bytes(LPRNET_WEIGHTS_FILE);
    REQUIRE(whole.size() > 1000);
    lpr_model* model = nullptr;
    for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{8}, std::size_t{500},
                                   whole.size() / 2, whole.size() - 1}) {
        // A copy of that size, so that a read beyond it shows.
        const std::vector<char> part(whole.begin(),
                                     whole.begin() + static_cast<std::ptrdiff_t>(size));
        const char nothing = 0;
        const char* data = size > 0 ? part.data() : &nothing;
        CHECK(message_of(LPR_MALFORMED, [&](char* e, size_t n) {
                  return lpr_model_from_memory(data, size, &model, e, n);
              }).find("memory: ") == 0);
    }
    CHECK(model == nullptr);
}

TEST_CASE("built in, from a file and from memory are the same model", "[c_api]") {
    const Picture picture = blocks(2);
    const lpr_image image = picture.view(LPR_BGR);
    const lpr_reading expected = read(recognizer_of(builtin_model().get()), image);

    lpr_model* loaded = nullptr;
    REQUIRE(lpr_model_load(LPRNET_WEIGHTS_FILE, &loaded, nullptr, 0) == LPR_OK);
    check_same(read(recognizer_of(ModelHandle(loaded).get()), image), expected);

    lpr_model* copied = nullptr;
    {
        // Not aligned, and gone after the call.
        std::vector<char> bytes = file_bytes(LPRNET_WEIGHTS_FILE);
        bytes.insert(bytes.begin(), '?');
        REQUIRE(lpr_model_from_memory(bytes.data() + 1, bytes.size() - 1, &copied, nullptr, 0) ==
                LPR_OK);
    }
    check_same(read(recognizer_of(ModelHandle(copied).get()), image), expected);
}

TEST_CASE("a recognizer outlives its model, a clone its recognizer", "[c_api]") {
    const Picture picture = blocks(3);
    const lpr_image image = picture.view(LPR_BGR);
    ModelHandle model = builtin_model();
    RecognizerHandle recognizer = recognizer_of(model.get());
    const lpr_reading expected = read(recognizer, image);
    model.reset();
    check_same(read(recognizer, image), expected);
    const RecognizerHandle clone = clone_of(recognizer);
    const RecognizerHandle clone_of_clone = clone_of(clone);
    recognizer.reset();
    check_same(read(clone, image), expected);
    check_same(read(clone_of_clone, image), expected);
}

TEST_CASE("clones read in threads of their own", "[c_api][threads]") {
    const ModelHandle model = small_model();
    const RecognizerHandle first = recognizer_of(model.get());
    constexpr std::size_t kThreads = 3;
    std::vector<Picture> pictures;
    std::vector<lpr_reading> expected;
    std::vector<RecognizerHandle> clones;
    for (std::size_t t = 0; t < kThreads; ++t) {
        pictures.push_back(blocks(static_cast<std::uint32_t>(10 + t)));
        expected.push_back(read(first, pictures[t].view(LPR_BGR)));
        clones.push_back(clone_of(first));
    }
    std::vector<lpr_reading> found(kThreads);
    std::vector<lpr_status> statuses(kThreads, LPR_OK);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            const lpr_image image = pictures[t].view(LPR_BGR);
            found[t].struct_size = sizeof found[t];
            for (int i = 0; i < 5 && statuses[t] == LPR_OK; ++i) {
                statuses[t] = lpr_read(clones[t].get(), &image, &found[t], nullptr, 0);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t t = 0; t < kThreads; ++t) {
        CHECK(statuses[t] == LPR_OK);
        check_same(found[t], expected[t]);
    }
}

TEST_CASE("a kernel table is chosen by name", "[c_api]") {
    const ModelHandle model = small_model();
    const Picture picture = blocks(4);
    const lpr_reading chosen = read(recognizer_of(model.get(), "reference"), picture.view(LPR_BGR));
    const lpr_reading best = read(recognizer_of(model.get()), picture.view(LPR_BGR));
    CHECK(std::string(chosen.text) == best.text);

    lpr_recognizer* none = nullptr;
    const std::string message = message_of(LPR_UNSUPPORTED, [&](char* e, size_t n) {
        return lpr_recognizer_create(model.get(), "abacus", &none, e, n);
    });
    CHECK(message.find("'abacus'") != std::string::npos);
    CHECK(message.find("reference") != std::string::npos);
    CHECK(none == nullptr);
}

TEST_CASE("C and C++ read the same", "[c_api]") {
    const RecognizerHandle recognizer = recognizer_of(small_model().get());
    const lprnet::Result<lprnet::Model> model = small();
    REQUIRE(model.ok());
    lprnet::Result<lprnet::Recognizer> other = lprnet::Recognizer::create(*model);
    REQUIRE(other.ok());
    std::size_t characters = 0;
    for (std::uint32_t seed = 0; seed < 12; ++seed) {
        const int width = 1 + static_cast<int>(seed * 17);
        const Picture picture = blocks(seed, width, 40);
        const lpr_reading found = read(recognizer, picture.view(LPR_RGB));
        const lprnet::Result<lprnet::Reading> expected =
            other->read({picture.pixels.data(), width, 40, std::ptrdiff_t{3} * width,
                         lprnet::PixelFormat::rgb});
        REQUIRE(expected.ok());
        CHECK(found.struct_size == sizeof found);
        CHECK(expected->text == found.text);
        CHECK(expected->confidence == found.confidence);
        REQUIRE(found.character_count == static_cast<std::int32_t>(expected->characters.size()));
        std::string joined;
        for (std::int32_t i = 0; i < found.character_count; ++i) {
            const lprnet::Character& character = expected->characters[static_cast<std::size_t>(i)];
            CHECK(character.text == found.characters[i].text);
            CHECK(character.confidence == found.characters[i].confidence);
            CHECK(character.first_step == found.characters[i].first_step);
            CHECK(character.last_step == found.characters[i].last_step);
            joined += found.characters[i].text;
        }
        CHECK(joined == found.text);
        characters += expected->characters.size();
    }
    CHECK(characters > 0);
}

// A picture of tests/samples, whose name is its text.
lprnet::DecodedImage sample(const std::string& name) {
    auto image = lprnet::open_image(lprnet::test::tests_path("samples/" + name));
    if (!image) FAIL(image.error().message);
    return std::move(*image);
}

lpr_image rgb_of(const lprnet::DecodedImage& image) {
    const lprnet::ImageView view = image.view();
    return {view.data, view.width, view.height, view.stride, LPR_RGB};
}

TEST_CASE("built-in weights of each precision read a sample", "[c_api]") {
    const lprnet::DecodedImage image = sample("京A7K259.jpg");
    for (const char* precision : {"fp32", "int8"}) {
        INFO(precision);
        lpr_model* made = nullptr;
        REQUIRE(lpr_model_builtin_precision(precision, &made, nullptr, 0) == LPR_OK);
        const ModelHandle model(made);
        CHECK(std::string(lpr_model_precision(model.get())) == precision);
        const lpr_reading expected = read(recognizer_of(model.get()), rgb_of(image));
        CHECK(std::string(expected.text) == "京A7K259");

        // The same without a model of one's own.
        lpr_options options = options_of();
        options.precision = precision;
        check_same(read(opened(nullptr, options), rgb_of(image)), expected);

        const lprnet::Result<lprnet::Model> other = lprnet::Model::builtin(precision);
        REQUIRE(other.ok());
        lprnet::Result<lprnet::Recognizer> recognizer = lprnet::Recognizer::create(*other);
        REQUIRE(recognizer.ok());
        const lprnet::Result<lprnet::Reading> reading = recognizer->read(image.view());
        REQUIRE(reading.ok());
        CHECK(reading->confidence == expected.confidence);
    }
    // What has no name is what lpr_model_builtin gives.
    for (const char* unnamed : {static_cast<const char*>(nullptr), ""}) {
        lpr_model* made = nullptr;
        REQUIRE(lpr_model_builtin_precision(unnamed, &made, nullptr, 0) == LPR_OK);
        CHECK(std::string(lpr_model_precision(ModelHandle(made).get())) == "fp32");
    }
    CHECK(std::string(lpr_model_precision(builtin_model().get())) == "fp32");
    CHECK(std::string(lpr_model_precision(nullptr)).empty());
}

TEST_CASE("weights that are not built in are named", "[c_api]") {
    lpr_model* model = nullptr;
    lpr_recognizer* recognizer = nullptr;
    for (const char* precision : {"sparse", "int4", "FP32", "int8 ", "\x1b[2J\n", "\xff"}) {
        INFO(precision);
        const std::string message = message_of(LPR_UNSUPPORTED, [&](char* e, size_t n) {
            return lpr_model_builtin_precision(precision, &model, e, n);
        });
        CHECK(message.find("weights; name a file") != std::string::npos);
        lpr_options options = options_of();
        options.precision = precision;
        CHECK(message_of(LPR_UNSUPPORTED, [&](char* e, size_t n) {
                  return lpr_recognizer_open(nullptr, &options, &recognizer, e, n);
              }) == message);
    }
    CHECK(model == nullptr);
    CHECK(recognizer == nullptr);
}

TEST_CASE("options say what a recognizer is made with", "[c_api][threads]") {
    const ModelHandle model = small_model();
    const Picture picture = blocks(31, 130, 41);
    const lpr_image image = picture.view(LPR_BGR);
    const lpr_reading plain = read(recognizer_of(model.get()), image);
    check_same(read(opened(model.get(), options_of()), image), plain);

    lpr_options options = options_of();
    options.precision = options.isa = options.tuning = "";
    options.threads = 1;
    check_same(read(opened(model.get(), options), image), plain);

    // Threads: those of the recognizer and of each clone; the answers are the same.
    for (const char* precision : {"fp32", "int8"}) {
        options = options_of();
        options.precision = precision;
        const lpr_reading alone = read(opened(nullptr, options), image);
        options.threads = 3;
        const RecognizerHandle shared = opened(nullptr, options);
        CHECK(lpr_recognizer_threads(shared.get()) == 3);
        check_same(read(shared, image), alone);
        const RecognizerHandle clone = clone_of(shared);
        CHECK(lpr_recognizer_threads(clone.get()) == 3);
        check_same(read(clone, image), alone);
    }

    options = options_of();
    options.isa = "reference";
    const RecognizerHandle reference = opened(model.get(), options);
    CHECK(std::string(lpr_recognizer_isa(reference.get())) == "reference");
    CHECK(lpr_recognizer_threads(reference.get()) == 1);
    check_same(read(reference, image), read(recognizer_of(model.get(), "reference"), image));

    options = options_of();
    lpr_decoding decoding = {};
    decoding.struct_size = sizeof decoding;
    decoding.decoder = LPR_GRAMMAR;
    decoding.candidates = 5;
    options.decoding = &decoding;
    const lpr_reading decoded = read(opened(model.get(), options), image);
    CHECK(decoded.candidate_count == 5);
    const RecognizerHandle changed = recognizer_of(model.get());
    REQUIRE(lpr_recognizer_set_decoding(changed.get(), &decoding, nullptr, 0) == LPR_OK);
    check_same(read(changed, image), decoded);
    CHECK(decoded.reject_score == read(changed, image).reject_score);

    CHECK(std::string(lpr_recognizer_isa(nullptr)).empty());
    CHECK(lpr_recognizer_threads(nullptr) == 0);
}

TEST_CASE("a tuning chooses kernels, of its own instruction set alone", "[c_api]") {
    const ModelHandle model = small_model();
    const std::string isa = lpr_recognizer_isa(recognizer_of(model.get()).get());
    // Of several pictures: sums in another order need not differ in each.
    const auto confidences = [](const RecognizerHandle& recognizer) {
        std::vector<float> found;
        for (std::uint32_t seed = 32; seed < 36; ++seed) {
            const Picture picture = blocks(seed);
            found.push_back(read(recognizer, picture.view(LPR_BGR)).confidence);
        }
        return found;
    };
    const auto with = [&](const std::string& tuning) {
        lpr_options options = options_of();
        options.tuning = tuning.c_str();
        return confidences(opened(model.get(), options));
    };
    const std::vector<float> by_default = confidences(recognizer_of(model.get()));
    const std::string direct = "conv * direct\n", winograd = "conv * F(4,3)\n";
    CHECK(with("lprnet tuning 1\n" + direct) != with("lprnet tuning 1\n" + winograd));
    for (const std::string& choice : {direct, winograd}) {
        CHECK(with("lprnet tuning 1\nisa " + isa + "\n" + choice) ==
              with("lprnet tuning 1\n" + choice));
        CHECK(with("lprnet tuning 1\nisa other\n" + choice) == by_default);
    }

    lpr_options options = options_of();
    lpr_recognizer* none = nullptr;
    const auto refuse = [&](const std::string& tuning) {
        options.tuning = tuning.c_str();
        return message_of(LPR_MALFORMED, [&](char* e, size_t n) {
            return lpr_recognizer_open(model.get(), &options, &none, e, n);
        });
    };
    CHECK(refuse("\n") == "tuning: line 1: expected 'lprnet tuning 1', found ''");
    CHECK(refuse("lprnet tuning 1\nconv * F(9,9)\n").find("tuning: line 2: ") == 0);
    CHECK(refuse("lprnet tuning 1\n\x1b[2J\xff").find("tuning: line 2: ") == 0);
    CHECK(refuse(std::string(LPR_MAX_TUNING_BYTES + 1, ' ')).find("1048577 bytes") !=
          std::string::npos);
    CHECK(none == nullptr);
}

TEST_CASE("options that are none give no handle", "[c_api]") {
    const ModelHandle model = builtin_model();
    lpr_recognizer* recognizer = nullptr;
    const auto refuse = [&](lpr_status status, const lpr_options& options, const lpr_model* with) {
        // As after a recognizer that was there before.
        alignas(8) static char before;
        recognizer = reinterpret_cast<lpr_recognizer*>(&before);
        const std::string message = message_of(status, [&](char* e, size_t n) {
            return lpr_recognizer_open(with, &options, &recognizer, e, n);
        });
        CHECK(recognizer == nullptr);
        return message;
    };
    const std::string size = std::to_string(sizeof(lpr_options));
    for (const std::size_t found :
         {std::size_t{0}, std::size_t{1}, sizeof(std::size_t), sizeof(lpr_options) - 1}) {
        lpr_options options = options_of();
        options.struct_size = found;
        CHECK(refuse(LPR_INVALID_ARGUMENT, options, model.get()) ==
              "options->struct_size is " + std::to_string(found) + ", expected " + size);
    }
    for (const std::size_t found : {sizeof(lpr_options) + 1, 2 * sizeof(lpr_options), SIZE_MAX}) {
        lpr_options options = options_of();
        options.struct_size = found;
        CHECK(refuse(LPR_INVALID_ARGUMENT, options, model.get()) ==
              "options->struct_size is " + std::to_string(found) + ", expected " + size +
                  ": this library is older than the header");
    }
    for (const std::int32_t threads : {-1, LPR_MAX_THREADS + 1, INT32_MIN, INT32_MAX}) {
        lpr_options options = options_of();
        options.threads = threads;
        CHECK(refuse(LPR_INVALID_ARGUMENT, options, model.get()) ==
              "recognizer: expected 1 to 64 threads, found " + std::to_string(threads));
    }
    lpr_options options = options_of();
    CHECK(refuse(LPR_INVALID_ARGUMENT, options, nullptr) == "model is NULL");
    options.precision = "";
    CHECK(refuse(LPR_INVALID_ARGUMENT, options, nullptr) == "model is NULL");
    options.precision = "fp32";
    CHECK(refuse(LPR_INVALID_ARGUMENT, options, model.get()).find("there is a model") !=
          std::string::npos);
    options = options_of();
    options.isa = "abacus";
    CHECK(refuse(LPR_UNSUPPORTED, options, model.get()).find("'abacus'") != std::string::npos);

    options = options_of();
    lpr_decoding decoding = {};
    options.decoding = &decoding;
    CHECK(refuse(LPR_INVALID_ARGUMENT, options, model.get()).find("decoding->struct_size") == 0);
    decoding.struct_size = sizeof decoding;
    decoding.decoder = no_decoder();
    CHECK(refuse(LPR_INVALID_ARGUMENT, options, model.get()).find("lpr_decoder") !=
          std::string::npos);
    decoding.decoder = LPR_GRAMMAR;
    decoding.patterns = "x : #{";
    CHECK(refuse(LPR_MALFORMED, options, model.get()).find("patterns:1:7") == 0);
    decoding.patterns = "x : \xE7\x94\xB5";
    CHECK(refuse(LPR_MISMATCH, options, model.get()).find("none of 1 formats") !=
          std::string::npos);
}

TEST_CASE("limits are those that are kept", "[c_api]") {
    CHECK(lpr_limit(LPR_LIMIT_CANDIDATES) == LPR_MAX_CANDIDATES);
    CHECK(lpr_limit(LPR_LIMIT_BEAM_WIDTH) == lprnet::kMaxBeamWidth);
    CHECK(lpr_limit(LPR_LIMIT_PATTERN_BYTES) == std::int64_t{lprnet::kMaxPatternBytes});
    CHECK(lpr_limit(LPR_LIMIT_THREADS) == lprnet::kMaxThreads);
    CHECK(lpr_limit(LPR_LIMIT_TUNING_BYTES) == std::int64_t{lprnet::kMaxTuningBytes});
    CHECK(lpr_limit(LPR_LIMIT_IMAGE_SIDE) == lprnet::kMaxImageSide);
    // 7 is the largest value that an enumeration of 0..5 can hold.
    CHECK(lpr_limit(static_cast<lpr_limit_name>(6)) == -1);
    CHECK(lpr_limit(static_cast<lpr_limit_name>(7)) == -1);

    // The largest that is allowed is, and one more is not.
    const ModelHandle model = builtin_model();
    lpr_decoding decoding = {};
    decoding.struct_size = sizeof decoding;
    decoding.decoder = LPR_BEAM;
    const RecognizerHandle recognizer = recognizer_of(model.get());
    const auto status = [&] {
        return lpr_recognizer_set_decoding(recognizer.get(), &decoding, nullptr, 0);
    };
    decoding.candidates = LPR_MAX_CANDIDATES;
    decoding.beam_width = LPR_MAX_BEAM_WIDTH;
    CHECK(status() == LPR_OK);
    ++decoding.beam_width;
    CHECK(status() == LPR_INVALID_ARGUMENT);
    decoding.beam_width = 0;
    std::string patterns = "x : ###";
    patterns.resize(LPR_MAX_PATTERN_BYTES, ' ');
    decoding.patterns = patterns.c_str();
    CHECK(status() == LPR_OK);
    patterns += ' ';
    decoding.patterns = patterns.c_str();
    CHECK(status() == LPR_MALFORMED);
    std::string tuning = "lprnet tuning 1\n";
    tuning.resize(LPR_MAX_TUNING_BYTES, '\n');
    lpr_options options = options_of();
    options.tuning = tuning.c_str();
    opened(model.get(), options);

    const std::vector<std::uint8_t> line(LPR_MAX_IMAGE_SIDE + 1, 99);
    const lpr_image longest = {line.data(), LPR_MAX_IMAGE_SIDE, 1, LPR_MAX_IMAGE_SIDE, LPR_GRAY};
    read(recognizer, longest);
}

TEST_CASE("C and C++ decode the same", "[c_api]") {
    const RecognizerHandle recognizer = recognizer_of(small_model().get());
    const lprnet::Result<lprnet::Model> model = small();
    REQUIRE(model.ok());
    lprnet::RecognizerOptions options;
    options.decoding.decoder = lprnet::Decoder::grammar;
    options.decoding.candidates = 5;
    lprnet::Result<lprnet::Recognizer> other = lprnet::Recognizer::create(*model, options);
    REQUIRE(other.ok());
    lpr_decoding decoding{};
    decoding.struct_size = sizeof decoding;
    decoding.decoder = LPR_GRAMMAR;
    decoding.candidates = 5;
    REQUIRE(lpr_recognizer_set_decoding(recognizer.get(), &decoding, nullptr, 0) == LPR_OK);
    for (std::uint32_t seed = 0; seed < 4; ++seed) {
        const Picture picture = blocks(seed, 94, 24);
        const lpr_reading found = read(recognizer, picture.view(LPR_BGR));
        const lprnet::Result<lprnet::Reading> expected = other->read(
            {picture.pixels.data(), 94, 24, std::ptrdiff_t{3} * 94, lprnet::PixelFormat::bgr});
        REQUIRE(expected.ok());
        CHECK(expected->text == found.text);
        CHECK(expected->reject_score == found.reject_score);
        REQUIRE(found.candidate_count == 5);
        for (std::int32_t i = 0; i < 5; ++i) {
            const lprnet::Candidate& candidate = expected->candidates[static_cast<std::size_t>(i)];
            CHECK(candidate.text == found.candidates[i].text);
            CHECK(candidate.confidence == found.candidates[i].confidence);
            CHECK(candidate.format == found.candidates[i].format);
        }
        for (std::int32_t i = 0; i < found.character_count; ++i) {
            const lprnet::Character& character = expected->characters[static_cast<std::size_t>(i)];
            REQUIRE(found.characters[i].alternative_count == character.alternative_count);
            for (std::size_t k = 0; k < character.alternatives.size(); ++k) {
                CHECK(character.alternatives[k].text == found.characters[i].alternatives[k].text);
            }
        }
    }
    CHECK(lpr_reject_above(LPR_GRAMMAR) == lprnet::reject_above(lprnet::Decoder::grammar));
}

TEST_CASE("a decoding that is none changes nothing", "[c_api]") {
    const RecognizerHandle recognizer = recognizer_of(small_model().get());
    const Picture picture = blocks(3, 94, 24);
    const lpr_reading before = read(recognizer, picture.view(LPR_BGR));
    lpr_decoding good{};
    good.struct_size = sizeof good;
    const auto refuse = [&](lpr_status status, const lpr_decoding& decoding, const char* word) {
        const std::string message = message_of(status, [&](char* e, size_t n) {
            return lpr_recognizer_set_decoding(recognizer.get(), &decoding, e, n);
        });
        CHECK(message.find(word) != std::string::npos);
        check_same(read(recognizer, picture.view(LPR_BGR)), before);
    };
    lpr_decoding bad = good;
    bad.struct_size = 1;
    refuse(LPR_INVALID_ARGUMENT, bad, "struct_size");
    for (std::size_t size = 0; size < sizeof bad; ++size) {
        bad = good;
        bad.struct_size = size;
        if (size != offsetof(lpr_decoding, provinces))
            refuse(LPR_INVALID_ARGUMENT, bad, "expected");
    }
    bad = good;
    bad.struct_size = sizeof bad + 1;
    refuse(LPR_INVALID_ARGUMENT, bad, "this library is older than the header");
    bad = good;
    bad.provinces = "\xE7\xB2\xA4";
    refuse(LPR_INVALID_ARGUMENT, bad, "grammar, found greedy");
    bad.decoder = LPR_GRAMMAR;
    bad.provinces = "B";
    refuse(LPR_INVALID_ARGUMENT, bad, "found 'B'");
    bad = good;
    bad.decoder = no_decoder();
    refuse(LPR_INVALID_ARGUMENT, bad, "lpr_decoder");
    bad = good;
    bad.candidates = LPR_MAX_CANDIDATES + 1;
    refuse(LPR_INVALID_ARGUMENT, bad, "LPR_MAX_CANDIDATES");
    bad = good;
    bad.beam_width = -1;
    refuse(LPR_INVALID_ARGUMENT, bad, "beam");
    bad = good;
    bad.patterns = "x : #{";
    refuse(LPR_MALFORMED, bad, "patterns:1:7");
    bad.patterns = "x : \xE7\x94\xB5";
    bad.decoder = LPR_GRAMMAR;
    refuse(LPR_MISMATCH, bad, "none of 1 formats");
    CHECK(lpr_recognizer_set_decoding(nullptr, &good, nullptr, 0) == LPR_INVALID_ARGUMENT);
    CHECK(lpr_recognizer_set_decoding(recognizer.get(), nullptr, nullptr, 0) ==
          LPR_INVALID_ARGUMENT);
}

TEST_CASE("a decoding of an earlier header has no provinces", "[c_api]") {
    const RecognizerHandle recognizer = recognizer_of(small_model().get());
    lpr_decoding decoding{};
    decoding.struct_size = offsetof(lpr_decoding, provinces);
    decoding.decoder = LPR_GRAMMAR;
    decoding.provinces = "none";  // beyond the struct as it was
    CHECK(lpr_recognizer_set_decoding(recognizer.get(), &decoding, nullptr, 0) == LPR_OK);
    decoding.struct_size = sizeof decoding;
    CHECK(lpr_recognizer_set_decoding(recognizer.get(), &decoding, nullptr, 0) ==
          LPR_INVALID_ARGUMENT);
    for (const char* const good : {"", "\xE7\xB2\xA4", "\xE4\xBA\xAC\xE6\xB4\xA5"}) {
        decoding.provinces = good;
        CHECK(lpr_recognizer_set_decoding(recognizer.get(), &decoding, nullptr, 0) == LPR_OK);
    }
}

TEST_CASE("the same picture in every pixel format", "[c_api]") {
    const RecognizerHandle recognizer = recognizer_of(small_model().get());
    for (const auto& [width, height] : {std::pair{94, 24}, std::pair{131, 53}}) {
        const Picture bgr = blocks(5, width, height);
        const lpr_reading expected = read(recognizer, bgr.view(LPR_BGR));
        check_same(read(recognizer, rearranged(bgr, {2, 1, 0}).view(LPR_RGB)), expected);
        for (const std::uint8_t alpha : {std::uint8_t{0}, std::uint8_t{255}}) {
            check_same(read(recognizer, rearranged(bgr, {0, 1, 2, -1}, alpha).view(LPR_BGRA)),
                       expected);
            check_same(read(recognizer, rearranged(bgr, {2, 1, 0, -1}, alpha).view(LPR_RGBA)),
                       expected);
        }
        // The formats are told apart.
        CHECK(read(recognizer, bgr.view(LPR_RGB)).confidence != expected.confidence);

        // A gray picture is one whose channels are equal.
        const Picture gray = rearranged(bgr, {1});
        check_same(read(recognizer, gray.view(LPR_GRAY)),
                   read(recognizer, rearranged(gray, {0, 0, 0}).view(LPR_BGR)));
    }
}

TEST_CASE("lprnet.h has every pixel format and decoder by its name and number", "[c_api]") {
    std::ifstream file(lprnet::test::tests_path("../engine/include/lprnet/lprnet.h"));
    const std::string header{std::istreambuf_iterator<char>(file), {}};
    const auto check = [&](const char* type, std::string_view name, int number) {
        std::string row = "    LPR_";
        for (const char c : name)
            row += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        row += " = " + std::to_string(number);
        CAPTURE(type, row);
        const std::size_t begin = header.find(std::string("typedef enum ") + type + " {");
        REQUIRE(begin != std::string::npos);
        const std::string rows = header.substr(begin, header.find('}', begin) - begin) + ' ';
        const std::size_t at = rows.find(row);
        REQUIRE(at != std::string::npos);
        CHECK(rows.find_first_of("0123456789", at + row.size()) != at + row.size());
    };
    for (const lprnet::PixelFormatTraits& traits : lprnet::kPixelFormats)
        check("lpr_pixel_format", traits.name, static_cast<int>(traits.format));
    for (const lprnet::DecoderTraits& traits : lprnet::kDecoders)
        check("lpr_decoder", traits.name, static_cast<int>(traits.decoder));
}

TEST_CASE("camera formats, with chroma behind the luma or elsewhere", "[c_api]") {
    const RecognizerHandle recognizer = recognizer_of(small_model().get());
    constexpr int kWidth = 95, kHeight = 31;
    // Luma of 95, then chroma of 96 bytes a row.
    const Picture luma = blocks(21, kWidth, kHeight);
    std::vector<std::uint8_t> frame(luma.pixels.begin(), luma.pixels.begin() + kWidth * kHeight);
    const Picture chroma = blocks(22, 96, 16);
    frame.insert(frame.end(), chroma.pixels.begin(), chroma.pixels.begin() + 96 * 16);
    const lpr_image whole = {frame.data(), kWidth, kHeight, kWidth, LPR_NV12};
    const lpr_reading expected = read(recognizer, whole);

    lpr_image apart = whole;
    apart.chroma = chroma.pixels.data();
    apart.chroma_stride = 96;
    check_same(read(recognizer, apart), expected);
    std::vector<std::uint8_t> u, v, swapped;
    for (std::size_t i = 0; i < 96 * 16; i += 2) {
        u.push_back(chroma.pixels[i]);
        v.push_back(chroma.pixels[i + 1]);
        swapped.insert(swapped.end(), {chroma.pixels[i + 1], chroma.pixels[i]});
    }
    apart.format = LPR_NV21;
    apart.chroma = swapped.data();
    check_same(read(recognizer, apart), expected);
    apart.format = LPR_I420;
    apart.chroma = u.data();
    apart.chroma_v = v.data();
    apart.chroma_stride = 48;
    check_same(read(recognizer, apart), expected);
    apart.chroma_v = nullptr;
    lpr_reading reading = expected;
    CHECK(message_of(LPR_INVALID_ARGUMENT, [&](char* e, size_t n) {
              return lpr_read(recognizer.get(), &apart, &reading, e, n);
          }).find("chroma_v") != std::string::npos);
}

TEST_CASE("a region reads as the picture that it cuts out", "[c_api]") {
    const RecognizerHandle recognizer = recognizer_of(small_model().get());
    const Picture picture = blocks(8, 150, 60);
    const lpr_image image = picture.view(LPR_BGR);
    lpr_image part = image;
    part.data += 11 * image.stride + 7 * 3;
    part.width = 120;
    part.height = 40;
    lpr_reading reading = {};
    reading.struct_size = sizeof reading;
    const lpr_region region = {7, 11, 120, 40};
    REQUIRE(lpr_read_region(recognizer.get(), &image, &region, &reading, nullptr, 0) == LPR_OK);
    check_same(reading, read(recognizer, part));

    const lpr_region outside = {31, 0, 120, 40};
    CHECK(message_of(LPR_INVALID_ARGUMENT, [&](char* e, size_t n) {
              return lpr_read_region(recognizer.get(), &image, &outside, &reading, e, n);
          }) == "region 31,0,120,40 does not lie inside the image of 150x60 pixels");
}

TEST_CASE("a plate at an angle reads the same through C and C++", "[c_api]") {
    const RecognizerHandle recognizer = recognizer_of(small_model().get());
    lprnet::Result<lprnet::Recognizer> other = lprnet::Recognizer::create(*small());
    REQUIRE(other.ok());
    const Picture picture = blocks(9, 150, 60);
    const lpr_image image = picture.view(LPR_BGR);
    const lprnet::ImageView view = {picture.pixels.data(), 150, 60, 450, lprnet::PixelFormat::bgr};
    lpr_reading reading = {};
    reading.struct_size = sizeof reading;
    for (const int rows : {1, 2}) {
        const lpr_quad quad = {{10.5f, 130, 128, 8}, {5, 12.25f, 50, 40}, rows};
        REQUIRE(lpr_read_quad(recognizer.get(), &image, &quad, &reading, nullptr, 0) == LPR_OK);
        lprnet::Reading expected;
        REQUIRE(other
                    ->read(view, lprnet::Quad{{10.5f, 5}, {130, 12.25f}, {128, 50}, {8, 40}, rows},
                           expected)
                    .ok());
        CHECK(expected.text == reading.text);
        CHECK(expected.confidence == reading.confidence);
    }
    const lpr_quad backwards = {{0, 0, 9, 9}, {0, 9, 9, 0}, 1};
    CHECK(message_of(LPR_INVALID_ARGUMENT, [&](char* e, size_t n) {
              return lpr_read_quad(recognizer.get(), &image, &backwards, &reading, e, n);
          }).find("clockwise") != std::string::npos);
}

TEST_CASE("gaps between rows and rows from the bottom up", "[c_api]") {
    const RecognizerHandle recognizer = recognizer_of(small_model().get());
    const Picture picture = blocks(6, 50, 30);
    const lpr_reading expected = read(recognizer, picture.view(LPR_BGR));
    constexpr std::ptrdiff_t kRow = 150;
    constexpr std::ptrdiff_t kGap = 13;
    std::vector<std::uint8_t> spread(30 * (kRow + kGap), 0xEE);
    std::vector<std::uint8_t> flipped(30 * kRow);
    for (std::ptrdiff_t y = 0; y < 30; ++y) {
        std::memcpy(spread.data() + y * (kRow + kGap), picture.pixels.data() + y * kRow, kRow);
        std::memcpy(flipped.data() + (29 - y) * kRow, picture.pixels.data() + y * kRow, kRow);
    }
    check_same(read(recognizer, {spread.data(), 50, 30, kRow + kGap, LPR_BGR}), expected);
    check_same(read(recognizer, {flipped.data() + 29 * kRow, 50, 30, -kRow, LPR_BGR}), expected);
}

TEST_CASE("an image that is none leaves the reading alone", "[c_api]") {
    const RecognizerHandle recognizer = recognizer_of(small_model().get());
    const Picture picture = blocks(7, 4, 4);
    lpr_reading reading = read(recognizer, picture.view(LPR_BGR));
    const lpr_reading before = reading;

    const auto refuse = [&](lpr_image image, const char* word) {
        const std::string message = message_of(LPR_INVALID_ARGUMENT, [&](char* e, size_t n) {
            return lpr_read(recognizer.get(), &image, &reading, e, n);
        });
        CHECK(message.find(word) != std::string::npos);
        CHECK(std::memcmp(&reading, &before, sizeof reading) == 0);
    };
    const lpr_image good = picture.view(LPR_BGR);
    lpr_image image = good;
    image.data = nullptr;
    refuse(image, "data");
    for (const int side : {0, -1, 32769, INT32_MIN, INT32_MAX}) {
        image = good;
        image.width = side;
        refuse(image, "width");
        image = good;
        image.height = side;
        refuse(image, "height");
    }
    for (const std::ptrdiff_t stride :
         {std::ptrdiff_t{0}, std::ptrdiff_t{11}, std::ptrdiff_t{-11}, PTRDIFF_MAX, PTRDIFF_MIN}) {
        image = good;
        image.stride = stride;
        refuse(image, "stride");
    }
    // Up to 15: what an enumeration of 0..8 can hold besides.
    for (const int format : {static_cast<int>(std::size(lprnet::kPixelFormats)), 15}) {
        image = good;
        image.format = static_cast<lpr_pixel_format>(format);
        refuse(image, "format");
    }
    for (const std::size_t size :
         {std::size_t{0}, sizeof reading - 1, sizeof reading + 1, SIZE_MAX}) {
        lpr_reading other = before;
        other.struct_size = size;
        const lpr_reading untouched = other;
        const std::string message = message_of(LPR_INVALID_ARGUMENT, [&](char* e, size_t n) {
            return lpr_read(recognizer.get(), &good, &other, e, n);
        });
        CHECK(message.find("struct_size") != std::string::npos);
        CHECK(std::memcmp(&other, &untouched, sizeof other) == 0);
    }
    check_same(read(recognizer, good), before);
}

TEST_CASE("a reading that does not fit is an error", "[c_api]") {
    // The shipped weights with longer names for their classes.
    using namespace lprnet;
    const Result<weights::SafetensorsFile> file =
        weights::SafetensorsFile::open(LPRNET_WEIGHTS_FILE);
    REQUIRE(file.ok());
    lprnet::Result<lprnet::Model> original = lprnet::Model::load(LPRNET_WEIGHTS_FILE);
    REQUIRE(original.ok());
    const auto name_of = [](std::size_t length, std::size_t i) {
        std::string name = std::to_string(i);
        return name + std::string(length - name.size(), 'A');
    };
    const auto with_names_of = [&](std::size_t length) {
        std::string charset;
        for (std::size_t i = 0; i < original->charset().size(); ++i) {
            charset += (i == 0 ? "[\"" : ",\"") + name_of(length, i) + "\"";
        }
        weights::Metadata metadata = file->metadata();
        metadata["lprnet.charset"] = charset + "]";
        const auto bytes = weights::serialize_safetensors(file->tensors(), metadata);
        REQUIRE(bytes.ok());
        const std::vector<std::byte>& content = *bytes;
        lpr_model* model = nullptr;
        REQUIRE(lpr_model_from_memory(content.data(), content.size(), &model, nullptr, 0) ==
                LPR_OK);
        return ModelHandle(model);
    };
    const Picture picture = blocks(8);
    const lpr_image image = picture.view(LPR_BGR);

    const std::size_t longest = LPR_MAX_CHARACTER_TEXT - 1;
    const lpr_reading fits = read(recognizer_of(with_names_of(longest).get()), image);
    REQUIRE(fits.character_count > 0);
    const std::string first = fits.characters[0].text;
    const std::size_t label = std::stoul(first);  // the digits in front
    REQUIRE(label < original->charset().size());
    CHECK(first == name_of(longest, label));

    const RecognizerHandle recognizer = recognizer_of(with_names_of(longest + 1).get());
    lpr_reading reading = {};
    reading.struct_size = sizeof reading;
    CHECK(message_of(LPR_MISMATCH, [&](char* e, size_t n) {
              return lpr_read(recognizer.get(), &image, &reading, e, n);
          }).find("longer") != std::string::npos);
    CHECK(std::memchr(reading.text, '\0', sizeof reading.text) != nullptr);

    const RecognizerHandle large = recognizer_of(with_names_of(LPR_MAX_TEXT).get());
    CHECK(lpr_read(large.get(), &image, &reading, nullptr, 0) == LPR_MISMATCH);
    CHECK(std::memchr(reading.text, '\0', sizeof reading.text) != nullptr);
}

TEST_CASE("a warm read allocates nothing", "[c_api]") {
    const RecognizerHandle recognizer = recognizer_of(small_model().get());
    const Picture picture = blocks(9, 200, 70);
    const lpr_image image = picture.view(LPR_BGR);
    lpr_reading reading = read(recognizer, image);
    const std::size_t before = lprnet::test::allocation_count();
    lpr_status status = LPR_OK;
    for (int i = 0; i < 3 && status == LPR_OK; ++i) {
        status = lpr_read(recognizer.get(), &image, &reading, nullptr, 0);
    }
    const std::size_t after = lprnet::test::allocation_count();
    CHECK(status == LPR_OK);
    CHECK(after == before);
}

}  // namespace
