// Model: opens a weights file and reads its metadata; the network itself is built
// by build_network.cpp.
#include "lprnet/model.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "engine/boundary.h"
#include "engine/model/builtin.h"
#include "engine/model/model_data.h"
#include "engine/model/number_range.h"
#include "engine/model/quantization.h"
#include "engine/text/printable.h"
#include "lprnet/decoding.h"
#include "weights/bounded_json.h"
#include "weights/safetensors.h"

namespace lprnet {
namespace {

using Json = weights::JsonValue;

constexpr std::string_view kFormat = "1";

class Metadata {
public:
    Metadata(const weights::SafetensorsFile& file, const std::string& label)
        : file_(file), label_(label) {}

    const std::string* find(std::string_view key) const {
        const auto it = file_.metadata().find(key);
        return it == file_.metadata().end() ? nullptr : &it->second;
    }

    Error error(std::string_view key, const std::string& what) const {
        return {ErrorCode::mismatch, label_ + ": metadata '" + std::string(key) + "' " + what};
    }

    Result<Json> json(std::string_view key) const {
        const std::string* text = find(key);
        if (text == nullptr) {
            return error(key, "is missing; expected a model written by scripts/export_weights.py");
        }
        Result<Json> value = weights::parse_json(*text, weights::kMetadataLimits);
        if (!value) return error(key, value.error().message);
        return value;
    }

private:
    const weights::SafetensorsFile& file_;
    const std::string& label_;
};

std::string found(const Json& value) {
    return in_quotes(value.shown());
}

Result<const Architecture*> read_architecture(const Metadata& metadata,
                                              std::span<const Architecture> known) {
    constexpr std::string_view kKey = "lprnet.architecture";
    const std::string* name = metadata.find(kKey);
    if (name == nullptr) return &known.front();
    std::string names;
    for (const Architecture& architecture : known) {
        if (architecture.name == *name) return &architecture;
        names += (names.empty() ? "" : " or ") + in_quotes(architecture.name);
    }
    return metadata.error(kKey, "is " + in_quotes(*name) + ", expected " + names);
}

Status read_charset(const Metadata& metadata, ModelData& model) {
    constexpr std::string_view kKey = "lprnet.charset";
    Result<Json> array = metadata.json(kKey);
    if (!array) return array.error();
    if (!array->is(Json::Kind::array) || array->items.size() < 2) {
        return metadata.error(kKey,
                              "is " + found(*array) + ", expected an array of 2 or more strings");
    }
    std::set<std::string_view> seen;
    for (const Json& entry : array->items) {
        if (!entry.is(Json::Kind::text) || entry.text.empty()) {
            return metadata.error(kKey, "has the entry " + found(entry) +
                                            ", expected a string of at least one character");
        }
        // What is shown of a plate: nothing that a terminal would obey, and no byte order mark.
        if (has_unprintable(entry.text) || entry.text.starts_with("\xef\xbb\xbf")) {
            return metadata.error(
                kKey, "has the entry " + found(entry) + ", expected printable characters");
        }
        if (!seen.insert(entry.text).second) {
            return metadata.error(kKey, "has the entry " + found(entry) + " twice");
        }
        model.charset.push_back(entry.text);
    }

    constexpr std::string_view kBlankKey = "lprnet.blank";
    model.blank = static_cast<int>(model.charset.size()) - 1;
    if (const std::string* text = metadata.find(kBlankKey)) {
        const Result<Json> value = weights::parse_json(*text, weights::kMetadataLimits);
        if (!value || !value->is_whole || value->whole >= model.charset.size()) {
            return metadata.error(kBlankKey, "is " + in_quotes(*text) + ", expected 0.." +
                                                 std::to_string(model.charset.size() - 1));
        }
        model.blank = static_cast<int>(value->whole);
    }
    return {};
}

Status read_temperature(const Metadata& metadata, double& out) {
    constexpr std::string_view kKey = "lprnet.temperature";
    const std::string* text = metadata.find(kKey);
    if (text == nullptr) return {};
    const Result<Json> value = weights::parse_json(*text, weights::kMetadataLimits);
    if (!value || !value->is(Json::Kind::number) ||
        !(value->number >= kLeastTemperature && value->number <= kMostTemperature)) {
        return metadata.error(kKey, "is " + in_quotes(*text) + ", expected 0.05 to 20");
    }
    out = value->number;
    return {};
}

Status read_extent(const Metadata& metadata, const Json& object, const char* field, int& out) {
    constexpr std::string_view kKey = "lprnet.preprocess";
    const Json* it = object.find(field);
    if (it == nullptr) return metadata.error(kKey, std::string("has no '") + field + "'");
    if (!it->is_whole || it->whole < 1 || it->whole > std::uint64_t{kMaxInputSide}) {
        return metadata.error(kKey, std::string("has ") + field + " " + found(*it) +
                                        ", expected 1.." + std::to_string(kMaxInputSide));
    }
    out = static_cast<int>(it->whole);
    return {};
}

// A number for all channels, or an array with one for each.
Status read_per_channel(const Metadata& metadata, const Json& object, const char* field,
                        std::size_t channels, float (&out)[3]) {
    constexpr std::string_view kKey = "lprnet.preprocess";
    const Json* it = object.find(field);
    if (it == nullptr) return metadata.error(kKey, std::string("has no '") + field + "'");
    const bool is_array = it->is(Json::Kind::array) && it->items.size() == channels;
    for (std::size_t c = 0; c < channels; ++c) {
        const Json& value = is_array ? it->items[c] : *it;
        const float number = value.is(Json::Kind::number) ? static_cast<float>(value.number) : NAN;
        if (!std::isfinite(number)) {
            return metadata.error(kKey, std::string("has ") + field + " " + found(*it) +
                                            ", expected a finite number or " +
                                            std::to_string(channels) + " of them");
        }
        out[c] = number;
    }
    return {};
}

// Null where there is no such field.
Json value_of(const Json& object, std::string_view field) {
    const Json* value = object.find(field);
    return value != nullptr ? *value : Json();
}

Status read_channel_order(const Metadata& metadata, const Json& object, ChannelOrder& out) {
    const Json order = value_of(object, "channel_order");
    if (order.is_text("BGR")) {
        out = ChannelOrder::bgr;
    } else if (order.is_text("RGB")) {
        out = ChannelOrder::rgb;
    } else if (order.is_text("GRAY")) {
        out = ChannelOrder::gray;
    } else {
        return metadata.error("lprnet.preprocess", "has channel_order " + found(order) +
                                                       ", expected \"BGR\", \"RGB\" or \"GRAY\"");
    }
    return {};
}

// Mean and scale of the channels, which are known.
Status read_normalization(const Metadata& metadata, const Json& object, Preprocess& out) {
    constexpr std::string_view kKey = "lprnet.preprocess";
    const auto count = static_cast<std::size_t>(channels(out.order));
    if (Status s = read_per_channel(metadata, object, "mean", count, out.mean); !s) return s;
    if (Status s = read_per_channel(metadata, object, "scale", count, out.scale); !s) return s;
    // Pixels of any usual unit fit, and quantized networks divide by the scale.
    constexpr float kMostMean = 1e6f, kLeastScale = 1e-9f, kMostScale = 1e9f;
    for (std::size_t c = 0; c < count; ++c) {
        const float size = std::abs(out.scale[c]);
        if (!(std::abs(out.mean[c]) <= kMostMean)) {
            return metadata.error(
                kKey, "has mean " + found(*object.find("mean")) + ", expected -1e6 to 1e6");
        }
        if (!(size >= kLeastScale && size <= kMostScale)) {
            return metadata.error(kKey, "has scale " + found(*object.find("scale")) +
                                            ", expected 1e-9 to 1e9 or less than 0 by as much");
        }
    }
    return {};
}

Status read_preprocess(const Metadata& metadata, Preprocess& out) {
    constexpr std::string_view kKey = "lprnet.preprocess";
    Result<Json> object = metadata.json(kKey);
    if (!object) return object.error();
    if (!object->is(Json::Kind::object)) {
        return metadata.error(kKey, "is " + found(*object) + ", expected an object");
    }
    if (Status s = read_extent(metadata, *object, "width", out.width); !s) return s;
    if (Status s = read_extent(metadata, *object, "height", out.height); !s) return s;

    if (Status s = read_channel_order(metadata, *object, out.order); !s) return s;
    const Json resize = value_of(*object, "resize");
    if (!resize.is_text("bilinear")) {
        return metadata.error(kKey, "has resize " + found(resize) + ", expected \"bilinear\"");
    }
    return read_normalization(metadata, *object, out);
}

// Of a network that samples its picture.
Status read_transformer(const Metadata& metadata, Graph& graph) {
    for (Node& node : graph.nodes) {
        if (node.op != Op::affine_sample) continue;
        const Result<Json> object = metadata.json(kTransformerKey);
        if (!object) return object.error();
        const Json* corners = object->find("align_corners");
        if (corners == nullptr || !corners->is(Json::Kind::boolean)) {
            return metadata.error(kTransformerKey, "is " + found(*object) +
                                                       ", expected {\"align_corners\": true} or "
                                                       "false");
        }
        node.align_corners = corners->number != 0.0;
    }
    return {};
}

Status check_format(const Metadata& metadata) {
    const std::string* format = metadata.find("lprnet.format");
    if (format != nullptr && *format == kFormat) return {};
    return metadata.error("lprnet.format", (format ? "is " + in_quotes(*format) : "is missing") +
                                               ", expected '" + std::string(kFormat) +
                                               "': a model written by scripts/export_weights.py");
}

Status check_classes(const Metadata& metadata, const ModelData& model) {
    const auto classes = static_cast<std::size_t>(model.graph.output_shape().c);
    if (classes == model.charset.size()) return {};
    return metadata.error("lprnet.charset", "has " + std::to_string(model.charset.size()) +
                                                " entries, but the network has " +
                                                std::to_string(classes) + " classes");
}

}  // namespace

Result<ModelData> read_model(const weights::SafetensorsFile& file, std::string name, bool borrow,
                             std::span<const Architecture> known) {
    ModelData model;
    model.name = std::move(name);
    const Metadata metadata(file, model.name);

    if (Status s = check_format(metadata); !s) return s.error();
    const Result<const Architecture*> architecture = read_architecture(metadata, known);
    if (!architecture) return architecture.error();
    model.architecture = (*architecture)->name;
    if (const std::string* source = metadata.find("lprnet.source")) model.source = *source;
    if (Status s = read_charset(metadata, model); !s) return s.error();
    if (Status s = read_temperature(metadata, model.temperature); !s) return s.error();
    if (Status s = read_preprocess(metadata, model.preprocess); !s) return s.error();

    Result<Graph> graph = build_network(
        **architecture, file, model.name,
        {channels(model.preprocess.order), model.preprocess.height, model.preprocess.width},
        borrow);
    if (!graph) return graph.error();
    model.graph = std::move(*graph);
    if (Status s = read_transformer(metadata, model.graph); !s) return s.error();
    // Weights that are borrowed are part of the program, as trusted as its code, and every start
    // would pay for it.
    if (!borrow) {
        if (Status s = settle_numbers(model.preprocess, model.name, model.graph); !s) {
            return s.error();
        }
    }

    if (Status s = check_classes(metadata, model); !s) return s.error();
    for (Node& node : model.graph.nodes) {
        model.parameters += node.weight.size() + node.quantized_weight.size() + node.bias.size();
        if (node.op == Op::quantize) set_levels(model.preprocess, node);
    }
    return model;
}

namespace {

Result<std::shared_ptr<const ModelData>> share(Result<weights::SafetensorsFile> file,
                                               std::string name, bool borrow = false) {
    if (!file) return file.error();
    Result<ModelData> data = read_model(*file, std::move(name), borrow);
    if (!data) return data.error();
    return std::make_shared<const ModelData>(std::move(*data));
}

}  // namespace

Result<Model> Model::load(const std::string& path) noexcept {
    return guarded([&]() -> Result<Model> {
        auto data = share(weights::SafetensorsFile::open(path), printable(path));
        if (!data) return data.error();
        return Model(std::move(*data));
    });
}

Result<Model> Model::from_memory(std::span<const std::byte> bytes, std::string label) noexcept {
    return guarded([&]() -> Result<Model> {
        auto data = share(weights::SafetensorsFile::from_memory(bytes, label), label);
        if (!data) return data.error();
        return Model(std::move(*data));
    });
}

Result<Model> Model::builtin(std::string_view precision) noexcept {
    return guarded([&]() -> Result<Model> {
        const std::span<const std::byte> bytes = builtin_model_bytes(precision);
        const bool plain = precision == "fp32";
        if (bytes.empty()) {
            return Error{ErrorCode::unsupported,
                         "builtin: this library was built without " +
                             (plain ? "a model" : printable(precision) + " weights") +
                             "; name a file"};
        }
        const std::string label = plain ? "builtin" : "builtin-" + std::string(precision);
        // The bytes are part of the program.
        constexpr bool kBorrow = true;
        auto data = share(weights::SafetensorsFile::from_memory(bytes, label), label, kBorrow);
        if (!data) return data.error();
        return Model(std::move(*data));
    });
}

const std::string& Model::name() const noexcept {
    return data_->name;
}
const std::string& Model::source() const noexcept {
    return data_->source;
}
const std::string& Model::architecture() const noexcept {
    return data_->architecture;
}
const std::vector<std::string>& Model::charset() const noexcept {
    return data_->charset;
}
int Model::blank() const noexcept {
    return data_->blank;
}
int Model::input_width() const noexcept {
    return data_->preprocess.width;
}
int Model::input_height() const noexcept {
    return data_->preprocess.height;
}
int Model::input_channels() const noexcept {
    return data_->graph.input_shape().c;
}
int Model::steps() const noexcept {
    return data_->graph.output_shape().w;
}
const char* Model::precision() const noexcept {
    if (data_->graph.quantized()) return "int8";
    return data_->graph.stored_sparse() ? "sparse" : "fp32";
}
double Model::temperature() const noexcept {
    return data_->temperature;
}
std::size_t Model::parameters() const noexcept {
    return data_->parameters;
}

}  // namespace lprnet
