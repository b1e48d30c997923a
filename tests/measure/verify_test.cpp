// Layers against dumps: made of what the network itself computes, then spoiled.
#include "engine/measure/verify.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "engine/measure/network_layers.h"
#include "kernels/dispatch.h"
#include "tests/catch.h"
#include "tests/measure/stopping.h"
#include "tests/network/make_network.h"
#include "tests/network/random_network.h"
#include "tests/paths.h"
#include "weights/safetensors.h"

namespace lprnet::measure {
namespace {

struct Tensor {
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};

// A dump in memory.
struct Dump {
    std::map<std::string, Tensor> tensors;
    weights::Metadata metadata = {{"lprnet.format", "dump-1"}};
    std::vector<std::byte> bytes;

    Result<DumpFile> open() {
        std::vector<weights::TensorView> views;
        for (const auto& [name, tensor] : tensors) {
            weights::TensorView view;
            view.name = name;
            view.shape = tensor.shape;
            view.bytes = std::as_bytes(std::span(tensor.values));
            views.push_back(view);
        }
        Result<std::vector<std::byte>> file = weights::serialize_safetensors(views, metadata);
        if (!file) FAIL(file.error().message);
        bytes = std::move(*file);
        return DumpFile::from_memory(bytes, "made.safetensors");
    }
};

Tensor tensor_of(std::int64_t images, const Shape& shape) {
    return {{images, shape.c, shape.h, shape.w}, {}};
}

// What `network` computes of noise.
Dump dump_of(Network& network, std::int64_t images) {
    Dump dump;
    Tensor& input = dump.tensors["input"];
    input = tensor_of(images, network.plan().input.shape);
    std::uint32_t state = 7;
    for (std::int64_t image = 0; image < images; ++image) {
        std::vector<float> planes(network.input().size());
        for (float& value : planes) {
            state = state * 1664525U + 1013904223U;
            value = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
        }
        input.values.insert(input.values.end(), planes.begin(), planes.end());
        network.set_input_planes(planes);
        for (std::size_t s = 0; s < network.steps().size(); ++s) {
            network.run_step(s);
            const StepInfo& step = network.steps()[s];
            if (step.op == Op::context_tap || step.op == Op::concat) continue;
            std::vector<float> values;
            network.read_output(s, values);
            Tensor& tensor = dump.tensors[step.name];
            if (tensor.shape.empty()) tensor = tensor_of(images, step.shape);
            tensor.values.insert(tensor.values.end(), values.begin(), values.end());
        }
    }
    return dump;
}

struct Fixture {
    Model model = test::random_model({.classes = 6, .width = 0.1});
    Network network = test::make_network(model, *kernels::find_isa("reference")->table);
    NetworkLayers layers = NetworkLayers(network, model);
    Dump dump = dump_of(network, 2);

    Result<Verification> run(double min_cosine = kMinCosine) {
        Progress silent;
        const Result<DumpFile> file = dump.open();
        if (!file) return file.error();
        return verify(*file, model, layers, min_cosine, silent);
    }
    std::string error() {
        const Result<Verification> report = run();
        if (report) return "no error";
        CHECK(report.error().code == ErrorCode::mismatch);
        return report.error().message;
    }
};

TEST_CASE("a network is equal to its own dump", "[measure]") {
    Fixture f;
    const Result<Verification> report = f.run(1.0);
    if (!report) FAIL(report.error().message);
    CHECK(report->ok());
    CHECK(report->images == 2);
    CHECK(report->fused.empty());
    CHECK(report->layers.size() == f.dump.tensors.size() - 1);
    for (const VerifiedLayer& layer : report->layers) CHECK(layer.difference.max_abs == 0.0);
    CHECK(report->layers.back().name == "logits");
}

TEST_CASE("the first layer that is off is named, and so are texts", "[measure]") {
    Fixture f;
    const std::string bad = f.layers.layers()[2].name;
    for (float& value : f.dump.tensors.at(bad).values) value += 1.0f;
    std::vector<float>& logits = f.dump.tensors.at("logits").values;
    std::fill(logits.begin(), logits.end(), 0.0f);
    const Result<Verification> report = f.run();
    REQUIRE(report.ok());
    CHECK(report->first_bad == bad);
    CHECK_FALSE(report->ok());
    CHECK_FALSE(report->layers.back().ok);
    CHECK(std::isnan(report->layers.back().difference.cosine()));
    // Equal logits are the first class all the time: one text for both images.
    CHECK(report->other_texts > 0);
}

TEST_CASE("what a dump lacks is not compared, what it has besides is named", "[measure]") {
    Fixture f;
    const std::string removed = f.layers.layers()[1].name;
    f.dump.tensors.erase(removed);
    f.dump.tensors["another"] = {{7}, std::vector<float>(7)};
    const Result<Verification> report = f.run();
    REQUIRE(report.ok());
    CHECK(report->ok());
    CHECK(report->fused == std::vector<std::string>{"another"});
    for (const VerifiedLayer& layer : report->layers) CHECK(layer.name != removed);
}

TEST_CASE("a NaN anywhere is a layer that is off", "[measure]") {
    for (const float value : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
        Fixture f;
        const std::string bad = f.layers.layers()[1].name;
        f.dump.tensors.at(bad).values.front() = value;
        const Result<Verification> report = f.run(-1.0);
        REQUIRE(report.ok());
        CHECK(report->first_bad == bad);
    }
}

TEST_CASE("dumps of other networks are refused", "[measure]") {
    Fixture f;
    const std::string name = f.layers.layers()[1].name;
    const std::map<std::string, Tensor> good = f.dump.tensors;
    const auto spoiled = [&](const std::function<void(std::map<std::string, Tensor>&)>& spoil) {
        f.dump.tensors = good;
        spoil(f.dump.tensors);
        return f.error();
    };
    CHECK(spoiled([](auto& t) { t.erase("input"); }) ==
          "made.safetensors: tensor 'input' is missing");
    CHECK(spoiled([](auto& t) { t.erase("logits"); }) ==
          "made.safetensors: tensor 'logits' is missing");
    CHECK_THAT(spoiled([&](auto& t) { std::swap(t[name].shape[1], t[name].shape[2]); }),
               test::contains("tensor '" + name + "' is F32 [2, "));
    CHECK_THAT(spoiled([&](auto& t) {
                   t[name].shape = {2, 1};
                   t[name].values.resize(2);
               }),
               test::contains("where -1 is any number of images"));
    CHECK_THAT(spoiled([&](auto& t) {
                   t["input"].shape[0] = 0;
                   t["input"].values.clear();
               }),
               test::contains("tensor 'input' is F32 [0, "));
    CHECK_THAT(spoiled([&](auto& t) {
                   t[name].shape[0] = 1;
                   t[name].values.resize(t[name].values.size() / 2);
               }),
               test::contains("has 1 images, but 'input' has 2"));
}

TEST_CASE("logits may have three dimensions", "[measure]") {
    Fixture f;
    std::vector<std::int64_t>& shape = f.dump.tensors.at("logits").shape;
    REQUIRE(shape[2] == 1);
    shape.erase(shape.begin() + 2);
    const Result<Verification> report = f.run();
    REQUIRE(report.ok());
    CHECK(report->ok());
}

TEST_CASE("other files are no dumps", "[measure]") {
    Dump dump;
    dump.metadata.clear();
    CHECK_THAT(dump.open().error().message, test::contains("'lprnet.format' is missing"));
    dump.metadata = {{"lprnet.format", "1\n2"}};
    CHECK(dump.open().error().message ==
          "made.safetensors: no dump: metadata 'lprnet.format' is '1\\x0a2', expected 'dump-1'");
    CHECK_FALSE(DumpFile::from_memory({}, "nothing").ok());
    CHECK(DumpFile::open("/no such file").error().code == ErrorCode::not_found);
    CHECK(DumpFile::open(test::tests_path("samples/labels.tsv")).error().code ==
          ErrorCode::malformed);
}

TEST_CASE("a verification can be stopped", "[measure]") {
    Fixture f;
    const Result<DumpFile> file = f.dump.open();
    REQUIRE(file.ok());
    test::CountedProgress progress(1);
    const Result<Verification> report = verify(*file, f.model, f.layers, kMinCosine, progress);
    REQUIRE_FALSE(report.ok());
    CHECK(report.error().message == stopped().message);
    CHECK(progress.announced == 2);
}

// A source with faults.
class OddSource final : public LayerSource {
public:
    enum class Fault { none, gives_nothing, gives_less, refuses, has_no_text, throws };
    OddSource(const Model& model, Fault fault) : model_(model), fault_(fault) {}

    Shape input_shape() const override { return model_.data().graph.input_shape(); }
    std::vector<Layer> layers() const override {
        return {{"logits", "logits", model_.data().graph.output_shape()}};
    }
    bool has_all_layers() const override { return false; }
    Status run(std::span<const float> /*planes*/, LayerSink& sink) override {
        if (fault_ == Fault::refuses) return Error{ErrorCode::device_failed, "no"};
        if (fault_ == Fault::throws) throw std::bad_alloc();
        const Shape shape = model_.data().graph.output_shape();
        std::vector<double> values(static_cast<std::size_t>(shape.c) *
                                   static_cast<std::size_t>(shape.w));
        if (fault_ == Fault::gives_less) values.pop_back();
        sink.take(3, values);  // of no layer
        if (fault_ == Fault::gives_nothing) return {};
        sink.take(0, values);
        sink.take(0, values);  // once is enough
        return {};
    }
    std::vector<double> expected(std::size_t /*layer*/,
                                 std::span<const float> dumped) const override {
        return {dumped.begin(), dumped.end()};
    }
    Result<std::string> text() override {
        if (fault_ == Fault::has_no_text) return Error{ErrorCode::unsupported, "no text"};
        return std::string();
    }

private:
    const Model& model_;
    Fault fault_;
};

TEST_CASE("a source that does not give its layers is an error", "[measure]") {
    Fixture f;
    const Result<DumpFile> file = f.dump.open();
    REQUIRE(file.ok());
    const auto run = [&](OddSource::Fault fault) {
        OddSource source(f.model, fault);
        Progress silent;
        return verify(*file, f.model, source, kMinCosine, silent);
    };
    using Fault = OddSource::Fault;
    const Result<Verification> report = run(Fault::none);
    REQUIRE(report.ok());
    CHECK(report->fused.empty());
    CHECK(report->layers.size() == 1);
    CHECK(run(Fault::gives_nothing).error().message == "layer 'logits' was not computed");
    CHECK(run(Fault::gives_less).error().message == "layer 'logits' was not computed");
    CHECK(run(Fault::refuses).error().code == ErrorCode::device_failed);
    CHECK(run(Fault::has_no_text).error().message == "no text");
    CHECK(run(Fault::throws).error().code == ErrorCode::out_of_memory);
}

TEST_CASE("a difference of nothing is none", "[measure]") {
    const Difference none;
    CHECK(none.max_abs == 0.0);
    CHECK(none.rel_l2() == 0.0);
    CHECK(none.cosine() == 1.0);
}

TEST_CASE("differences are sums over pairs", "[measure]") {
    Difference d;
    d.add(3.0, 3.0);
    d.add(4.0, 0.0);
    CHECK(d.max_abs == 4.0);
    CHECK(d.rel_l2() == 0.8);
    CHECK(d.cosine() == 9.0 / 15.0);
}

TEST_CASE("the largest difference is a NaN wherever it stands", "[measure]") {
    const double nan = std::nan("");
    for (const std::size_t place : {0U, 1U, 2U}) {
        std::vector<double> found = {1.0, 2.0, 3.0};
        found[place] = nan;
        Difference d;
        for (const double value : found) d.add(0.0, value);
        CHECK(std::isnan(d.max_abs));
        CHECK_FALSE(d.cosine() >= -1.0);
    }
}

}  // namespace
}  // namespace lprnet::measure
