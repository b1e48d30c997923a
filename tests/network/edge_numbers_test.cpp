// Networks whose numbers lie at the ends of float32: what is too small to matter is zero and
// changes nothing, and what is too large is an error, or no table's answer differs.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "engine/compress/quantize.h"
#include "engine/model/number_range.h"
#include "engine/plan/plan.h"
#include "engine/run/context_range.h"
#include "engine/run/network.h"
#include "kernels/conv1d_winograd_f32/conv1d_winograd_f32.h"
#include "lprnet/recognizer.h"
#include "tests/kernels/tables.h"
#include "tests/network/make_network.h"
#include "tests/network/oracle.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

constexpr float kSubnormal = 1e-41f;

// Input levels of a made-up picture, NHWC.
std::vector<float> picture(const Shape& shape, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<float> input(static_cast<std::size_t>(shape.c * shape.h * shape.w));
    for (float& x : input) x = (static_cast<float>(random() % 256) - 127.5f) * 0.0078125f;
    return input;
}

std::vector<double> oracle_logits(const Graph& graph, const std::vector<float>& input) {
    const Shape& s = graph.input_shape();
    std::vector<double> planes(input.size());
    const std::size_t pixels = static_cast<std::size_t>(s.h * s.w);
    for (std::size_t i = 0; i < input.size(); ++i) {
        const auto c = static_cast<std::size_t>(s.c);
        planes[i % c * pixels + i / c] = double{input[i]};
    }
    return run_oracle(graph, planes).at("logits").values;
}

struct Answer {
    std::string error;
    std::vector<float> logits;  // [time step][class]
};

Answer answer(const Model& model, const kernels::KernelTable& table,
              const std::vector<float>& input) {
    Result<Network> network = Network::create(model.data().graph, table);
    if (!network) return {network.error().message, {}};
    std::copy(input.begin(), input.end(), network->input().begin());
    if (!network->run()) return {"leaves float32", {}};
    return {"", logits_of(*network)};
}

std::vector<float>& values(NetworkFile& file, const std::string& name) {
    const auto it = file.tensors.find(name);
    if (it == file.tensors.end()) FAIL("no tensor " << name);
    return it->second.values;
}

std::vector<std::string> convolutions(const NetworkFile& file) {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : file.tensors) {
        if (tensor.shape.size() == 4) names.push_back(name.substr(0, name.size() - 7));
    }
    return names;
}

std::map<std::string, std::string> norms() {
    return {{"backbone.0", "backbone.1"},         {"backbone.4.block.6", "backbone.5"},
            {"backbone.8.block.6", "backbone.9"}, {"backbone.11.block.6", "backbone.12"},
            {"backbone.16", "backbone.17"},       {"backbone.20", "backbone.21"}};
}

void scale_channel(OwnedTensor& tensor, std::size_t o, float by) {
    const std::size_t row = tensor.values.size() / static_cast<std::size_t>(tensor.shape[0]);
    for (std::size_t k = 0; k < row; ++k) tensor.values[o * row + k] *= by;
}

// As weight decay leaves them: channels whose weights, biases and batch norms are all but zero, and
// the weights that read them; single weights; others that are zero altogether.
NetworkFile with_dead_channels(const RandomNetwork& network) {
    NetworkFile file = random_network(network);
    std::mt19937 random(network.seed);
    const std::map<std::string, std::string> norm_of = norms();
    constexpr float kSmall[] = {0.0f, 1e-44f, kSubnormal, 1e-38f, 1e-33f};
    for (const std::string& conv : convolutions(file)) {
        OwnedTensor& weight = file.tensors.at(conv + ".weight");
        const auto channels = static_cast<std::size_t>(weight.shape[0]);
        for (std::size_t o = 0; o < channels; ++o) {
            if (random() % 4 != 0 || o == 0) continue;
            const float by = kSmall[random() % 5];
            const auto norm = norm_of.find(conv);
            if (norm == norm_of.end() || random() % 2 == 0) scale_channel(weight, o, by);
            values(file, conv + ".bias")[o] *= by;
            if (norm == norm_of.end()) continue;
            values(file, norm->second + ".weight")[o] *= by;
            values(file, norm->second + ".bias")[o] *= by;
            values(file, norm->second + ".running_mean")[o] *= by;
            values(file, norm->second + ".running_var")[o] *= random() % 2 == 0 ? by : 0.0f;
        }
        for (float& w : weight.values) {
            if (random() % 8 == 0) w *= kSubnormal;
        }
    }
    return file;
}

Model load(const NetworkFile& file) {
    Result<Model> model = Model::from_memory(file.bytes(), "the file");
    if (!model) FAIL(model.error().message);
    return *model;
}

bool has_tiny(const Graph& graph) {
    return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
        return node.op == Op::conv2d &&
               std::any_of(node.weight.begin(), node.weight.end(),
                           [](float w) { return w != 0.0f && std::abs(w) < 1e-33f; });
    });
}

TEST_CASE("dead channels become zeros, and no logit changes", "[edge]") {
    for (unsigned seed = 1; seed <= 6; ++seed) {
        INFO("seed " << seed);
        const NetworkFile file = with_dead_channels({.channels = seed % 3 == 0 ? 1 : 3,
                                                     .classes = 11,
                                                     .width = 0.25 + 0.125 * (seed % 3),
                                                     .seed = seed});
        const std::vector<std::byte> bytes = file.bytes();
        const auto opened = weights::SafetensorsFile::from_memory(bytes, "f");
        REQUIRE(opened.ok());
        const Model model = load(file);
        const Graph& settled = model.data().graph;
        const Result<Graph> stored =
            build_network(architectures().front(), *opened, "f", settled.input_shape(), false);
        REQUIRE(stored.ok());
        CHECK(has_tiny(*stored));
        CHECK_FALSE(has_tiny(settled));
        const std::vector<float> input = picture(settled.input_shape(), seed);
        const std::vector<double> expected = oracle_logits(*stored, input);
        double largest = 0.0;
        for (const double e : expected) largest = std::max(largest, std::abs(e));
        const auto classes = static_cast<std::size_t>(settled.output_shape().c);
        const std::size_t time_steps = expected.size() / classes;
        for (const kernels::KernelTable* table : tables_under_test()) {
            INFO(table->name);
            const Answer found = answer(model, *table, input);
            REQUIRE(found.error == "");
            double error = 0.0;
            for (std::size_t i = 0; i < expected.size(); ++i) {
                const double e = expected[i % classes * time_steps + i / classes];
                error = std::max(error, std::abs(e - double{found.logits[i]}));
            }
            INFO("largest logit " << largest << ", error " << error);
            CHECK(error <= 2e-5 * std::max(largest, 1.0));
        }
    }
}

TEST_CASE("what is small but matters stays", "[edge]") {
    // A layer times 2^-40 and the next one times 2^40: the numbers between are small, but all are.
    NetworkFile file = random_network({.classes = 7, .width = 0.25});
    for (float& w : values(file, "backbone.4.block.0.weight")) w *= 0x1p-40f;
    for (float& b : values(file, "backbone.4.block.0.bias")) b *= 0x1p-40f;
    for (float& w : values(file, "backbone.4.block.2.weight")) w *= 0x1p40f;
    const Model scaled = load(file);
    const Model plain = random_model({.classes = 7, .width = 0.25});
    const std::vector<float> input = picture(plain.data().graph.input_shape(), 5);
    for (const kernels::KernelTable* table : tables_under_test()) {
        INFO(table->name);
        CHECK(answer(scaled, *table, input).logits == answer(plain, *table, input).logits);
    }
    // One channel of a layer, 2^-105 of the others, read by weights of 2^40: that is not proved to
    // be nothing where the context reads it, and so it is kept.
    NetworkFile one = random_network({.classes = 7, .width = 0.25});
    scale_channel(one.tensors.at("backbone.4.block.0.weight"), 1, 0x1p-105f);
    values(one, "backbone.4.block.0.bias")[1] *= 0x1p-105f;
    OwnedTensor& reader = one.tensors.at("backbone.4.block.2.weight");
    const std::size_t ic = static_cast<std::size_t>(reader.shape[1]);
    for (std::size_t i = 0; i < reader.values.size(); ++i) {
        if (i / 3 % ic == 1) reader.values[i] *= 0x1p40f;
    }
    const Result<Model> kept = Model::from_memory(one.bytes(), "the file");
    REQUIRE(kept.ok());
    const auto& nodes = kept->data().graph.nodes;
    const auto conv = std::find_if(nodes.begin(), nodes.end(), [](const Node& node) {
        return node.name == "backbone.4.block.0";
    });
    CHECK(std::any_of(conv->weight.begin(), conv->weight.end(),
                      [](float w) { return w != 0.0f && std::abs(w) < 0x1p-100f; }));
}

TEST_CASE("dead channels are quantized by every method", "[edge][many]") {
    const NetworkFile file = with_dead_channels({.classes = 9, .width = 0.25, .seed = 3});
    const Model model = load(file);
    const Shape& shape = model.data().graph.input_shape();
    const std::vector<std::vector<float>> inputs = {picture(shape, 1), picture(shape, 2),
                                                    picture(shape, 3)};
    const Answer exact = answer(model, reference_table(), inputs[0]);
    REQUIRE(exact.error == "");
    double size = 0.0;
    for (const float l : exact.logits) size += double{l} * double{l};
    const std::vector<std::byte> bytes = file.bytes();
    const auto opened = weights::SafetensorsFile::from_memory(bytes, "f");
    REQUIRE(opened.ok());
    const auto check = [&](const Result<QuantizedModel>& quantized, double most) {
        if (!quantized) FAIL(quantized.error().message);
        const auto written = weights::serialize_safetensors(quantized->views(), file.metadata);
        REQUIRE(written.ok());
        const Result<Model> again = Model::from_memory(*written, "quantized");
        if (!again) FAIL(again.error().message);
        const Answer first = answer(*again, reference_table(), inputs[0]);
        REQUIRE(first.error == "");
        double error = 0.0;
        for (std::size_t i = 0; i < first.logits.size(); ++i) {
            error += std::pow(double{first.logits[i]} - double{exact.logits[i]}, 2.0);
        }
        CHECK(std::sqrt(error / size) < most);
        for (const kernels::KernelTable* table : tables_under_test()) {
            const Answer found = answer(*again, *table, inputs[0]);
            REQUIRE(found.logits.size() == first.logits.size());
            for (std::size_t i = 0;
                 i < found.logits.size() && std::string(again->precision()) == "int8"; ++i) {
                REQUIRE(found.logits[i] == first.logits[i]);
            }
        }
    };
    for (const ClipMethod clip : {ClipMethod::mse, ClipMethod::percentile, ClipMethod::kl,
                                  ClipMethod::max, ClipMethod::search}) {
        for (const bool refined : {true, false}) {
            INFO("method " << static_cast<int>(clip) << (refined ? "" : ", plain"));
            check(quantize(model.data(), inputs,
                           {.clip = clip, .equalise = refined, .reconstruct = refined}),
                  refined ? 0.1 : 0.4);
        }
    }
    check(quantize(model.data(), inputs, {.zero_below = 0.02}), 0.1);
    check(quantize(model.data(), inputs,
                   {.keep_float = {"backbone.0", "backbone.4.block.2", "container.0"}}),
          0.1);
    check(quantize_weights(*opened, model.data()), 0.05);
    check(quantize_weights(*opened, model.data(), {"backbone.0", "backbone.20"}), 0.05);
}

// --- Too large --------------------------------------------------------------------------------

TEST_CASE("a network whose sums could leave float32 is refused with its layer", "[edge]") {
    const struct {
        const char* tensor;
        float by;
        const char* layer;
    } cases[] = {{"backbone.0.weight", 1e30f, "backbone.1"},
                 {"backbone.0.bias", 1e38f, "backbone.1"},
                 {"backbone.1.weight", 1e30f, "backbone.1"},
                 {"backbone.1.bias", 1e38f, "backbone.1"},
                 {"backbone.1.running_mean", -1e38f, "backbone.1"},
                 {"backbone.4.block.2.weight", 1e25f, "backbone.4.block.2"},
                 {"backbone.4.block.4.bias", 1e30f, "backbone.4.block.4"},
                 {"backbone.16.weight", 1e38f, "backbone.17"},
                 {"container.0.weight", 1e25f, "container.0"},
                 {"container.0.bias", -1e30f, "container.0"}};
    for (const auto& c : cases) {
        INFO(c.tensor);
        NetworkFile file = random_network({.classes = 7, .width = 0.25});
        for (float& v : values(file, c.tensor)) v *= c.by;
        const Result<Model> model = Model::from_memory(file.bytes(), "the file");
        REQUIRE_FALSE(model.ok());
        CHECK(model.error().code == ErrorCode::mismatch);
        CHECK_THAT(model.error().message,
                   starts_with("the file: layer '" + std::string(c.layer) + "'"));
    }
    // Pairs that cancel are no different: what lies between them may not fit.
    NetworkFile file = random_network({.classes = 7, .width = 0.25});
    for (float& w : values(file, "backbone.8.block.0.weight")) w *= 1e30f;
    for (float& w : values(file, "backbone.8.block.2.weight")) w *= 1e-30f;
    CHECK_FALSE(Model::from_memory(file.bytes(), "the file").ok());
}

TEST_CASE("layers of any scale give an error or the same answer on every table", "[edge]") {
    int answers = 0, errors = 0, refused = 0;
    std::mt19937 random(20);
    for (unsigned seed = 0; seed < 40; ++seed) {
        INFO("seed " << seed);
        NetworkFile file = random_network({.classes = 5, .width = 0.125, .seed = seed + 1});
        const std::vector<std::string> convs = convolutions(file);
        // Powers of ten that cancel in half of the networks, up to one end of float32.
        const int most = 1 + static_cast<int>(random() % 34);
        for (int n = 0; n < 2; ++n) {
            const float up =
                std::pow(10.0f, static_cast<float>(random() % static_cast<unsigned>(most)));
            const std::string& first = convs[random() % convs.size()];
            const std::string& second = convs[random() % convs.size()];
            for (float& w : values(file, first + ".weight")) w *= up;
            if (random() % 4 != 0) {
                for (float& w : values(file, second + ".weight")) w /= up;
            }
        }
        const Result<Model> model = Model::from_memory(file.bytes(), "the file");
        if (!model) {
            ++refused;
            CHECK_THAT(model.error().message, contains("float32"));
            continue;
        }
        const std::vector<float> input = picture(model->data().graph.input_shape(), seed);
        const Answer expected = answer(*model, reference_table(), input);
        (expected.error.empty() ? answers : errors) += 1;
        double largest = 0.0;
        for (const float l : expected.logits) {
            REQUIRE(std::isfinite(l));
            largest = std::max(largest, std::abs(double{l}));
        }
        for (const kernels::KernelTable* table : tables_under_test()) {
            INFO(table->name);
            const Answer found = answer(*model, *table, input);
            CHECK(found.error == expected.error);
            REQUIRE(found.logits.size() == expected.logits.size());
            for (std::size_t i = 0; i < found.logits.size(); ++i) {
                REQUIRE(std::abs(double{found.logits[i]} - double{expected.logits[i]}) <=
                        1e-4 * largest);
            }
        }
    }
    CHECK(answers > 5);
    CHECK(errors + refused > 5);
}

// A network whose first branch of the context has values of about `size`.
Model with_branch_of(float size) {
    NetworkFile file = random_network({.classes = 7, .width = 0.25});
    for (float& v : values(file, "backbone.1.weight")) v *= size;
    for (float& v : values(file, "backbone.1.bias")) v *= size;
    return load(file);
}

TEST_CASE("a branch of the context out of range is an error of the picture", "[edge][threads]") {
    const std::vector<std::uint8_t> pixels(24 * 94 * 3, 90);
    const ImageView image = {pixels.data(), 94, 24, 94 * 3, PixelFormat::bgr};
    for (const kernels::KernelTable* table : tables_under_test()) {
        INFO(table->name);
        RecognizerOptions options;
        options.isa = table->name;
        for (const int threads : {1, 2}) {
            options.threads = threads;
            Result<Recognizer> small = Recognizer::create(with_branch_of(1e-13f), options);
            REQUIRE(small.ok());
            Reading reading;
            const Status status = small->read(image, reading);
            REQUIRE_FALSE(status.ok());
            CHECK(status.error().code == ErrorCode::unsupported);
            CHECK_THAT(status.error().message, contains("float32 on this picture"));
            // Step by step there is no answer either.
            REQUIRE(small->set_image(image).ok());
            small->infer();
            for (const float logit : small->logits()) CHECK(std::isnan(logit));
            CHECK_FALSE(small->decode(reading).ok());
            CHECK(reading.text.empty());
            CHECK(reading.confidence == 0.0f);
            Result<Recognizer> usual = Recognizer::create(with_branch_of(1e-3f), options);
            REQUIRE(usual.ok());
            CHECK(usual->read(image, reading).ok());
        }
    }
}

TEST_CASE("a branch without any activation counts as zeros", "[edge]") {
    NetworkFile file = random_network({.classes = 7, .width = 0.25});
    for (float& v : values(file, "backbone.1.bias")) v = -1e3f;
    const Model model = load(file);
    const std::vector<float> input = picture(model.data().graph.input_shape(), 5);
    const Answer expected = answer(model, reference_table(), input);
    CHECK(expected.error == "");
    for (const kernels::KernelTable* table : tables_under_test()) {
        INFO(table->name);
        const Answer found = answer(model, *table, input);
        CHECK(found.error == "");
        for (const float logit : found.logits) REQUIRE(std::isfinite(logit));
    }
}

TEST_CASE("Winograd's transforms stay within the room that the bound leaves", "[edge]") {
    double most = 0.0;
    for (int points = 3; points <= kernels::kMaxWinogradPoints; ++points) {
        for (int tile = 2; tile < points; ++tile) {
            const kernels::WinogradMatrices m = kernels::winograd_matrices(points, tile);
            double input = 0.0, weight = 0.0, output = 0.0;
            for (int i = 0; i < points; ++i) {
                double in = 0.0, w = 0.0;
                for (int j = 0; j < points; ++j) in += std::abs(double(m.input[i][j]));
                for (int j = 0; j < points + 1 - tile; ++j)
                    w = std::max(w, std::abs(double(m.weight[i][j])));
                input = std::max(input, in);
                weight = std::max(weight, w);
            }
            for (int i = 0; i < tile; ++i) {
                double out = 0.0;
                for (int j = 0; j < points; ++j) out += std::abs(double(m.output[i][j]));
                output = std::max(output, out);
            }
            most = std::max(most, input * weight * output);
        }
    }
    CHECK(most > 1.0);
    CHECK(double{kLargestSum} * most < 0x1p120);
}

// --- Preprocessing ------------------------------------------------------------------------------

TEST_CASE("a scale or mean at the edge is refused", "[edge]") {
    for (const char* numbers : {R"("mean":0,"scale":1e-41)", R"("mean":0,"scale":1e38)",
                                R"("mean":1e30,"scale":1)", R"("mean":[0,0,-1e7],"scale":1)",
                                R"("mean":0,"scale":-0.0)", R"("mean":0,"scale":[1,1e-20,1])"}) {
        INFO(numbers);
        NetworkFile file = random_network({.classes = 7, .width = 0.25});
        file.metadata["lprnet.preprocess"] =
            std::string(R"({"width":94,"height":24,"channel_order":"BGR","resize":"bilinear",)") +
            numbers + "}";
        const Result<Model> model = Model::from_memory(file.bytes(), "the file");
        REQUIRE_FALSE(model.ok());
        CHECK_THAT(model.error().message, contains("lprnet.preprocess"));
    }
}

}  // namespace
}  // namespace lprnet::test
