#include "tests/fuzz/small_network.h"

#include <cmath>
#include <string>
#include <utility>

#include "tests/fuzz/target.h"

namespace lprnet::fuzz {

SmallNetwork::SmallNetwork(int classes) : classes_(classes) {
    conv2d("backbone.0", 4, 3, 3, 3);
    batch_norm("backbone.1", 4);
    small_basic_block("backbone.4", 4, 8);
    batch_norm("backbone.5", 8);
    small_basic_block("backbone.8", 4, 16);
    batch_norm("backbone.9", 16);
    small_basic_block("backbone.11", 16, 16);
    batch_norm("backbone.12", 16);
    conv2d("backbone.16", 16, 4, 1, 4);
    batch_norm("backbone.17", 16);
    conv2d("backbone.20", classes, 16, 13, 1);
    batch_norm("backbone.21", classes);
    conv2d("container.0", classes, 4 + 8 + 16 + classes, 1, 1);
}

void SmallNetwork::add(const std::string& name, std::vector<std::int64_t> shape, float low,
                       float high) {
    std::size_t size = 1;
    for (const std::int64_t extent : shape) size *= static_cast<std::size_t>(extent);
    Owned tensor{name, std::move(shape), std::vector<float>(size)};
    // Spread evenly, the same on every machine.
    constexpr double kGoldenRatio = 0.6180339887498949;
    double place = 0.5;
    for (float& value : tensor.values) {
        place = std::fmod(place + kGoldenRatio, 1.0);
        value = low + (high - low) * static_cast<float>(place);
    }
    tensors_.push_back(std::move(tensor));
}

void SmallNetwork::conv2d(const std::string& name, int oc, int ic, int kh, int kw) {
    const float limit = std::sqrt(6.0f / static_cast<float>(ic * kh * kw));
    add(name + ".weight", {oc, ic, kh, kw}, -limit, limit);
    add(name + ".bias", {oc}, -0.1f, 0.1f);
}

void SmallNetwork::batch_norm(const std::string& name, int channels) {
    add(name + ".weight", {channels}, 0.5f, 1.5f);
    add(name + ".bias", {channels}, -0.2f, 0.2f);
    add(name + ".running_mean", {channels}, -0.2f, 0.2f);
    add(name + ".running_var", {channels}, 0.5f, 1.5f);
}

void SmallNetwork::small_basic_block(const std::string& name, int ic, int oc) {
    const int inner = oc / 4;
    conv2d(name + ".block.0", inner, ic, 1, 1);
    conv2d(name + ".block.2", inner, inner, 3, 1);
    conv2d(name + ".block.4", inner, inner, 1, 3);
    conv2d(name + ".block.6", oc, inner, 1, 1);
}

weights::Metadata SmallNetwork::metadata() const {
    std::string charset;
    for (int i = 0; i < classes_; ++i)
        charset += (i > 0 ? ",\"" : "[\"") + std::to_string(i) + "\"";
    return {{"lprnet.format", "1"},
            {"lprnet.charset", charset + "]"},
            {"lprnet.preprocess",
             R"({"width":94,"height":24,"channel_order":"BGR","mean":127.5,"scale":0.0078125,)"
             R"("resize":"bilinear"})"}};
}

std::vector<std::byte> SmallNetwork::file(const weights::Metadata& metadata) const {
    std::vector<weights::TensorView> views;
    for (const Owned& tensor : tensors_)
        views.push_back(weights::view_of<float>(tensor.name, tensor.shape, tensor.values));
    Result<std::vector<std::byte>> bytes = weights::serialize_safetensors(views, metadata);
    check(bytes.ok(), "a small network cannot be written");
    return std::move(*bytes);
}

}  // namespace lprnet::fuzz
