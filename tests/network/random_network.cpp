#include "tests/network/random_network.h"

#include <cmath>

#include "tests/kernels/tables.h"

namespace lprnet::test {
namespace {

class Builder {
public:
    Builder(unsigned seed, double zeros) : random_(seed), zeros_(zeros), pruned_(seed) {}

    void add(const std::string& name, std::vector<std::int64_t> shape, float low, float high) {
        std::size_t size = 1;
        for (const std::int64_t extent : shape) size *= static_cast<std::size_t>(extent);
        OwnedTensor tensor{std::move(shape), std::vector<float>(size)};
        for (float& value : tensor.values) value = uniform(random_, low, high);
        file.tensors[name] = std::move(tensor);
    }

    void conv2d(const std::string& name, int oc, int ic, int kh, int kw) {
        const float limit = std::sqrt(6.0f / static_cast<float>(ic * kh * kw));
        add(name + ".weight", {oc, ic, kh, kw}, -limit, limit);
        if (zeros_ > 0.0) {
            for (float& weight : file.tensors[name + ".weight"].values) {
                if (double{uniform(pruned_, 0.0f, 1.0f)} < zeros_) weight = 0.0f;
            }
        }
        add(name + ".bias", {oc}, -0.1f, 0.1f);
    }

    void linear(const std::string& name, int out, int in, float largest) {
        add(name + ".weight", {out, in}, -largest, largest);
        add(name + ".bias", {out}, -0.1f, 0.1f);
    }

    void batch_norm(const std::string& name, int channels) {
        add(name + ".weight", {channels}, 0.5f, 1.5f);
        add(name + ".bias", {channels}, -0.2f, 0.2f);
        add(name + ".running_mean", {channels}, -0.2f, 0.2f);
        add(name + ".running_var", {channels}, 0.5f, 1.5f);
    }

    void small_basic_block(const std::string& name, int ic, int oc) {
        const int inner = oc / 4;
        conv2d(name + ".block.0", inner, ic, 1, 1);
        conv2d(name + ".block.2", inner, inner, 3, 1);
        conv2d(name + ".block.4", inner, inner, 1, 3);
        conv2d(name + ".block.6", oc, inner, 1, 1);
    }

    NetworkFile file;

private:
    std::mt19937 random_;
    double zeros_;
    std::mt19937 pruned_;  // of its own: the weights that stay are those of the dense network
};

// Behind all others, whose weights are the same without it.
void add_transformer(Builder& b, const RandomNetwork& network) {
    const int first = 12, second = 10, hidden = 9;
    b.conv2d("transformer.localization.0", first, network.channels, 3, 3);
    b.conv2d("transformer.localization.3", second, first, 5, 5);
    b.linear("transformer.fc_loc.0", hidden, second * 2 * 14, 0.1f);
    b.linear("transformer.fc_loc.2", 6, hidden, 0.15f);
    for (const std::size_t diagonal : {0, 4}) {
        b.file.tensors["transformer.fc_loc.2.bias"].values[diagonal] += 1.0f;
    }
}

}  // namespace

std::vector<std::byte> NetworkFile::bytes() const {
    std::vector<weights::TensorView> views;
    for (const auto& [name, tensor] : tensors) {
        views.push_back(weights::view_of<float>(name, tensor.shape, tensor.values));
    }
    Result<std::vector<std::byte>> bytes = weights::serialize_safetensors(views, metadata);
    if (!bytes) FAIL(bytes.error().message);
    return std::move(*bytes);
}

NetworkFile random_network(const RandomNetwork& network) {
    const auto scaled = [&](int width) { return static_cast<int>(width * network.width); };
    Builder b(network.seed, network.zeros);
    b.conv2d("backbone.0", scaled(64), network.channels, 3, 3);
    b.batch_norm("backbone.1", scaled(64));
    b.small_basic_block("backbone.4", scaled(64), scaled(128));
    b.batch_norm("backbone.5", scaled(128));
    b.small_basic_block("backbone.8", (scaled(128) - 1) / 2 + 1, scaled(256));
    b.batch_norm("backbone.9", scaled(256));
    b.small_basic_block("backbone.11", scaled(256), scaled(256));
    b.batch_norm("backbone.12", scaled(256));
    b.conv2d("backbone.16", scaled(256), (scaled(256) - 1) / 4 + 1, 1, 4);
    b.batch_norm("backbone.17", scaled(256));
    b.conv2d("backbone.20", network.classes, scaled(256), 13, 1);
    b.batch_norm("backbone.21", network.classes);
    b.conv2d("container.0", network.classes,
             scaled(64) + scaled(128) + scaled(256) + network.classes, 1, 1);

    if (network.transformer) add_transformer(b, network);

    std::string charset = "[";
    for (int i = 0; i + 1 < network.classes; ++i) charset += "\"" + std::to_string(i) + "\",";
    b.file.metadata = {
        {"lprnet.format", "1"},
        {"lprnet.charset", charset + "\"-\"]"},
        {"lprnet.preprocess", std::string(R"({"width":94,"height":24,"channel_order":")") +
                                  (network.channels == 1 ? "GRAY" : "BGR") +
                                  R"(","mean":127.5,"scale":0.0078125,"resize":"bilinear"})"},
        {"lprnet.source", "random"},
    };
    if (network.transformer) b.file.metadata["lprnet.transformer"] = R"({"align_corners":true})";
    return std::move(b.file);
}

Model random_model(const RandomNetwork& network) {
    Result<Model> model = Model::from_memory(random_network(network).bytes(), "random");
    if (!model) FAIL(model.error().message);
    return *model;
}

}  // namespace lprnet::test
