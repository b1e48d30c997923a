// Model files whose weights are sparse: written by tensors_with_weights, loaded like any other.
#include "engine/model/model_tensors.h"

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.h"
#include "tests/network/random_network.h"
#include "tests/weights/shortened.h"

namespace lprnet::test {
namespace {

using weights::SafetensorsFile;
using weights::TensorView;

// A model file in memory, opened, and its graph.
struct Opened {
    explicit Opened(std::vector<std::byte> content) : bytes(std::move(content)) {
        Result<SafetensorsFile> opened = SafetensorsFile::from_memory(bytes, "the file");
        if (!opened) FAIL(opened.error().message);
        file = std::make_unique<SafetensorsFile>(*std::move(opened));
        Result<ModelData> data = read_model(*file, "the file");
        if (!data) FAIL(data.error().message);
        graph = std::move(data->graph);
    }

    // With the weights of `other`, as a file again.
    std::vector<std::byte> with(const Graph& other) const {
        const Result<ModelTensors> tensors = tensors_with_weights(*file, other);
        if (!tensors) FAIL(tensors.error().message);
        return serialized(tensors->views, file->metadata());
    }

    static std::vector<std::byte> serialized(const std::vector<TensorView>& views,
                                             const weights::Metadata& metadata) {
        Result<std::vector<std::byte>> result = weights::serialize_safetensors(views, metadata);
        if (!result) FAIL(result.error().message);
        return *std::move(result);
    }

    std::vector<std::byte> bytes;
    std::unique_ptr<SafetensorsFile> file;
    Graph graph;
};

NetworkFile small_file() {
    NetworkFile file = random_network({.classes = 7, .width = 0.25});
    file.tensors["backbone.1.num_batches_tracked"] = {{}, {1.0F}};
    file.metadata["somebody.else"] = "kept";
    return file;
}

// Every other weight of the layers from 'backbone.8.block.0' on is zero.
Graph half_empty(Graph graph) {
    bool from_here = false;
    for (Node& node : graph.nodes) {
        from_here = from_here || node.name == "backbone.8.block.0";
        if (node.op != Op::conv2d || !from_here) continue;
        std::vector<float> weight(node.weight.begin(), node.weight.end());
        for (std::size_t i = 0; i < weight.size(); i += 2) weight[i] = 0.0F;
        node.weight = Floats(std::move(weight));
    }
    return graph;
}

void check_equal(const Graph& a, const Graph& b) {
    REQUIRE(a.nodes.size() == b.nodes.size());
    for (std::size_t i = 0; i < a.nodes.size(); ++i) {
        INFO(a.nodes[i].name);
        CHECK(a.nodes[i].weight == b.nodes[i].weight);
        CHECK(a.nodes[i].bias == b.nodes[i].bias);
        CHECK(a.nodes[i].running_var == b.nodes[i].running_var);
        CHECK(a.nodes[i].shape == b.nodes[i].shape);
    }
}

TEST_CASE("the same weights give the same file", "[model]") {
    const Opened dense(small_file().bytes());
    CHECK(dense.with(dense.graph) == dense.bytes);
    for (const Node& node : dense.graph.nodes) {
        if (node.op == Op::conv2d) CHECK(node.stored_bytes == node.weight.size() * sizeof(float));
    }
}

TEST_CASE("sparse weights come back, and dense again", "[model]") {
    const Opened dense(small_file().bytes());
    const Graph pruned = half_empty(dense.graph);
    const Opened sparse(dense.with(pruned));
    CHECK(sparse.bytes.size() < dense.bytes.size());
    check_equal(sparse.graph, pruned);
    CHECK(sparse.file->metadata() == dense.file->metadata());
    CHECK(sparse.file->find("backbone.1.num_batches_tracked") != nullptr);
    CHECK(sparse.file->find("backbone.0.weight") != nullptr);
    CHECK(sparse.file->find("backbone.16.weight") == nullptr);
    CHECK(sparse.file->find("backbone.16.weight.mask") != nullptr);
    for (const Node& node : sparse.graph.nodes) {
        if (node.name == "backbone.16") CHECK(node.stored_bytes < node.weight.size() * 3);
    }
    CHECK(sparse.with(pruned) == sparse.bytes);
    CHECK(sparse.with(dense.graph) == dense.bytes);
}

// The views of `file` with every weight of convolutions in 16 bits, which `halves` owns.
std::vector<TensorView> in_16_bits(const NetworkFile& file,
                                   std::deque<std::vector<weights::Float16>>& halves) {
    std::vector<TensorView> views;
    for (const auto& [name, tensor] : file.tensors) {
        if (tensor.shape.size() != 4) {
            views.push_back(weights::view_of<float>(name, tensor.shape, tensor.values));
            continue;
        }
        auto exact = weights::exact_float16(tensor.values);
        if (!exact) FAIL(name << " is not made of numbers of 16 bits");
        halves.push_back(*std::move(exact));
        views.push_back(weights::view_of<weights::Float16>(name, tensor.shape, halves.back()));
    }
    return views;
}

TEST_CASE("weights of 16 bits are the same floats, and are written as they were", "[model]") {
    NetworkFile file = small_file();
    for (auto& [name, tensor] : file.tensors) {
        if (tensor.shape.size() != 4) continue;
        for (float& value : tensor.values) value = shortened(value);
    }
    const Opened dense(file.bytes());
    std::deque<std::vector<weights::Float16>> owner;
    const Opened halves(Opened::serialized(in_16_bits(file, owner), dense.file->metadata()));
    check_equal(halves.graph, dense.graph);
    CHECK(halves.bytes.size() < dense.bytes.size() * 6 / 10);
    for (const Node& node : halves.graph.nodes) {
        if (node.op == Op::conv2d) CHECK(node.stored_bytes == node.weight.size() * 2);
    }
    CHECK(halves.with(halves.graph) == halves.bytes);

    const Graph pruned = half_empty(halves.graph);
    const Opened sparse(halves.with(pruned));
    check_equal(sparse.graph, pruned);
    CHECK(sparse.file->find("backbone.16.weight.values")->dtype == weights::DType::f16);
    CHECK(sparse.with(halves.graph) == halves.bytes);

    // One that is none keeps its tensor alone in 32 bits.
    Graph changed = halves.graph;
    for (Node& node : changed.nodes) {
        if (node.name != "backbone.16") continue;
        std::vector<float> weight(node.weight.begin(), node.weight.end());
        weight[7] = 0.1F;
        node.weight = Floats(std::move(weight));
    }
    const Opened mixed(halves.with(changed));
    check_equal(mixed.graph, changed);
    CHECK(mixed.file->find("backbone.16.weight")->dtype == weights::DType::f32);
    CHECK(mixed.file->find("backbone.0.weight")->dtype == weights::DType::f16);
}

TEST_CASE("a sparse weight that does not fit is refused", "[model]") {
    const Opened dense(small_file().bytes());
    const std::vector<std::byte> sparse_bytes = dense.with(half_empty(dense.graph));
    const Opened sparse(sparse_bytes);
    const auto check = [&](const std::vector<TensorView>& views, const std::string& part,
                           const std::string& other_part) {
        const auto bytes = Opened::serialized(views, sparse.file->metadata());
        const Result<Model> model = Model::from_memory(bytes, "the file");
        REQUIRE_FALSE(model.ok());
        INFO(model.error().message);
        CHECK_THAT(model.error().message, starts_with("the file: tensor '"));
        CHECK_THAT(model.error().message, contains(part) && contains(other_part));
    };
    // All tensors but the one of that name, and another one more.
    const auto without = [&](const std::string& name) {
        std::vector<TensorView> views;
        for (const TensorView& view : sparse.file->tensors()) {
            if (view.name != name) views.push_back(view);
        }
        return views;
    };

    for (const char* suffix : {".mask", ".values", ".shape"}) {
        const std::string name = std::string("backbone.16.weight") + suffix;
        check(without(name), "'" + name + "'", "missing");
    }

    std::vector<TensorView> twice = without("");
    twice.push_back(*dense.file->find("backbone.16.weight"));
    check(twice, "'backbone.16.weight'", "twice");

    // The same number of elements in another shape.
    std::vector<TensorView> turned = without("backbone.16.weight.shape");
    const std::vector<std::int64_t> shape = {16, 64, 1, 4};
    turned.push_back(weights::view_of<std::int64_t>("backbone.16.weight.shape", {4}, shape));
    check(turned, "'backbone.16.weight'", "[16, 64, 1, 4], expected [*, 16, *, *]");

    std::vector<TensorView> poisoned = without("backbone.16.weight.values");
    std::vector<float> values;
    REQUIRE(sparse.file->find("backbone.16.weight.values")->copy_f32(values));
    values[3] = 0.0F;
    const auto count = static_cast<std::int64_t>(values.size());
    poisoned.push_back(weights::view_of<float>("backbone.16.weight.values", {count}, values));
    check(poisoned, "'backbone.16.weight.values'", "element 3");
}

TEST_CASE("only the weight of a convolution may be sparse", "[model]") {
    const NetworkFile file = small_file();
    for (const std::string name : {"backbone.0.bias", "backbone.1.running_mean"}) {
        const OwnedTensor& tensor = file.tensors.at(name);
        const weights::SparseTensor sparse = weights::make_sparse(tensor.values, tensor.shape);
        for (const bool dense_too : {false, true}) {
            std::vector<TensorView> views = sparse.views(name);
            for (const auto& [other, owned] : file.tensors) {
                if (other == name && !dense_too) continue;
                views.push_back(weights::view_of<float>(other, owned.shape, owned.values));
            }
            const auto bytes = Opened::serialized(views, file.metadata);
            const Result<Model> model = Model::from_memory(bytes, "the file");
            REQUIRE_FALSE(model.ok());
            CHECK(model.error().code == ErrorCode::mismatch);
            CHECK_THAT(model.error().message, contains("'" + name));
        }
    }
}

}  // namespace
}  // namespace lprnet::test
