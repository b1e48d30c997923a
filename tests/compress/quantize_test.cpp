// Post-training quantization: the algebra against plain loops, and what it does for networks whose
// channels differ much.
#include "engine/compress/quantize.h"

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/compress/damage.h"
#include "engine/compress/moments.h"
#include "engine/compress/prune.h"
#include "engine/compress/round_weights.h"
#include "engine/plan/plan.h"
#include "tests/kernels/tables.h"
#include "tests/network/make_network.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

std::vector<float> random_values(std::size_t count, unsigned seed, float low, float high) {
    std::mt19937 random(seed);
    std::vector<float> values(count);
    for (float& value : values) value = uniform(random, low, high);
    return values;
}

TEST_CASE("a product of matrices is one of rows", "[compress]") {
    for (const kernels::KernelTable* table : tables_under_test()) {
        INFO(table->name);
        constexpr std::size_t kRowsA = 37, kRowsB = 19, kColumns = 101;
        const std::vector<float> a = random_values(kRowsA * kColumns, 1, -1, 1);
        const std::vector<float> b = random_values(kRowsB * kColumns, 2, -1, 1);
        std::vector<float> product;
        multiply_transposed(*table, a, kRowsA, b, kRowsB, kColumns, product);
        REQUIRE(product.size() == kRowsA * kRowsB);
        for (std::size_t i = 0; i < kRowsA; ++i) {
            for (std::size_t j = 0; j < kRowsB; ++j) {
                double sum = 0.0;
                for (std::size_t k = 0; k < kColumns; ++k) {
                    sum += double{a[i * kColumns + k]} * double{b[j * kColumns + k]};
                }
                // Each of the products and sums is below kColumns and rounded once.
                const double tolerance = kColumns * std::numeric_limits<float>::epsilon() * 10;
                CHECK(std::abs(double{product[i * kRowsB + j]} - sum) <= tolerance);
            }
        }
    }
}

TEST_CASE("moments are those of all blocks together", "[compress]") {
    constexpr std::size_t kInputs = 5, kTargets = 3;
    MomentSums sums(reference_table(), kInputs, kTargets);
    std::vector<std::vector<double>> inputs(kInputs), targets(kTargets);
    for (const std::size_t count : {40U, 7U, 1U}) {
        // Far from zero and narrow, where sums of squares alone would lose everything.
        std::vector<float> x = random_values(kInputs * count, unsigned(count), 100, 101);
        std::vector<float> y = random_values(kTargets * count, unsigned(count) + 1, -51, -50);
        for (std::size_t i = 0; i < x.size(); ++i) inputs[i / count].push_back(double{x[i]});
        for (std::size_t i = 0; i < y.size(); ++i) targets[i / count].push_back(double{y[i]});
        sums.add(x, y, count);
    }
    const Moments found = sums.take();
    CHECK(found.samples == 48);
    const auto mean = [](const std::vector<double>& values) {
        double sum = 0.0;
        for (const double value : values) sum += value;
        return sum / double(values.size());
    };
    const auto check = [&](double value, const std::vector<double>& a,
                           const std::vector<double>& b) {
        double sum = 0.0;
        for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - mean(a)) * (b[i] - mean(b));
        CHECK(std::abs(value - sum) < 1e-4);
    };
    for (std::size_t i = 0; i < kInputs; ++i) {
        CHECK(std::abs(found.input_mean[i] - mean(inputs[i])) < 1e-6);
        for (std::size_t j = 0; j < kInputs; ++j) {
            check(double{found.inputs_inputs[i * kInputs + j]}, inputs[i], inputs[j]);
        }
        for (std::size_t t = 0; t < kTargets; ++t) {
            check(double{found.targets_inputs[t * kInputs + i]}, targets[t], inputs[i]);
        }
    }
    for (std::size_t t = 0; t < kTargets; ++t) {
        CHECK(std::abs(found.target_mean[t] - mean(targets[t])) < 1e-6);
    }
}

// Mean squared error of what rounded weights compute from [inputs][count].
double error_of(const std::vector<double>& weight, double bias, const std::vector<float>& x,
                const std::vector<float>& y, std::size_t count) {
    double sum = 0.0;
    for (std::size_t s = 0; s < count; ++s) {
        double value = bias;
        for (std::size_t k = 0; k < weight.size(); ++k) {
            value += weight[k] * double{x[k * count + s]};
        }
        sum += std::pow(value - double{y[s]}, 2);
    }
    return sum / double(count);
}

TEST_CASE("rounded weights lose less than the nearest, and zeros stay", "[compress]") {
    constexpr std::size_t kInputs = 24, kCount = 500;
    std::mt19937 random(3);
    // Inputs that have much in common, as neighboring pixels do.
    std::vector<float> x(kInputs * kCount), y(kCount);
    std::vector<double> weight(kInputs);
    for (double& w : weight) w = double{uniform(random, -1, 1)};
    weight[0] = 1.0;
    weight[5] = 0.0;
    for (std::size_t s = 0; s < kCount; ++s) {
        const float shared = uniform(random, 0, 200);
        double sum = 3.0;
        for (std::size_t k = 0; k < kInputs; ++k) {
            const float value = shared + uniform(random, 0, 20);
            sum += weight[k] * double{value};
            // What arrives has been rounded.
            x[k * kCount + s] = std::nearbyint(value);
        }
        y[s] = static_cast<float>(sum);
    }
    MomentSums sums(reference_table(), kInputs, 1);
    std::vector<float> inputs = x, targets = y;
    sums.add(inputs, targets, kCount);
    const RoundedWeights rounded = round_weights(weight, sums.take(), {0.0});
    REQUIRE(rounded.weight.size() == kInputs);
    CHECK(std::abs(rounded.step[0] - 1.0 / 127) < 1e-12);
    CHECK(rounded.weight[5] == 0);
    std::vector<double> nearest, fitted;
    double mean = 0.0;
    for (std::size_t k = 0; k < kInputs; ++k) {
        nearest.push_back(std::nearbyint(weight[k] * 127) / 127);
        fitted.push_back(double(rounded.weight[k]) * rounded.step[0]);
        CHECK(std::abs(fitted[k] - weight[k]) < 0.1);
    }
    // The nearest with the best bias that they can have.
    for (std::size_t s = 0; s < kCount; ++s) {
        double value = double{y[s]};
        for (std::size_t k = 0; k < kInputs; ++k) value -= nearest[k] * double{x[k * kCount + s]};
        mean += value / double(kCount);
    }
    const double before = error_of(nearest, mean, x, y, kCount);
    const double after = error_of(fitted, rounded.bias[0], x, y, kCount);
    INFO("nearest " << before << ", fitted " << after);
    CHECK(after < 0.8 * before);
}

TEST_CASE("inputs that never change leave weights to the nearest", "[compress]") {
    MomentSums sums(reference_table(), 3, 1);
    std::vector<float> x(3 * 8, 4.0f), y(8, 10.0f);
    sums.add(x, y, 8);
    const RoundedWeights rounded = round_weights({1.27, -0.5, 0.0}, sums.take(), {0.0});
    CHECK(rounded.weight == std::vector<std::int8_t>{127, -50, 0});
    CHECK(std::abs(rounded.bias[0] - (10.0 - 4.0 * 0.77)) < 1e-6);
    const Moments constant = {
        3, 1, 1, {0, 0, 0}, {7.0}, std::vector<float>(9), std::vector<float>(3)};
    const RoundedWeights zeros = round_weights({0.0, 0.0, 0.0}, constant, {0.0});
    CHECK(zeros.step[0] == 1.0);
    CHECK(zeros.bias[0] == 7.0);
}

std::vector<std::vector<float>> random_images(int count, unsigned seed) {
    std::vector<std::vector<float>> images;
    for (int i = 0; i < count; ++i) {
        std::mt19937 random(seed + unsigned(i));
        std::vector<float> image(3 * 24 * 94);
        for (float& x : image) x = (static_cast<float>(random() % 256) - 127.5f) * 0.0078125f;
        images.push_back(std::move(image));
    }
    return images;
}

Model loaded(const QuantizedModel& quantized, const NetworkFile& file) {
    const auto bytes = weights::serialize_safetensors(quantized.views(), file.metadata);
    if (!bytes) FAIL(bytes.error().message);
    Result<Model> model = Model::from_memory(*bytes, "quantized");
    if (!model) FAIL(model.error().message);
    return *model;
}

// Relative error of the logits over some images.
double logits_error(const Model& exact, const Model& model) {
    const kernels::KernelTable& table = *tables_under_test().back();
    Network a = make_network(exact, table), b = make_network(model, table);
    double error = 0.0, size = 0.0;
    for (const std::vector<float>& image : random_images(4, 900)) {
        const std::vector<float> left = run(a, image), right = run(b, image);
        for (std::size_t i = 0; i < left.size(); ++i) {
            error += std::pow(double{left[i]} - double{right[i]}, 2);
            size += std::pow(double{left[i]}, 2);
        }
    }
    return std::sqrt(error / size);
}

// A network in which one channel of a layer that the context reads goes a hundred times as far as
// the others, and one of a layer inside a block.
NetworkFile uneven_network(double zeros = 0.0) {
    NetworkFile file = random_network({.classes = 7, .width = 0.25, .zeros = zeros});
    file.tensors.at("backbone.12.weight").values[3] *= 100.0f;
    std::vector<float>& row = file.tensors.at("backbone.8.block.2.weight").values;
    const std::size_t per_channel = row.size() / 16;
    for (std::size_t i = 0; i < per_channel; ++i) row[5 * per_channel + i] *= 50.0f;
    return file;
}

TEST_CASE("channels that go further than others cost no accuracy", "[compress]") {
    const NetworkFile file = uneven_network();
    const Result<Model> exact = Model::from_memory(file.bytes(), "uneven");
    REQUIRE(exact.ok());
    const auto error_with = [&](const QuantizeMethod& method) {
        const Result<QuantizedModel> quantized =
            quantize(exact->data(), random_images(6, 100), method);
        if (!quantized) FAIL(quantized.error().message);
        return logits_error(*exact, loaded(*quantized, file));
    };
    const double plain = error_with({.equalise = false, .reconstruct = false});
    const double equalised = error_with({.equalise = true, .reconstruct = false});
    const double both = error_with({});
    INFO("plain " << plain << ", equalised " << equalised << ", fitted too " << both);
    CHECK(equalised < 0.75 * plain);
    CHECK(both < equalised);
}

// Channel 0 of what backbone.16 reads is 1 throughout; its weights are far larger than the others,
// which their steps are too coarse for, and the bias takes away again what they add.
NetworkFile outlier_network(double zeros = 0.0) {
    NetworkFile file = random_network({.classes = 7, .width = 0.25, .zeros = zeros});
    file.tensors.at("backbone.12.weight").values[0] = 0.0f;
    file.tensors.at("backbone.12.bias").values[0] = 1.0f;
    std::vector<float>& weight = file.tensors.at("backbone.16.weight").values;  // [64][16][1][4]
    std::vector<float>& bias = file.tensors.at("backbone.16.bias").values;
    constexpr float kLarge = 20.0f;
    for (std::size_t o = 0; o < bias.size(); ++o) {
        weight[o * 64] = kLarge;
        bias[o] -= kLarge;
    }
    return file;
}

TEST_CASE("a layer that int8 does not suit keeps float32 weights", "[compress]") {
    const NetworkFile file = outlier_network();
    const Result<Model> exact = Model::from_memory(file.bytes(), "outliers");
    REQUIRE(exact.ok());
    for (const bool good : {false, true}) {
        double error[2] = {}, alone[2] = {};
        for (const bool keep : {false, true}) {
            QuantizeMethod method = {.equalise = good, .reconstruct = good};
            if (keep) method.keep_float = {"backbone.18"};
            const Result<QuantizedModel> quantized =
                quantize(exact->data(), random_images(6, 100), method);
            if (!quantized) FAIL(quantized.error().message);
            for (const QuantizedLayer& layer : quantized->layers) {
                CHECK(layer.keeps_float == (keep && layer.name == "backbone.18"));
            }
            const Model model = loaded(*quantized, file);
            error[keep] = logits_error(*exact, model);
            const Result<Damage> damage = measure_damage(
                exact->data(), model.data(), random_images(4, 900), *tables_under_test().back());
            REQUIRE(damage.ok());
            CHECK(std::abs(damage->all - error[keep]) < 0.1 * error[keep]);
            alone[keep] = damage->layers[13].alone;
        }
        INFO("int8 " << error[0] << ", alone " << alone[0] << "; float32 " << error[1] << ", alone "
                     << alone[1]);
        CHECK(error[1] < 0.7 * error[0]);
        CHECK(alone[1] < 0.5 * alone[0]);
        CHECK(alone[1] > 0.0);
    }
}

TEST_CASE("kept weights come back from the file, dense or sparse", "[compress]") {
    for (const double zeros : {0.0, 0.7}) {
        const NetworkFile file = outlier_network(zeros);
        const Result<Model> exact = Model::from_memory(file.bytes(), "outliers");
        // By the name in the file, and by that of what it computes.
        const LayerNames names = {"backbone.8.block.2", "backbone.18", "logits"};
        const Result<QuantizedModel> quantized =
            quantize(exact->data(), random_images(1, 100),
                     {.equalise = false, .reconstruct = false, .keep_float = names});
        REQUIRE(quantized.ok());
        int kept = 0;
        const Model model = loaded(*quantized, file);
        for (const Node& node : model.data().graph.nodes) {
            if (node.op != Op::conv2d) continue;
            const bool is_kept = node.name == "backbone.8.block.2" || node.name == "backbone.16" ||
                                 node.name == "container.0";
            CHECK(node.keeps_float() == (is_kept && node.name != "container.0"));
            CHECK((node.quantized_weight.size() == 0) == (is_kept || node.name == "container.0"));
            if (!is_kept) continue;
            ++kept;
            CHECK(node.stored_sparse == (zeros > 0.0));
            // Without factors or a batch norm behind them they are those of the network.
            if (node.name == "backbone.16") continue;
            CHECK(std::equal(node.weight.begin(), node.weight.end(),
                             file.tensors.at(node.name + ".weight").values.begin()));
        }
        CHECK(kept == 3);
    }
}

TEST_CASE("weights alone may keep layers too", "[compress]") {
    for (const double zeros : {0.0, 0.7}) {
        const NetworkFile file = outlier_network(zeros);
        const std::vector<std::byte> bytes = file.bytes();
        const auto tensors = weights::SafetensorsFile::from_memory(bytes, "outliers");
        const Result<Model> exact = Model::from_memory(bytes, "outliers");
        REQUIRE((tensors.ok() && exact.ok()));
        const Result<QuantizedModel> all = quantize_weights(*tensors, exact->data());
        const Result<QuantizedModel> kept =
            quantize_weights(*tensors, exact->data(), {"backbone.16"});
        REQUIRE((all.ok() && kept.ok()));
        const Model model = loaded(*kept, file);
        CHECK(logits_error(*exact, model) < 0.5 * logits_error(*exact, loaded(*all, file)));
        for (const Node& node : model.data().graph.nodes) {
            if (node.op != Op::conv2d) continue;
            const auto& values = file.tensors.at(node.name + ".weight").values;
            const bool same = std::equal(node.weight.begin(), node.weight.end(), values.begin());
            CHECK(same == (node.name == "backbone.16"));
        }
    }
}

TEST_CASE("a file of weights in int8 can be made again", "[compress]") {
    for (const double zeros : {0.0, 0.7}) {
        INFO(zeros << " zeros");
        const NetworkFile file = outlier_network(zeros);
        const std::vector<std::byte> bytes = file.bytes();
        const auto tensors = weights::SafetensorsFile::from_memory(bytes, "outliers");
        const Result<Model> exact = Model::from_memory(bytes, "outliers");
        REQUIRE((tensors.ok() && exact.ok()));
        const Result<QuantizedModel> once = quantize_weights(*tensors, exact->data());
        REQUIRE(once.ok());
        const auto written = weights::serialize_safetensors(once->views(), file.metadata);
        REQUIRE(written.ok());
        const auto read = weights::SafetensorsFile::from_memory(*written, "once");
        const Result<Model> first = Model::from_memory(*written, "once");
        REQUIRE((read.ok() && first.ok()));
        for (const LayerNames& keep : {LayerNames(), LayerNames{"backbone.0", "backbone.16"}}) {
            const Result<QuantizedModel> twice = quantize_weights(*read, first->data(), keep);
            REQUIRE(twice.ok());
            CHECK(logits_error(*first, loaded(*twice, file)) < 1e-6);
        }
    }
}

TEST_CASE("factors of layers that the context reads are powers of two", "[compress]") {
    const NetworkFile file = uneven_network();
    const Result<Model> exact = Model::from_memory(file.bytes(), "uneven");
    const Result<QuantizedModel> quantized = quantize(exact->data(), random_images(2, 100));
    REQUIRE(quantized.ok());
    const Model model = loaded(*quantized, file);
    for (const Node& node : model.data().graph.nodes) {
        if (node.op != Op::conv2d || node.name == "container.0") continue;
        REQUIRE(node.output_factor.size() == node.bias.size());
        float largest = 0.0f;
        bool powers = true;
        for (const float factor : node.output_factor) {
            largest = std::max(largest, factor);
            int exponent = 0;
            powers = powers && std::frexp(factor, &exponent) == 0.5f;
            CHECK((factor <= 1.0f && factor >= 1.0f / 256));
        }
        CHECK(largest == 1.0f);
        const bool in_context = node.name == "backbone.0" || node.name == "backbone.4.block.6" ||
                                node.name == "backbone.11.block.6" || node.name == "backbone.20";
        CHECK(powers == in_context);
    }
}

TEST_CASE("small weights become zeros where that is asked for", "[compress]") {
    const NetworkFile file = random_network({.classes = 7, .width = 0.25});
    const Result<Model> exact = Model::from_memory(file.bytes(), "random");
    std::size_t bytes[2] = {};
    for (const double share : {0.0, 0.5}) {
        const Result<QuantizedModel> quantized =
            quantize(exact->data(), random_images(6, 100), {.zero_below = share});
        REQUIRE(quantized.ok());
        const Model model = loaded(*quantized, file);
        std::size_t small = 0, all = 0;
        for (const Node& node : model.data().graph.nodes) {
            for (const std::int8_t q : node.quantized_weight) small += q != 0 && std::abs(q) < 30;
            all += node.quantized_weight.size();
            bytes[share > 0.0] += node.stored_bytes;
        }
        // Those that the fit moves towards zero may get there too.
        CHECK((share > 0.0 ? small < all / 20 : small > all / 10));
        CHECK(logits_error(*exact, model) < (share > 0.0 ? 0.5 : 0.05));
    }
    CHECK(bytes[1] < bytes[0]);
}

TEST_CASE("the damage of all layers is that of the quantized network", "[compress]") {
    // Plans of the pruned one have pixels in panels, unless they are asked not to.
    for (const auto& [zeros, good] : {std::pair{0.0, false}, {0.0, true}, {0.6, true}}) {
        const NetworkFile file = uneven_network(zeros);
        const Result<Model> exact = Model::from_memory(file.bytes(), "uneven");
        const Result<QuantizedModel> quantized =
            quantize(exact->data(), random_images(4, 100), {.equalise = good, .reconstruct = good});
        REQUIRE(quantized.ok());
        const Model model = loaded(*quantized, file);
        const Result<Damage> damage = measure_damage(
            exact->data(), model.data(), random_images(4, 900), *tables_under_test().back());
        REQUIRE(damage.ok());
        const double measured = logits_error(*exact, model);
        INFO(zeros << " zeros, measured " << measured << ", simulated " << damage->all);
        CHECK(measured < (zeros > 0.0 ? 0.0005 : 0.06));
        // Biases are not rounded and ties may fall the other way.
        CHECK(std::abs(damage->all - measured) < 0.1 * measured);
        REQUIRE(damage->layers.size() == 16);
        double squares = 0.0, largest = 0.0, most_without = 0.0;
        for (const Damage::LayerDamage& layer : damage->layers) {
            CHECK(layer.alone > 0.0);
            squares += layer.alone * layer.alone;
            largest = std::max(largest, layer.alone);
            most_without = std::max(most_without, layer.without);
        }
        CHECK(largest < 2.0 * damage->all);
        CHECK(std::sqrt(squares) < 3.0 * damage->all);
        CHECK(most_without < 2.0 * damage->all);
    }
}

TEST_CASE("what cannot be quantized is refused", "[compress]") {
    const NetworkFile file = random_network({.classes = 7, .width = 0.25});
    const Result<Model> model = Model::from_memory(file.bytes(), "random");
    const auto refused = [&](const ModelData& data, const std::vector<std::vector<float>>& inputs,
                             ErrorCode code, const std::string& part,
                             const QuantizeMethod& method = {}) {
        const Result<QuantizedModel> quantized = quantize(data, inputs, method);
        REQUIRE_FALSE(quantized.ok());
        CHECK(quantized.error().code == code);
        CHECK_THAT(quantized.error().message, contains(part));
    };
    refused(model->data(), {}, ErrorCode::invalid_argument, "no calibration images");
    refused(model->data(), {std::vector<float>(7)}, ErrorCode::invalid_argument,
            "input 0: expected 6768 values, found 7");
    const Result<QuantizedModel> once = quantize(model->data(), random_images(1, 1));
    REQUIRE(once.ok());
    refused(loaded(*once, file).data(), random_images(1, 1), ErrorCode::unsupported,
            "quantized already");
    Graph graph = loaded(*once, file).data().graph;
    const Result<std::vector<PrunedLayer>> pruned = prune(graph, {.amount = 0.5});
    REQUIRE_FALSE(pruned.ok());
    CHECK(pruned.error().code == ErrorCode::unsupported);
    refused(model->data(), random_images(1, 1), ErrorCode::invalid_argument,
            "quantize: no layer 'backbone.3', expected one of backbone.2 (backbone.0), "
            "backbone.4.block.1 (backbone.4.block.0), ",
            {.keep_float = {"backbone.2", "backbone.3"}});
    refused(model->data(), random_images(1, 1), ErrorCode::invalid_argument,
            ", backbone.22 (backbone.20), logits (container.0)", {.keep_float = {""}});
    // A layer that is never above zero.
    NetworkFile dead = file;
    for (float& beta : dead.tensors.at("backbone.9.bias").values) beta = -1e6f;
    refused(Model::from_memory(dead.bytes(), "dead")->data(), random_images(1, 1),
            ErrorCode::invalid_argument, "layer 'backbone.10': no activation above 0");
}

TEST_CASE("channels that are zero or all but switched off stay as they are", "[compress]") {
    NetworkFile file = random_network({.classes = 7, .width = 0.25});
    file.tensors.at("backbone.5.weight").values[2] = 0.0f;
    file.tensors.at("backbone.5.weight").values[3] = 1e-20f;
    file.tensors.at("backbone.5.bias").values[3] = 0.3f;
    const Result<Model> exact = Model::from_memory(file.bytes(), "zero");
    REQUIRE(exact.ok());
    const Result<QuantizedModel> quantized = quantize(exact->data(), random_images(4, 100));
    if (!quantized) FAIL(quantized.error().message);
    CHECK(logits_error(*exact, loaded(*quantized, file)) < 0.05);
}

}  // namespace
}  // namespace lprnet::test
