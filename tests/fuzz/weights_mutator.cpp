#include "tests/fuzz/weights_mutator.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <deque>
#include <limits>
#include <string_view>
#include <utility>

#include "engine/compress/prune.h"
#include "engine/compress/quantize.h"
#include "engine/measure/fingerprint.h"
#include "engine/model/model_data.h"
#include "engine/model/model_tensors.h"
#include "engine/plan/plan.h"
#include "engine/text/printable.h"
#include "engine/text/utf8.h"
#include "kernels/dispatch.h"
#include "lprnet/model.h"
#include "lprnet/recognizer.h"
#include "tests/fuzz/random_choice.h"
#include "tests/weights/shortened.h"
#include "weights/safetensors.h"
#include "weights/sparse.h"

namespace lprnet::test {
namespace {

using Bytes = std::vector<std::byte>;
// A tensor that owns its bytes.
struct Part {
    std::string name;
    weights::DType dtype;
    std::vector<std::int64_t> shape;
    Bytes bytes;
};

struct Parts {
    std::vector<Part> tensors;
    weights::Metadata metadata;
};

constexpr float kMost = std::numeric_limits<float>::max();
constexpr float kLeast = std::numeric_limits<float>::denorm_min();
constexpr float kEdges[] = {0.0f,
                            -0.0f,
                            kLeast,
                            -kLeast,
                            1e-41f,
                            -1e-41f,
                            1.17549435e-38f,
                            1e-30f,
                            -1e-20f,
                            1e-5f,
                            1.0f,
                            -1.0f,
                            255.0f,
                            1e10f,
                            1e20f,
                            -1e30f,
                            3e38f,
                            kMost,
                            -kMost,
                            std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()};
constexpr float kFactors[] = {0.0f, 1e-41f, 1e-38f, 1e-30f, 1e-10f, -1.0f, 0.5f,
                              2.0f, 1e5f,   1e10f,  1e20f,  1e30f,  1e38f};

void set_float(Part& part, std::size_t i, float value) {
    std::memcpy(part.bytes.data() + i * sizeof(float), &value, sizeof value);
}
float get_float(const Part& part, std::size_t i) {
    float value;
    std::memcpy(&value, part.bytes.data() + i * sizeof(float), sizeof value);
    return value;
}

// One value, one output channel, one input channel or all of them: to an edge, or times a factor.
void change_floats(Part& part, Random& random) {
    const std::size_t count = part.bytes.size() / sizeof(float);
    if (count == 0) return;
    const std::size_t channels =
        part.shape.empty() || part.shape[0] < 1 ? 1 : static_cast<std::size_t>(part.shape[0]);
    const std::size_t row = std::max<std::size_t>(count / channels, 1);
    std::size_t begin = 0, end = count, stride = 1;
    switch (random.below(4)) {
        case 0:
            begin = random.below(count);
            end = begin + 1;
            break;
        case 1:
            begin = random.below(channels) * row;
            end = std::min(begin + row, count);
            break;
        case 2:
            begin = random.below(row);
            stride = row;
            break;
        default: break;
    }
    const bool scale = random.below(2) == 0;
    const float edge = random.one_of(kEdges), factor = random.one_of(kFactors);
    for (std::size_t i = begin; i < end; i += stride) {
        set_float(part, i, scale ? get_float(part, i) * factor : edge);
    }
}

void change_integers(Part& part, Random& random) {
    const std::size_t size = weights::element_size(part.dtype);
    if (part.bytes.size() < size) return;
    if (size == 8) {
        constexpr std::int64_t kExtents[] = {
            0, 1, 2, 3, -1, 255, 65536, 2147483648, 1 << 20, INT64_MAX, INT64_MIN, INT64_MAX / 4};
        const std::int64_t value = random.one_of(kExtents);
        std::memcpy(part.bytes.data() + random.below(part.bytes.size() / 8) * 8, &value, 8);
        return;
    }
    if (random.below(2) == 0) {
        constexpr unsigned kLevels[] = {0, 1, 127, 128, 129, 255};
        std::fill(part.bytes.begin(), part.bytes.end(),
                  static_cast<std::byte>(random.one_of(kLevels)));
    } else {
        part.bytes[random.below(part.bytes.size())] ^= std::byte{1} << random.below(8);
    }
}

void change_values(Part& part, Random& random) {
    if (part.dtype == weights::DType::f32) {
        change_floats(part, random);
    } else {
        change_integers(part, random);
    }
}

void change_shape(Part& part, Random& random) {
    if (part.shape.size() > 1 && random.below(2) == 0) {
        std::swap(part.shape[random.below(part.shape.size())],
                  part.shape[random.below(part.shape.size())]);
        return;
    }
    if (part.shape.empty()) return;
    // One extent more or less, with the bytes to match.
    std::int64_t& extent = part.shape[random.below(part.shape.size())];
    const std::int64_t before = extent;
    constexpr std::int64_t kChanges[] = {-1, 1, 2, 16};
    extent = std::clamp<std::int64_t>(extent + random.one_of(kChanges), 0, 64);
    if (before > 0)
        part.bytes.resize(part.bytes.size() / static_cast<std::size_t>(before) *
                          static_cast<std::size_t>(extent));
}

void change_text(std::string& text, Random& random) {
    static const std::string kDeep = std::string(20000, '[');
    static const std::string kLong = std::string(300000, '1');
    static const std::string kMany = [] {
        std::string many = "[\"-\"";
        for (int i = 0; i < 100000; ++i) many += ",\"" + std::to_string(i) + "\"";
        return many + "]";
    }();
    static const std::string kPieces[] = {"",
                                          "0",
                                          "-0",
                                          "-1",
                                          "1e999",
                                          "1E400",
                                          "-1e-400",
                                          "18446744073709551616",
                                          "1.5",
                                          "null",
                                          "true",
                                          "\"",
                                          "{}",
                                          "[]",
                                          "[1]",
                                          "{\"width\":94,\"width\":95}",
                                          std::string("[\"A\",\0\"B\"]", 10),
                                          "\xff",
                                          "\xef\xbb\xbf",
                                          "\x1b[2J",
                                          "\n",
                                          "\"\\ud800\"",
                                          "\"\\u0000\"",
                                          kDeep,
                                          kLong,
                                          kMany,
                                          "{\"a\":" + kDeep,
                                          "\"height\":24",
                                          "\"mean\":1e39",
                                          "\"scale\":1e-41",
                                          "\"scale\":0",
                                          "512",
                                          "1024",
                                          "GRAY",
                                          "RGB"};
    const std::string& piece = random.one_of(kPieces);
    const std::size_t at = random.below(text.size() + 1);
    switch (random.below(4)) {
        case 0: text = piece; break;
        case 1: text.insert(at, piece); break;
        case 2: text.erase(at, random.below(8)); break;
        default: {  // the number that stands here, if one does
            const std::size_t digit = text.find_first_of("0123456789", at);
            if (digit == std::string::npos) break;
            const std::size_t end =
                std::min(text.find_first_not_of("0123456789.eE+-", digit), text.size());
            text.replace(digit, end - digit, piece);
        }
    }
}

void change_metadata(weights::Metadata& metadata, Random& random) {
    if (metadata.empty() || random.below(8) == 0) {
        metadata["lprnet.blank"] = std::to_string(random.below(8));
        return;
    }
    auto entry = metadata.begin();
    std::advance(entry, static_cast<std::ptrdiff_t>(random.below(metadata.size())));
    if (random.below(10) == 0) {
        metadata.erase(entry);
    } else {
        change_text(entry->second, random);
    }
}

void change_list(Parts& parts, Random& random) {
    const std::size_t at = random.below(parts.tensors.size());
    Part& part = parts.tensors[at];
    switch (random.below(5)) {
        case 0: parts.tensors.erase(parts.tensors.begin() + static_cast<std::ptrdiff_t>(at)); break;
        case 1: part.name += ".mask"; break;
        case 2: {
            Part& other = parts.tensors[random.below(parts.tensors.size())];
            std::swap(part.name, other.name);
            break;
        }
        case 3: {
            constexpr weights::DType kTypes[] = {weights::DType::f32, weights::DType::i8,
                                                 weights::DType::u8, weights::DType::i64};
            const weights::DType dtype = random.one_of(kTypes);
            if (part.bytes.size() % weights::element_size(dtype) != 0) break;
            part.dtype = dtype;
            part.shape = {
                static_cast<std::int64_t>(part.bytes.size() / weights::element_size(dtype))};
            break;
        }
        default: {
            Part copy = part;
            copy.name = part.name.substr(0, part.name.rfind('.')) + ".output.scale";
            copy.shape = {1};
            copy.dtype = weights::DType::f32;
            copy.bytes.resize(sizeof(float));
            set_float(copy, 0, random.one_of(kEdges));
            parts.tensors.push_back(std::move(copy));
        }
    }
}

// Bytes of the header as they come, its length put right.
void change_header(Bytes& file, Random& random) {
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), 8);
    if (length == 0 || length > file.size() - 8) return;
    static const std::string kPieces[] = {"[",
                                          "]",
                                          "{",
                                          "}",
                                          ",",
                                          ":",
                                          "\"",
                                          "-1",
                                          "1e999",
                                          "\\u0000",
                                          "0",
                                          "99999999999999999999",
                                          std::string(5000, '['),
                                          std::string(1, '\0')};
    const std::string& piece = random.one_of(kPieces);
    const std::size_t at = 8 + random.below(static_cast<std::size_t>(length));
    const auto* bytes = reinterpret_cast<const std::byte*>(piece.data());
    file.insert(file.begin() + static_cast<std::ptrdiff_t>(at), bytes, bytes + piece.size());
    length += piece.size();
    std::memcpy(file.data(), &length, 8);
}

Parts take_apart(const weights::SafetensorsFile& file) {
    Parts parts;
    for (const weights::TensorView& tensor : file.tensors()) {
        parts.tensors.push_back({tensor.name, tensor.dtype, tensor.shape,
                                 Bytes(tensor.bytes.begin(), tensor.bytes.end())});
    }
    parts.metadata = file.metadata();
    return parts;
}

Result<Bytes> put_together(const Parts& parts) {
    std::vector<weights::TensorView> views;
    for (const Part& part : parts.tensors)
        views.push_back({part.name, part.dtype, part.shape, part.bytes});
    return weights::serialize_safetensors(views, parts.metadata);
}

// --- Seeds ------------------------------------------------------------------------------------

class SeedBuilder {
public:
    explicit SeedBuilder(std::uint64_t seed) : random_(seed) {}

    void add(const std::string& name, std::vector<std::int64_t> shape, float low, float high) {
        std::size_t count = 1;
        for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
        Part part = {name, weights::DType::f32, std::move(shape), Bytes(count * sizeof(float))};
        for (std::size_t i = 0; i < count; ++i) {
            const float share = static_cast<float>(random_() % 65536) / 65536.0f;
            set_float(part, i, low + (high - low) * share);
        }
        parts.tensors.push_back(std::move(part));
    }
    void conv2d(const std::string& name, std::int64_t oc, std::int64_t ic, std::int64_t kh,
                std::int64_t kw) {
        const float limit = std::sqrt(6.0f / static_cast<float>(ic * kh * kw));
        add(name + ".weight", {oc, ic, kh, kw}, -limit, limit);
        add(name + ".bias", {oc}, -0.1f, 0.1f);
    }
    void linear(const std::string& name, std::int64_t outputs, std::int64_t inputs) {
        add(name + ".weight", {outputs, inputs}, -0.1f, 0.1f);
        add(name + ".bias", {outputs}, -0.2f, 0.9f);
    }
    void batch_norm(const std::string& name, std::int64_t channels) {
        add(name + ".weight", {channels}, 0.5f, 1.5f);
        add(name + ".bias", {channels}, -0.2f, 0.2f);
        add(name + ".running_mean", {channels}, -0.2f, 0.2f);
        add(name + ".running_var", {channels}, 0.5f, 1.5f);
    }
    void block(const std::string& name, std::int64_t ic, std::int64_t oc) {
        const std::int64_t inner = 3;
        conv2d(name + ".block.0", inner, ic, 1, 1);
        conv2d(name + ".block.2", inner, inner, 3, 1);
        conv2d(name + ".block.4", inner, inner, 1, 3);
        conv2d(name + ".block.6", oc, inner, 1, 1);
    }

    Parts parts;

private:
    Random random_;
};

Parts small_network(std::int64_t channels, std::uint64_t seed, bool transformer = false) {
    constexpr std::int64_t kClasses = 4, kStem = 4, kWide = 8;
    SeedBuilder b(seed);
    b.conv2d("backbone.0", kStem, channels, 3, 3);
    b.batch_norm("backbone.1", kStem);
    b.block("backbone.4", kStem, kWide);
    b.batch_norm("backbone.5", kWide);
    b.block("backbone.8", kWide / 2, kWide);
    b.batch_norm("backbone.9", kWide);
    b.block("backbone.11", kWide, kWide);
    b.batch_norm("backbone.12", kWide);
    b.conv2d("backbone.16", kWide, kWide / 4, 1, 4);
    b.batch_norm("backbone.17", kWide);
    b.conv2d("backbone.20", kClasses, kWide, 13, 1);
    b.batch_norm("backbone.21", kClasses);
    b.conv2d("container.0", kClasses, kStem + kWide + kWide + kClasses, 1, 1);
    if (transformer) {
        b.conv2d("transformer.localization.0", kStem, channels, 3, 3);
        b.conv2d("transformer.localization.3", kStem, kStem, 5, 5);
        b.linear("transformer.fc_loc.0", kWide, kStem * 2 * 14);
        b.linear("transformer.fc_loc.2", 6, kWide);
    }
    b.parts.metadata = {
        {"lprnet.format", "1"},
        {"lprnet.charset", R"(["A","B","\u4eac","-"])"},
        {"lprnet.blank", "3"},
        {"lprnet.temperature", "1.5"},
        {"lprnet.preprocess", std::string(R"({"width":94,"height":24,"channel_order":")") +
                                  (channels == 1 ? "GRAY" : "BGR") +
                                  R"(","mean":127.5,"scale":0.0078125,"resize":"bilinear"})"},
        {"lprnet.source", "random"}};
    if (transformer) b.parts.metadata["lprnet.transformer"] = R"({"align_corners":false})";
    return std::move(b.parts);
}

std::vector<std::vector<float>> calibration_inputs(const ModelData& model, std::size_t count) {
    const Shape& shape = model.graph.input_shape();
    const auto channels = static_cast<std::size_t>(shape.c);
    std::vector<std::vector<float>> inputs(
        count, std::vector<float>(channels * static_cast<std::size_t>(shape.h) *
                                  static_cast<std::size_t>(shape.w)));
    Random random(7);
    for (std::vector<float>& input : inputs) {
        for (std::size_t i = 0; i < input.size(); ++i) {
            const auto level = static_cast<float>(random() % 256);
            input[i] = (level - model.preprocess.mean[i % channels]) *
                       model.preprocess.scale[i % channels];
        }
    }
    return inputs;
}

bool one_line(const std::string& message) {
    return !message.empty() && message.size() < 2000 && !has_unprintable(message);
}

// What a layer list, a table of sizes or a report reads of a network.
std::string walk(const Model& model) {
    std::int64_t macs = 0;
    std::size_t stored = 0;
    for (const Node& node : model.data().graph.nodes) {
        macs += multiply_accumulates(model.data().graph, node);
        stored += node.stored_bytes;
        if (node.shape.c < 1 || node.shape.h < 1 || node.shape.w < 1)
            return "a layer without pixels";
    }
    if (macs < 1 || model.parameters() < 1 || stored < 1) return "a network without weights";
    if (static_cast<std::size_t>(model.blank()) >= model.charset().size()) return "no blank";
    for (const std::string& entry : model.charset()) {
        if (entry.empty() || find_invalid_utf8(entry) != std::string_view::npos)
            return "an entry of the charset";
    }
    return {};
}

// The tables' logits of one picture: all errors with one message, or numbers that agree.
std::string read_everywhere(const Model& model, bool& read) {
    const kernels::CpuFeatures cpu = kernels::detect_cpu_features();
    std::vector<std::uint8_t> pixels(40 * 100 * 3);
    for (std::size_t i = 0; i < pixels.size(); ++i)
        pixels[i] = static_cast<std::uint8_t>(i * 2654435761U >> 24);
    const ImageView picture = {pixels.data(), 100, 40, 300, PixelFormat::bgr};
    // A transformer's map may be so steep that what tables round differently is pixels apart.
    const auto& nodes = model.data().graph.nodes;
    const bool magnifies = !model.data().graph.quantized() &&
                           std::any_of(nodes.begin(), nodes.end(), [](const Node& node) {
                               return node.op == Op::affine_sample;
                           });
    std::vector<float> expected;
    std::string refused;
    bool first = true;
    for (const kernels::IsaEntry& entry : kernels::all_isas()) {
        if (!entry.supported(cpu)) continue;
        RecognizerOptions options;
        options.isa = entry.table->name;
        Result<Recognizer> recognizer = Recognizer::create(model, options);
        Status status = recognizer ? Status() : Status(recognizer.error());
        Reading reading;
        if (status) status = recognizer->read(picture, reading);
        if (!status && !one_line(status.error().message)) return "message is not one line";
        const std::string message = status ? "" : status.error().message;
        if (!first && message != refused)
            return "one table refuses what another reads: " + message + refused;
        refused = message;
        if (!status) {
            first = false;
            continue;
        }
        const std::span<const float> logits = recognizer->logits();
        double largest = 0.0;
        for (const float logit : logits) {
            if (!std::isfinite(logit)) return "a logit that is not finite";
            largest = std::max(largest, std::abs(static_cast<double>(logit)));
        }
        if (!(reading.confidence >= 0.0f && reading.confidence <= 1.0f))
            return "a confidence outside 0..1";
        if (first) expected.assign(logits.begin(), logits.end());
        for (std::size_t i = 0; i < logits.size(); ++i) {
            const double difference =
                std::abs(static_cast<double>(logits[i]) - static_cast<double>(expected[i]));
            const double bound = model.data().graph.quantized() ? 0.0 : 1e-3 * largest;
            if (difference > bound && !magnifies)
                return std::string("the logits of ") + entry.table->name + " differ";
        }
        first = false;
    }
    read = refused.empty();
    return {};
}

std::string self_test(const Model& model) {
    const Result<std::vector<float>> logits =
        measure::fingerprint_logits(model, *kernels::find_isa("reference")->table);
    if (!logits) return one_line(logits.error().message) ? "" : "message is not one line";
    return measure::fingerprint(*logits).empty() ? "no hash" : "";
}

std::string prune_it(const weights::SafetensorsFile& file, const Model& model, std::uint64_t choice,
                     bool& pruned) {
    Graph graph = model.data().graph;
    PruneOptions options;
    options.amount = static_cast<double>(choice % 5) / 4.0;
    options.global = choice % 2 == 0;
    options.unit = choice % 3 == 0 ? PruneUnit::groups : PruneUnit::weights;
    const auto layers = prune(graph, options);
    if (!layers) return one_line(layers.error().message) ? "" : "message is not one line";
    for (const PrunedLayer& layer : *layers) {
        for (const double share : {layer.zero_share(), layer.l1_share(), layer.l2_share()}) {
            if (!(share >= 0.0 && share <= 1.0 + 1e-9)) return "a share outside 0..1";
        }
    }
    const Result<ModelTensors> tensors = tensors_with_weights(file, graph);
    if (!tensors) return one_line(tensors.error().message) ? "" : "message is not one line";
    const Result<Bytes> bytes = weights::serialize_safetensors(tensors->views, file.metadata());
    if (!bytes) return "pruned tensors cannot be written: " + bytes.error().message;
    const Result<Model> again = Model::from_memory(*bytes, "pruned");
    if (!again) return "the pruned file cannot be read: " + again.error().message;
    pruned = true;
    return {};
}

std::string quantize_it(const weights::SafetensorsFile& file, const Model& model,
                        std::uint64_t choice, bool& quantized) {
    constexpr ClipMethod kClips[] = {ClipMethod::mse, ClipMethod::percentile, ClipMethod::kl,
                                     ClipMethod::max, ClipMethod::search};
    QuantizeMethod method;
    method.clip = kClips[choice % 5];
    method.equalise = choice / 5 % 3 != 0;
    method.reconstruct = choice / 7 % 4 != 0;
    method.zero_below = choice / 11 % 3 == 0 ? 0.02 : 0.0;
    if (choice / 13 % 4 == 0) method.keep_float = {"backbone.4.block.2"};
    const bool weights_only = choice / 17 % 4 == 0;
    const Result<QuantizedModel> result =
        weights_only ? quantize_weights(file, model.data(), method.keep_float)
                     : quantize(model.data(), calibration_inputs(model.data(), 1), method);
    if (!result) return one_line(result.error().message) ? "" : "message is not one line";
    const Result<Bytes> bytes = weights::serialize_safetensors(result->views(), file.metadata());
    if (!bytes) return "quantized tensors cannot be written: " + bytes.error().message;
    const Result<Model> again = Model::from_memory(*bytes, "quantized");
    if (!again) return "the quantized file cannot be read: " + again.error().message;
    bool read = false;
    const std::string broken = read_everywhere(*again, read);
    if (!broken.empty()) return "quantized: " + broken;
    quantized = true;
    return {};
}

}  // namespace

bool mutate_safetensors(std::vector<std::byte>& file, std::uint64_t seed) {
    const Result<weights::SafetensorsFile> opened =
        weights::SafetensorsFile::from_memory(file, "seed");
    if (!opened) return false;
    Random random(seed);
    Parts parts = take_apart(*opened);
    const std::size_t times = 1 + random.below(4);
    for (std::size_t t = 0; t < times && !parts.tensors.empty(); ++t) {
        Part& part = parts.tensors[random.below(parts.tensors.size())];
        switch (random.below(16)) {
            case 0: change_list(parts, random); break;
            case 1: change_shape(part, random); break;
            case 2:
            case 3:
            case 4: change_metadata(parts.metadata, random); break;
            default: change_values(part, random); break;
        }
    }
    Result<Bytes> bytes = put_together(parts);
    if (!bytes) {  // a name twice, a shape that does not fit: the writer refuses that
        change_header(file, random);
        return true;
    }
    file = std::move(*bytes);
    if (random.below(16) == 0) change_header(file, random);
    if (random.below(32) == 0) file.resize(random.below(file.size() + 1));
    return true;
}

// Tensors of a file, and what the views of those made anew look at.
struct StoredWeights {
    std::vector<weights::TensorView> views;
    std::deque<weights::SparseTensor> sparse;
    std::deque<weights::SparseParts<weights::Float16>> sparse_16;
    std::deque<std::vector<weights::Float16>> dense_16;

    void add(const weights::TensorView& tensor, std::span<const float> weight, bool in_16_bits,
             bool dense) {
        if (!in_16_bits) {
            sparse.push_back(weights::make_sparse(weight, tensor.shape));
            return add_parts(sparse.back().views(tensor.name));
        }
        std::vector<float> rounded;
        for (const float value : weight) rounded.push_back(test::shortened(value));
        dense_16.push_back(weights::exact_float16(rounded).value());
        if (dense) {
            views.push_back(
                weights::view_of<weights::Float16>(tensor.name, tensor.shape, dense_16.back()));
            return;
        }
        sparse_16.push_back(weights::make_sparse(dense_16.back(), tensor.shape));
        add_parts(sparse_16.back().views(tensor.name));
    }

    void add_parts(std::vector<weights::TensorView> parts) {
        for (weights::TensorView& part : parts) views.push_back(std::move(part));
    }
};

std::vector<std::vector<std::byte>> weights_seeds() {
    std::vector<Bytes> seeds;
    const auto add = [&](const std::vector<weights::TensorView>& views,
                         const weights::Metadata& metadata) {
        if (const Result<Bytes> bytes = weights::serialize_safetensors(views, metadata))
            seeds.push_back(*bytes);
    };
    for (const std::int64_t channels : {3, 1}) {
        if (const Result<Bytes> bytes = put_together(small_network(channels, 5)))
            seeds.push_back(*bytes);
    }
    if (const Result<Bytes> bytes = put_together(small_network(3, 5, true))) {
        seeds.push_back(*bytes);
        const Result<Model> straight = Model::from_memory(*bytes, "straight");
        if (!straight) return seeds;
        const auto inputs = calibration_inputs(straight->data(), 1);
        const auto opened = weights::SafetensorsFile::from_memory(*bytes, "straight");
        const auto quantized = quantize(straight->data(), inputs);
        if (opened && quantized) add(quantized->views(), opened->metadata());
    }
    const Bytes plain = seeds.front();
    const Result<weights::SafetensorsFile> file =
        weights::SafetensorsFile::from_memory(plain, "plain");
    const Result<Model> model = Model::from_memory(plain, "plain");
    if (!file || !model) return seeds;
    Graph graph = model->data().graph;
    // Sparse is smaller only where the three parts' headers pay, which they do not here: by hand.
    PruneOptions options;
    options.amount = 0.6;
    if (prune(graph, options)) {
        // All weights sparse, in 32 and in 16 bits, and all dense in 16 bits.
        for (const auto& [in_16_bits, dense] :
             {std::pair{false, false}, {true, false}, {true, true}}) {
            StoredWeights stored;
            for (const weights::TensorView& tensor : file->tensors()) {
                const auto node =
                    std::find_if(graph.nodes.begin(), graph.nodes.end(), [&](const Node& n) {
                        return n.op == Op::conv2d && n.name + ".weight" == tensor.name;
                    });
                if (node == graph.nodes.end()) {
                    stored.views.push_back(tensor);
                } else {
                    stored.add(tensor,
                               std::span<const float>(node->weight.data(), node->weight.size()),
                               in_16_bits, dense);
                }
            }
            add(stored.views, file->metadata());
        }
    }
    const std::vector<std::vector<float>> inputs = calibration_inputs(model->data(), 1);
    for (const bool keep : {false, true}) {
        QuantizeMethod method;
        if (keep) method.keep_float = {"backbone.4.block.2"};
        if (const auto quantized = quantize(model->data(), inputs, method))
            add(quantized->views(), file->metadata());
    }
    if (const auto quantized = quantize_weights(*file, model->data()))
        add(quantized->views(), file->metadata());
    return seeds;
}

Exercised exercise_weights(std::span<const std::byte> bytes) {
    Exercised done;
    const Result<Model> model = Model::from_memory(bytes, "input");
    if (!model) {
        if (!one_line(model.error().message))
            done.broken = "message is not one line: " + model.error().message;
        return done;
    }
    done.loaded = true;
    const Result<weights::SafetensorsFile> file =
        weights::SafetensorsFile::from_memory(bytes, "input");
    if (!file) {
        done.broken = "a model that is no file";
        return done;
    }
    // Which options a file gets follows from its bytes.
    std::uint64_t choice = 14695981039346656037U;
    for (const std::byte byte : bytes)
        choice = (choice ^ std::to_integer<std::uint64_t>(byte)) * 1099511628211U;
    choice >>= 8;
    done.broken = walk(*model);
    if (done.broken.empty()) done.broken = read_everywhere(*model, done.read);
    if (done.broken.empty()) done.broken = self_test(*model);
    if (done.broken.empty()) done.broken = prune_it(*file, *model, choice, done.pruned);
    if (done.broken.empty()) done.broken = quantize_it(*file, *model, choice, done.quantized);
    return done;
}

}  // namespace lprnet::test
