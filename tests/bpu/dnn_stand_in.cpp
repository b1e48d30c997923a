// A test double. This is NOT the runtime of any board: it has the functions of libdnn and answers
// from lprnet's own CPU engine, so that the adapter for RDK X5 can be tested where there is no BPU.
// It knows nothing of the real library but what its public documentation says, and where that is
// silent it takes the strict side:
//
//   - a .bin is one of our weights files;
//   - each loaded model has one thread, its BPU, which runs one task after the other;
//   - memory has two sides, the CPU's and the BPU's, and only hbSysFlushMem copies between them;
//   - every call is checked, and what breaks the rules is counted as a misuse.
//
// dnn_stand_in.h tells what can be set.
#include "tests/bpu/dnn_stand_in.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "engine/bpu/dnn_abi.h"
#include "engine/model/model_data.h"
#include "engine/run/network.h"
#include "lprnet/recognizer.h"

namespace {

using namespace lprnet;
using namespace lprnet::bpu::abi;
using lprnet::test::StandInCounts;
using DnnTensor = lprnet::bpu::abi::Tensor;

constexpr std::int32_t kInvalidArgument = -6000001;
constexpr std::int32_t kInvalidModel = -6000002;
constexpr std::int32_t kInvalidPacked = -6000004;
constexpr std::int32_t kInvalidModelHandle = -6000005;
constexpr std::int32_t kCannotOpen = -6000006;
constexpr std::int32_t kTimeout = -6000008;
constexpr std::int32_t kTooManyTasks = -6000009;
constexpr std::int32_t kInvalidTask = -6000011;
constexpr std::int32_t kUseError = -6000015;
constexpr std::int32_t kSysInvalidArgument = -6000129;

// --- Settings ---------------------------------------------------------------------------------

struct Failure {
    std::string function;
    std::int32_t code;
    int at;  // 0: always
    int calls = 0;
};

struct Settings {
    std::map<std::string, std::string> words;
    std::vector<Failure> failures;

    explicit Settings(const std::string& text = "") {
        std::istringstream stream(text);
        for (std::string word; stream >> word;) {
            const std::size_t equals = word.find('=');
            const std::string key = word.substr(0, equals);
            const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
            if (key != "fail") {
                words[key] = value;
                continue;
            }
            std::istringstream parts(value);
            Failure failure{};
            std::getline(parts, failure.function, ':');
            char colon;
            parts >> failure.code >> colon >> failure.at;
            failures.push_back(failure);
        }
    }
    std::string get(const std::string& key, const std::string& otherwise) const {
        const auto found = words.find(key);
        return found != words.end() ? found->second : otherwise;
    }
    int number(const std::string& key, int otherwise = 0) const {
        const auto found = words.find(key);
        return found != words.end() ? std::atoi(found->second.c_str()) : otherwise;
    }
    bool is(const std::string& key, const std::string& value) const {
        return get(key, "") == value;
    }
};

// --- What there is ----------------------------------------------------------------------------

struct Block {
    std::vector<std::byte> cpu;
    std::vector<std::byte> bpu;
};

struct Packed;

struct Task {
    enum class State { unused, waiting, running, done };
    State state = State::unused;
    bool released = false;
    Packed* packed = nullptr;
    DnnTensor input = {};
    DnnTensor outputs[4] = {};
    std::size_t output_count = 0;
};

// A tensor that is described by properties: its numbers in PyTorch's order, [c][h][w].
struct Described {
    std::string name;
    Shape shape;
    TensorProperties properties = {};
    std::vector<int> axis;  // of each dimension: 0 c, 1 h, 2 w, 3 c and w in one, -1 none
    std::vector<float> scales;
    std::vector<std::int8_t> zero_points;
    std::vector<std::uint8_t> shifts;
};

struct Packed {
    Packed(Model loaded, Recognizer with) : model(std::move(loaded)), recognizer(std::move(with)) {}

    Model model;
    Recognizer recognizer;  // the thread's own
    std::vector<Described> inputs, outputs;
    const char* name = "stand-in";
    std::vector<Task*> queue;  // at most kMostTasks, for which there is room
    bool full_range = false;   // of NV12
    bool stop = false;
    std::thread bpu;
};

struct World {
    World() { count_down(); }
    void count_down() {
        hangs = settings.number("hang");
        delays = settings.number("delays", std::numeric_limits<int>::max());
    }

    std::mutex mutex;
    std::condition_variable changed;
    Settings settings{std::getenv("LPRNET_STAND_IN") != nullptr ? std::getenv("LPRNET_STAND_IN")
                                                                : ""};
    std::set<std::string> versions;  // that were told; callers keep pointers
    void (*edit)(void*, bool, int) = nullptr;
    StandInCounts counts;
    std::string misuse;
    int hangs = 0, delays = 0;                       // of the next tasks
    std::map<void*, std::unique_ptr<Block>> blocks;  // by the CPU's address
    std::map<void*, std::unique_ptr<Packed>> packed;
    Task tasks[kMostTasks];
};

World& world() {
    static World it;
    return it;
}

void misuse(World& w, const std::string& what) {
    if (w.counts.misuses++ == 0) w.misuse = what;
}

// Counts the call; what it was told to return, or 0.
std::int32_t entered(World& w, const char* function) {
    ++w.counts.calls;
    for (Failure& failure : w.settings.failures) {
        if (failure.function != function) continue;
        ++failure.calls;
        if (failure.at == 0 || failure.calls == failure.at) return failure.code;
    }
    return 0;
}

// --- Numbers in memory ------------------------------------------------------------------------

std::size_t bytes_of(std::int32_t type) {
    switch (type) {
        case kTypeS16:
        case kTypeU16: return 2;
        case kTypeS32:
        case kTypeF32: return 4;
        default: return 1;
    }
}

void range_of(std::int32_t type, double& lowest, double& highest) {
    const int bits = static_cast<int>(8 * bytes_of(type));
    const bool is_unsigned = type == kTypeU8 || type == kTypeU16;
    lowest = is_unsigned ? 0.0 : -std::ldexp(1.0, bits - 1);
    highest = std::ldexp(1.0, is_unsigned ? bits : bits - 1) - 1.0;
}

std::size_t elements(const Shape& s) {
    return static_cast<std::size_t>(s.c) * static_cast<std::size_t>(s.h) *
           static_cast<std::size_t>(s.w);
}

// visit(offset in bytes, index in [c][h][w], index of the factor) for every element, by the strides
// or by the aligned shape.
template <class Visit>
void for_each_element_of(const Described& d, Visit visit) {
    const TensorShape& valid = d.properties.valid_shape;
    std::int64_t strides[kMaxDimensions];
    std::int64_t stride = static_cast<std::int64_t>(bytes_of(d.properties.type));
    for (int i = valid.count; i-- > 0;) {
        strides[i] = d.properties.strides[i] != 0 ? d.properties.strides[i] : stride;
        stride *= d.properties.aligned_shape.extents[i];
    }
    std::int32_t index[kMaxDimensions] = {};
    for (;;) {
        std::int64_t offset = 0;
        std::size_t at[3] = {};
        for (int i = 0; i < valid.count; ++i) {
            offset += index[i] * strides[i];
            const int axis = d.axis[static_cast<std::size_t>(i)];
            const auto place = static_cast<std::size_t>(index[i]);
            if (axis == 3) {
                at[0] = place / static_cast<std::size_t>(d.shape.w);
                at[2] = place % static_cast<std::size_t>(d.shape.w);
            } else if (axis >= 0) {
                at[axis] = place;
            }
        }
        const std::size_t i = (at[0] * static_cast<std::size_t>(d.shape.h) + at[1]) *
                                  static_cast<std::size_t>(d.shape.w) +
                              at[2];
        const std::size_t factor =
            d.scales.size() > 1 ? static_cast<std::size_t>(index[d.properties.quant_axis]) : 0;
        visit(static_cast<std::size_t>(offset), i, factor);
        int last = valid.count - 1;
        while (last >= 0 && ++index[last] == valid.extents[last]) index[last--] = 0;
        if (last < 0) return;
    }
}

double scale_of(const Described& d, std::size_t factor) {
    if (d.properties.quant_type == kQuantShift) return std::ldexp(1.0, -d.shifts[factor]);
    return static_cast<double>(d.scales[factor]);
}

double zero_of(const Described& d, std::size_t factor) {
    return d.properties.quant_type == kQuantScale ? d.zero_points[factor] : 0.0;
}

void write_values(const Described& d, const std::vector<float>& values, std::byte* to) {
    double lowest, highest;
    range_of(d.properties.type, lowest, highest);
    for_each_element_of(d, [&](std::size_t offset, std::size_t i, std::size_t factor) {
        if (d.properties.type == kTypeF32) {
            std::memcpy(to + offset, &values[i], sizeof(float));
            return;
        }
        const double steps =
            static_cast<double>(values[i]) / scale_of(d, factor) + zero_of(d, factor);
        const auto level =
            static_cast<std::int64_t>(std::clamp(std::nearbyint(steps), lowest, highest));
        std::memcpy(to + offset, &level, bytes_of(d.properties.type));  // little-endian
    });
}

std::vector<float> read_values(const Described& d, const std::byte* from) {
    double lowest, highest;
    range_of(d.properties.type, lowest, highest);
    const std::size_t bytes = bytes_of(d.properties.type);
    std::vector<float> values(elements(d.shape));
    for_each_element_of(d, [&](std::size_t offset, std::size_t i, std::size_t factor) {
        if (d.properties.type == kTypeF32) {
            std::memcpy(&values[i], from + offset, sizeof(float));
            return;
        }
        std::int64_t level = 0;
        std::memcpy(&level, from + offset, bytes);
        if (static_cast<double>(level) > highest) level -= std::int64_t{1} << (8 * bytes);
        values[i] = static_cast<float>((static_cast<double>(level) - zero_of(d, factor)) *
                                       scale_of(d, factor));
    });
    return values;
}

// --- The network ------------------------------------------------------------------------------

bool is_picture(std::int32_t type) {
    return type <= kTypeBgr;
}

// What the .bin of a real board does before its first layer: pixels to normalized numbers.
std::vector<float> normalized(const Packed& packed, const std::byte* luma, const std::byte* chroma,
                              bool full) {
    const Preprocess& how = packed.model.data().preprocess;
    const Described& d = packed.inputs.front();
    const auto width = static_cast<std::size_t>(how.width);
    const auto height = static_cast<std::size_t>(how.height);
    std::vector<float> rgb(3 * width * height);
    if (d.properties.type == kTypeNv12 || d.properties.type == kTypeNv12Separate) {
        const bool nchw = d.properties.valid_shape.extents[1] == 3;
        const auto row = static_cast<std::size_t>(d.properties.aligned_shape.extents[nchw ? 3 : 2]);
        const auto byte = [](std::byte b) { return static_cast<double>(b); };
        const double luma_gain = full ? 1.0 : 255.0 / 219.0;
        const double chroma_gain = full ? 1.0 : 255.0 / 224.0;
        for (std::size_t y = 0; y < height; ++y) {
            for (std::size_t x = 0; x < width; ++x) {
                const double l = (byte(luma[y * row + x]) - (full ? 0 : 16)) * luma_gain;
                const std::byte* pair = chroma + y / 2 * row + x / 2 * 2;
                const double u = (byte(pair[0]) - 128.0) * chroma_gain;
                const double v = (byte(pair[1]) - 128.0) * chroma_gain;
                const double pixel[] = {l + 1.402 * v, l - 0.344136 * u - 0.714136 * v,
                                        l + 1.772 * u};
                for (std::size_t c = 0; c < 3; ++c)
                    rgb[(y * width + x) * 3 + c] =
                        static_cast<float>(std::clamp(std::nearbyint(pixel[c]), 0.0, 255.0));
            }
        }
    } else {
        Described bytes = d;
        bytes.properties.type = kTypeU8;
        bytes.properties.quant_type = kQuantScale;
        bytes.scales = {1.0f};
        bytes.zero_points = {0};
        const std::vector<float> planes = read_values(bytes, luma);
        const std::size_t size = width * height;
        for (std::size_t i = 0; i < size; ++i) {
            for (std::size_t c = 0; c < 3; ++c) {
                const std::size_t from = d.shape.c == 1                  ? 0
                                         : d.properties.type == kTypeBgr ? 2 - c
                                                                         : c;
                rgb[i * 3 + c] = planes[from * size + i];
            }
        }
    }
    const auto count = static_cast<std::size_t>(channels(how.order));
    std::vector<float> values(count * width * height);
    for (std::size_t i = 0; i < width * height; ++i)
        for (std::size_t c = 0; c < count; ++c) {
            const float pixel = rgb[i * 3 + (how.order == ChannelOrder::bgr ? 2 - c : c)];
            values[i * count + c] = (pixel - how.mean[c]) * how.scale[c];
        }
    return values;
}

// [c][h][w], each window's mean.
std::vector<float> average_pool(const Node& pool, const Shape& in, const std::vector<float>& from) {
    std::vector<float> to(elements(pool.shape));
    std::size_t i = 0;
    for (int c = 0; c < pool.shape.c; ++c)
        for (int y = 0; y < pool.shape.h; ++y)
            for (int x = 0; x < pool.shape.w; ++x) {
                double sum = 0.0;
                for (int dy = 0; dy < pool.window.h; ++dy)
                    for (int dx = 0; dx < pool.window.w; ++dx)
                        sum += static_cast<double>(from[static_cast<std::size_t>(
                            (c * in.h + y * pool.stride.h + dy) * in.w + x * pool.stride.w + dx)]);
                to[i++] = static_cast<float>(sum / (pool.window.h * pool.window.w));
            }
    return to;
}

// Input NHWC to the outputs, each [c][h][w].
std::vector<std::vector<float>> compute(Packed& packed, const std::vector<float>& input) {
    Recognizer& recognizer = packed.recognizer;
    std::copy(input.begin(), input.end(), recognizer.input().begin());
    std::vector<std::vector<float>> outputs;
    if (packed.outputs.size() == 1) {
        recognizer.infer();
        const auto classes = packed.model.charset().size();
        const auto steps = static_cast<std::size_t>(packed.model.steps());
        std::vector<float>& logits = outputs.emplace_back(classes * steps);
        for (std::size_t c = 0; c < classes; ++c)
            for (std::size_t t = 0; t < steps; ++t)
                logits[c * steps + t] = recognizer.logits()[t * classes + c];
        return outputs;
    }
    const Graph& graph = packed.model.data().graph;
    std::map<std::string, std::vector<float>> computed;  // by step
    Network& network = recognizer.network();
    for (std::size_t s = 0; s < network.steps().size(); ++s) {
        const StepInfo& step = network.steps()[s];
        network.run_step(s);
        network.read_output(s, computed[step.name]);
    }
    for (const Node& node : graph.nodes) {
        if (node.op != Op::normalize) continue;
        const Node& branch = graph.nodes[static_cast<std::size_t>(node.inputs.front())];
        if (branch.op != Op::average_pool) {
            outputs.push_back(computed.at(branch.name));
            continue;
        }
        const Node& source = graph.nodes[static_cast<std::size_t>(branch.inputs.front())];
        outputs.push_back(average_pool(branch, source.shape, computed.at(source.name)));
    }
    return outputs;
}

// --- Descriptions -----------------------------------------------------------------------------

std::int32_t type_of(const std::string& name) {
    const std::map<std::string, std::int32_t> types = {
        {"f32", kTypeF32},   {"s8", kTypeS8},
        {"u8", kTypeU8},     {"s16", kTypeS16},
        {"u16", kTypeU16},   {"s32", kTypeS32},
        {"nv12", kTypeNv12}, {"nv12_separate", kTypeNv12Separate},
        {"rgb", kTypeRgb},   {"bgr", kTypeBgr},
        {"y", kTypeY}};
    const auto found = types.find(name);
    return found != types.end() ? found->second : kTypeF32;
}

// Shapes and strides; `pad` elements in the last dimension.
void set_shape(Described& d, std::vector<std::int32_t> extents, int pad, bool told) {
    TensorProperties& p = d.properties;
    p.valid_shape.count = p.aligned_shape.count = static_cast<std::int32_t>(extents.size());
    std::copy(extents.begin(), extents.end(), p.valid_shape.extents);
    extents.back() = (extents.back() + pad - 1) / pad * pad;
    std::copy(extents.begin(), extents.end(), p.aligned_shape.extents);
    auto bytes = static_cast<std::int32_t>(bytes_of(p.type));
    for (int i = p.valid_shape.count; i-- > 0;) {
        p.strides[i] = told ? bytes : 0;
        bytes *= p.aligned_shape.extents[i];
    }
    p.aligned_bytes = bytes;
}

// Factors that let `values`, [c][h][w], fit with some room. `per` are the dimension and the axis
// with a factor for each index.
void set_factors(Described& d, const std::string& quant, const std::vector<float>& values,
                 int per) {
    TensorProperties& p = d.properties;
    if (p.type == kTypeF32) return;
    double lowest, highest;
    range_of(p.type, lowest, highest);
    const bool is_unsigned = lowest == 0.0;
    const int zero = is_unsigned ? 100 : 3;
    const auto count =
        quant == "channel" ? static_cast<std::size_t>(p.valid_shape.extents[per]) : 1;
    std::vector<double> largest(count, 0.0);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::size_t channel = i * static_cast<std::size_t>(d.shape.c) / values.size();
        double& most = largest[count > 1 ? channel : 0];
        most = std::max(most, std::abs(static_cast<double>(values[i])));
    }
    // Other pictures make more of a channel than the noise did, though hardly more than the
    // largest.
    const double all = *std::max_element(largest.begin(), largest.end());
    for (double& most : largest) most = std::max(2.0 * most, 0.75 * all);
    p.quant_axis = per;
    for (std::size_t i = 0; i < count; ++i) {
        const double side = quant == "shift" ? highest : is_unsigned ? zero : highest - zero;
        d.scales.push_back(static_cast<float>(largest[i] / side));
        d.zero_points.push_back(static_cast<std::int8_t>(zero));
        const double shift = std::floor(std::log2(highest / largest[i]));
        d.shifts.push_back(static_cast<std::uint8_t>(std::clamp(shift, 0.0, 24.0)));
    }
    p.quant_type = quant == "shift" ? kQuantShift : kQuantScale;
    const auto length = static_cast<std::int32_t>(count);
    if (p.quant_type == kQuantShift) {
        p.shift = {length, d.shifts.data()};
    } else {
        p.scale = {length, d.scales.data(), length, d.zero_points.data()};
    }
}

void describe_input(const Settings& settings, Packed& packed) {
    const Preprocess& how = packed.model.data().preprocess;
    Described& d = packed.inputs.emplace_back();
    d.name = "input";
    d.properties.type = type_of(settings.get("input", "f32"));
    d.shape = {channels(how.order), how.height, how.width};
    const bool nhwc = settings.is("input_layout", "nhwc");
    d.properties.layout = nhwc ? kLayoutNhwc : kLayoutNchw;
    d.axis = nhwc ? std::vector<int>{-1, 1, 2, 0} : std::vector<int>{-1, 0, 1, 2};
    if (d.properties.type == kTypeNv12 || d.properties.type == kTypeNv12Separate) {
        // Only the width is aligned, and no stride is told.
        const std::int32_t aligned = (how.width + 15) / 16 * 16;
        TensorProperties& p = d.properties;
        p.valid_shape = nhwc ? TensorShape{{1, how.height, how.width, 3}, 4}
                             : TensorShape{{1, 3, how.height, how.width}, 4};
        p.aligned_shape = p.valid_shape;
        p.aligned_shape.extents[nhwc ? 2 : 3] = aligned;
        p.aligned_bytes = aligned * how.height * 3 / 2;
        return;
    }
    const std::vector<std::int32_t> extents =
        nhwc ? std::vector<std::int32_t>{1, d.shape.h, d.shape.w, d.shape.c}
             : std::vector<std::int32_t>{1, d.shape.c, d.shape.h, d.shape.w};
    set_shape(d, extents, settings.number("pad", 1), !settings.is("strides", "zero"));
    if (is_picture(d.properties.type)) return;
    const std::vector<float> extremes(elements(d.shape), 0.7f);
    set_factors(d, settings.get("quant", "scale"), extremes, nhwc ? 3 : 1);
}

void describe_logits(const Settings& settings, const Packed& packed, Described& d) {
    d.name = "logits";
    d.shape = {static_cast<int>(packed.model.charset().size()), 1, packed.model.steps()};
    std::istringstream stream(settings.get("shape", "1xCxT"));
    std::vector<std::int32_t> extents;
    for (std::string part; std::getline(stream, part, 'x');) {
        const int axis = part == "C" ? 0 : part == "T" ? 2 : part == "CT" ? 3 : -1;
        d.axis.push_back(axis);
        extents.push_back(axis == 0   ? d.shape.c
                          : axis == 2 ? d.shape.w
                          : axis == 3 ? d.shape.c * d.shape.w
                                      : std::atoi(part.c_str()));
    }
    set_shape(d, extents, settings.number("pad", 1), !settings.is("strides", "zero"));
}

void describe_outputs(const Settings& settings, Packed& packed) {
    const std::int32_t type = type_of(settings.get("output", "f32"));
    if (!settings.is("form", "split")) {
        Described& d = packed.outputs.emplace_back();
        d.properties.type = type;
        d.properties.layout = kLayoutNone;
        describe_logits(settings, packed, d);
    } else {
        const Graph& graph = packed.model.data().graph;
        const bool nhwc = settings.is("output_layout", "nhwc");
        for (const Node& node : graph.nodes) {
            if (node.op != Op::normalize) continue;
            Described& d = packed.outputs.emplace_back();
            d.name = (settings.is("names", "other") ? "other" : "branch") +
                     std::to_string(packed.outputs.size() - 1);
            d.properties.type = type;
            d.properties.layout = nhwc ? kLayoutNhwc : kLayoutNchw;
            const Shape s = graph.nodes[static_cast<std::size_t>(node.inputs.front())].shape;
            d.shape = s;
            d.axis = nhwc ? std::vector<int>{-1, 1, 2, 0} : std::vector<int>{-1, 0, 1, 2};
            set_shape(d,
                      nhwc ? std::vector<std::int32_t>{1, s.h, s.w, s.c}
                           : std::vector<std::int32_t>{1, s.c, s.h, s.w},
                      settings.number("pad", 1), !settings.is("strides", "zero"));
        }
        // Not in their order, which nobody promises.
        if (settings.is("order", "reversed"))
            std::reverse(packed.outputs.begin(), packed.outputs.end());
    }
    // A picture of noise tells what is usual.
    const std::size_t size = packed.recognizer.input().size();
    std::vector<float> noise(size);
    std::uint32_t state = 1;
    for (float& x : noise) {
        state = state * 1664525U + 1013904223U;
        x = static_cast<float>(state >> 24) / 128.0f - 1.0f;
    }
    const bool reversed = settings.is("order", "reversed");
    std::vector<std::vector<float>> values = compute(packed, noise);
    if (reversed) std::reverse(values.begin(), values.end());
    for (std::size_t i = 0; i < packed.outputs.size(); ++i) {
        Described& d = packed.outputs[i];
        const auto channels_at = std::find(d.axis.begin(), d.axis.end(), 0);
        set_factors(
            d, settings.get("quant", "scale"), values[i],
            channels_at != d.axis.end() ? static_cast<int>(channels_at - d.axis.begin()) : 0);
    }
}

// --- The thread that is the BPU ---------------------------------------------------------------

Block* block_of(World& w, const SysMem& memory) {
    const auto found = w.blocks.find(memory.virtual_address);
    return found != w.blocks.end() ? found->second.get() : nullptr;
}

void run_task(World& w, Packed& packed, Task& task, bool reversed) {
    Block *luma, *chroma;
    std::vector<Block*> outputs;
    {
        const std::lock_guard lock(w.mutex);
        luma = block_of(w, task.input.memory[0]);
        chroma = block_of(w, task.input.memory[1]);
        for (std::size_t i = 0; i < task.output_count; ++i)
            outputs.push_back(block_of(w, task.outputs[i].memory[0]));
    }
    const Described& in = packed.inputs.front();
    std::vector<float> input;
    if (is_picture(in.properties.type)) {
        const auto rows = static_cast<std::size_t>(in.properties.aligned_bytes) / 3 * 2;
        const std::byte* separate = chroma != nullptr ? chroma->bpu.data() : nullptr;
        input = normalized(packed, luma->bpu.data(),
                           in.properties.type == kTypeNv12 ? luma->bpu.data() + rows : separate,
                           packed.full_range);
    } else {
        const std::vector<float> planes = read_values(in, luma->bpu.data());
        const auto count = static_cast<std::size_t>(in.shape.c);
        const std::size_t size = planes.size() / count;
        input.resize(planes.size());
        for (std::size_t i = 0; i < size; ++i)
            for (std::size_t c = 0; c < count; ++c) input[i * count + c] = planes[c * size + i];
    }
    std::vector<std::vector<float>> values = compute(packed, input);
    if (reversed) std::reverse(values.begin(), values.end());
    for (std::size_t i = 0; i < values.size(); ++i)
        write_values(packed.outputs[i], values[i], outputs[i]->bpu.data());
}

void work(World& w, Packed& packed) {
    std::unique_lock lock(w.mutex);
    const bool reversed = w.settings.is("order", "reversed");
    const bool idle = w.settings.is("idle", "1");
    for (;;) {
        w.changed.wait(lock, [&] { return packed.stop || !packed.queue.empty(); });
        if (packed.stop) return;
        Task& task = *packed.queue.front();
        packed.queue.erase(packed.queue.begin());
        task.state = Task::State::running;
        const bool late = w.delays > 0;
        if (late) --w.delays;
        const auto delay = std::chrono::milliseconds(late ? w.settings.number("delay") : 0);
        bool hangs = w.hangs > 0;
        if (hangs) --w.hangs;
        const auto stopped = [&] { return packed.stop; };
        if (hangs) {
            w.changed.wait(lock, stopped);
        } else {
            if (delay.count() > 0) w.changed.wait_for(lock, delay, stopped);
            lock.unlock();
            if (!idle) run_task(w, packed, task, reversed);
            lock.lock();
        }
        task.state = task.released ? Task::State::unused : Task::State::done;
        w.changed.notify_all();
    }
}

Packed* packed_of(World& w, void* handle) {
    const auto found = w.packed.find(handle);
    return found != w.packed.end() ? found->second.get() : nullptr;
}

Task* task_of(World& w, void* handle) {
    for (Task& task : w.tasks)
        if (&task == handle && task.state != Task::State::unused && !task.released) return &task;
    return nullptr;
}

bool uses(const Task& task, const void* address) {
    if (task.state == Task::State::unused || task.state == Task::State::done) return false;
    for (const SysMem& memory : task.input.memory)
        if (memory.virtual_address == address) return true;
    return std::any_of(
        task.outputs, task.outputs + task.output_count,
        [&](const DnnTensor& tensor) { return tensor.memory[0].virtual_address == address; });
}

std::int32_t properties_of(World& w, const char* function, TensorProperties* properties,
                           void* handle, std::int32_t index, bool output) {
    const std::lock_guard lock(w.mutex);
    if (const std::int32_t code = entered(w, function); code != 0) return code;
    Packed* packed = packed_of(w, handle);
    if (packed == nullptr) return kInvalidModelHandle;
    const std::vector<Described>& all = output ? packed->outputs : packed->inputs;
    // More are reported than there are where a test asks for that.
    *properties = all[std::min(static_cast<std::size_t>(index), all.size() - 1)].properties;
    return 0;
}

std::int32_t name_of(World& w, const char* function, const char** name, void* handle,
                     std::int32_t index, bool output) {
    const std::lock_guard lock(w.mutex);
    if (const std::int32_t code = entered(w, function); code != 0) return code;
    Packed* packed = packed_of(w, handle);
    if (packed == nullptr) return kInvalidModelHandle;
    const std::vector<Described>& all = output ? packed->outputs : packed->inputs;
    *name = w.settings.is("null_names", "1")
                ? nullptr
                : all[std::min(static_cast<std::size_t>(index), all.size() - 1)].name.c_str();
    return 0;
}

// Enough memory of the tensor's own, all of it known.
bool has_memory(World& w, const DnnTensor& tensor) {
    const Block* block = block_of(w, tensor.memory[0]);
    if (block == nullptr) return false;
    if (tensor.properties.type == kTypeNv12Separate)
        return block_of(w, tensor.memory[1]) != nullptr;
    return block->cpu.size() >= static_cast<std::size_t>(tensor.properties.aligned_bytes);
}

}  // namespace

// --- The functions of libdnn ------------------------------------------------------------------

#define STAND_IN extern "C" __attribute__((visibility("default")))

STAND_IN const char* hbDNNGetVersion() {
    World& w = world();
    const std::lock_guard lock(w.mutex);
    ++w.counts.calls;
    if (w.settings.is("version", "null")) return nullptr;
    return w.versions.insert(w.settings.get("version", "1.24.5_stand-in")).first->c_str();
}

STAND_IN std::int32_t hbDNNInitializeFromFiles(PackedHandle* handle, const char** paths,
                                               std::int32_t count) {
    World& w = world();
    Settings settings;
    {
        const std::lock_guard lock(w.mutex);
        if (const std::int32_t code = entered(w, "hbDNNInitializeFromFiles"); code != 0)
            return code;
        settings = w.settings;
    }
    if (handle == nullptr || paths == nullptr || count != 1) return kInvalidArgument;
    Result<Model> model = Model::load(paths[0]);
    if (!model) return model.error().code == ErrorCode::not_found ? kCannotOpen : kInvalidModel;
    Result<Recognizer> recognizer = Recognizer::create(*model);
    if (!recognizer) return kInvalidModel;
    auto packed = std::make_unique<Packed>(*model, std::move(*recognizer));
    packed->full_range = settings.is("range", "full");
    describe_input(settings, *packed);
    describe_outputs(settings, *packed);

    const std::lock_guard lock(w.mutex);
    if (w.edit != nullptr) {
        w.edit(&packed->inputs.front().properties, false, 0);
        for (std::size_t i = 0; i < packed->outputs.size(); ++i)
            w.edit(&packed->outputs[i].properties, true, static_cast<int>(i));
    }
    packed->queue.reserve(kMostTasks);
    Packed& added = *packed;
    *handle = packed.get();
    w.packed[packed.get()] = std::move(packed);
    added.bpu = std::thread([&w, &added] { work(w, added); });
    ++w.counts.models;
    return 0;
}

STAND_IN std::int32_t hbDNNRelease(PackedHandle handle) {
    World& w = world();
    std::unique_ptr<Packed> packed;
    std::int32_t code;
    {
        const std::lock_guard lock(w.mutex);
        code = entered(w, "hbDNNRelease");
        const auto found = w.packed.find(handle);
        if (found == w.packed.end()) {
            misuse(w, "hbDNNRelease of what is not there");
            return kInvalidPacked;
        }
        for (const Task& task : w.tasks)
            if (task.packed == handle && task.state != Task::State::unused && !task.released)
                misuse(w, "hbDNNRelease with tasks that were not released");
        packed = std::move(found->second);
        w.packed.erase(found);
        packed->stop = true;
        --w.counts.models;
        w.changed.notify_all();
    }
    packed->bpu.join();
    const std::lock_guard lock(w.mutex);
    for (Task* task : packed->queue) task->state = Task::State::unused;
    return code;
}

STAND_IN std::int32_t hbDNNGetModelNameList(const char*** names, std::int32_t* count,
                                            PackedHandle handle) {
    World& w = world();
    const std::lock_guard lock(w.mutex);
    if (const std::int32_t code = entered(w, "hbDNNGetModelNameList"); code != 0) return code;
    Packed* packed = packed_of(w, handle);
    if (packed == nullptr) return kInvalidPacked;
    *names = &packed->name;
    if (w.settings.is("null_names", "1")) packed->name = nullptr;
    *count = w.settings.number("models", 1);
    return 0;
}

STAND_IN std::int32_t hbDNNGetModelHandle(ModelHandle* model, PackedHandle handle, const char*) {
    World& w = world();
    const std::lock_guard lock(w.mutex);
    if (const std::int32_t code = entered(w, "hbDNNGetModelHandle"); code != 0) return code;
    if (packed_of(w, handle) == nullptr) return kInvalidPacked;
    *model = handle;
    return 0;
}

STAND_IN std::int32_t hbDNNGetInputCount(std::int32_t* count, ModelHandle handle) {
    World& w = world();
    const std::lock_guard lock(w.mutex);
    if (const std::int32_t code = entered(w, "hbDNNGetInputCount"); code != 0) return code;
    if (packed_of(w, handle) == nullptr) return kInvalidModelHandle;
    *count = w.settings.number("inputs", 1);
    return 0;
}

STAND_IN std::int32_t hbDNNGetOutputCount(std::int32_t* count, ModelHandle handle) {
    World& w = world();
    const std::lock_guard lock(w.mutex);
    if (const std::int32_t code = entered(w, "hbDNNGetOutputCount"); code != 0) return code;
    Packed* packed = packed_of(w, handle);
    if (packed == nullptr) return kInvalidModelHandle;
    *count = w.settings.number("outputs", static_cast<int>(packed->outputs.size()));
    return 0;
}

STAND_IN std::int32_t hbDNNGetInputName(const char** name, ModelHandle handle, std::int32_t index) {
    return name_of(world(), "hbDNNGetInputName", name, handle, index, false);
}

STAND_IN std::int32_t hbDNNGetOutputName(const char** name, ModelHandle handle,
                                         std::int32_t index) {
    return name_of(world(), "hbDNNGetOutputName", name, handle, index, true);
}

STAND_IN std::int32_t hbDNNGetInputTensorProperties(TensorProperties* properties,
                                                    ModelHandle handle, std::int32_t index) {
    return properties_of(world(), "hbDNNGetInputTensorProperties", properties, handle, index,
                         false);
}

STAND_IN std::int32_t hbDNNGetOutputTensorProperties(TensorProperties* properties,
                                                     ModelHandle handle, std::int32_t index) {
    return properties_of(world(), "hbDNNGetOutputTensorProperties", properties, handle, index,
                         true);
}

STAND_IN std::int32_t hbDNNInfer(TaskHandle* handle, DnnTensor** outputs, const DnnTensor* inputs,
                                 ModelHandle model, InferControl* control) {
    World& w = world();
    const std::lock_guard lock(w.mutex);
    const std::int32_t told = entered(w, "hbDNNInfer");
    if (told != 0 && !w.settings.is("task_on_failure", "1")) return told;
    if (w.settings.is("no_task", "1")) return 0;
    Packed* packed = packed_of(w, model);
    if (packed == nullptr) return kInvalidModelHandle;
    if (handle == nullptr || outputs == nullptr || *outputs == nullptr || inputs == nullptr ||
        control == nullptr)
        return kInvalidArgument;
    if (*handle != nullptr) {
        misuse(w, "hbDNNInfer with a task that is there already");
        return kUseError;
    }
    const InferControl zeros = {};
    if (std::memcmp(control, &zeros, sizeof zeros) != 0)
        misuse(w, "hbDNNInfer with control values that two versions read differently");
    bool memory = has_memory(w, inputs[0]);
    for (std::size_t i = 0; i < packed->outputs.size(); ++i)
        memory = memory && has_memory(w, (*outputs)[i]);
    if (!memory) {
        misuse(w, "hbDNNInfer without memory");
        return kInvalidArgument;
    }
    const auto task = std::find_if(std::begin(w.tasks), std::end(w.tasks),
                                   [](const Task& t) { return t.state == Task::State::unused; });
    if (task == std::end(w.tasks)) return kTooManyTasks;
    task->state = Task::State::waiting;
    task->released = false;
    task->packed = packed;
    task->input = inputs[0];
    task->output_count = packed->outputs.size();
    std::copy_n(*outputs, task->output_count, task->outputs);
    packed->queue.push_back(&*task);
    *handle = &*task;
    ++w.counts.tasks;
    w.counts.most_tasks = std::max(w.counts.most_tasks, w.counts.tasks);
    w.changed.notify_all();
    return told;
}

STAND_IN std::int32_t hbDNNWaitTaskDone(TaskHandle handle, std::int32_t milliseconds) {
    World& w = world();
    std::unique_lock lock(w.mutex);
    const std::int32_t told = entered(w, "hbDNNWaitTaskDone");
    // Of this one it is known that the task has ended.
    if (told != 0 && told != kRunTaskFailed) return told;
    Task* task = task_of(w, handle);
    if (task == nullptr) {
        misuse(w, "hbDNNWaitTaskDone for what is no task");
        return kInvalidTask;
    }
    if (milliseconds <= 0) misuse(w, "hbDNNWaitTaskDone without a limit");
    const bool done = w.changed.wait_for(lock, std::chrono::milliseconds(milliseconds),
                                         [&] { return task->state == Task::State::done; });
    return done ? told : kTimeout;
}

STAND_IN std::int32_t hbDNNReleaseTask(TaskHandle handle) {
    World& w = world();
    const std::lock_guard lock(w.mutex);
    const std::int32_t code = entered(w, "hbDNNReleaseTask");
    Task* task = task_of(w, handle);
    if (task == nullptr) {
        misuse(w, "hbDNNReleaseTask of what is no task");
        return kInvalidTask;
    }
    --w.counts.tasks;
    if (task->state == Task::State::running) {
        task->released = true;  // and goes on, with its memory
        return code;
    }
    if (task->state == Task::State::waiting) {
        std::vector<Task*>& queue = task->packed->queue;
        queue.erase(std::find(queue.begin(), queue.end(), task));
    }
    task->state = Task::State::unused;
    return code;
}

STAND_IN std::int32_t hbSysAllocCachedMem(SysMem* memory, std::uint32_t bytes) {
    World& w = world();
    const std::lock_guard lock(w.mutex);
    if (const std::int32_t code = entered(w, "hbSysAllocCachedMem"); code != 0) return code;
    if (memory == nullptr || bytes == 0) return kSysInvalidArgument;
    if (w.settings.is("null_memory", "1")) {
        *memory = {};
        return 0;
    }
    // Not zeros, and not the same on both sides.
    auto block = std::make_unique<Block>();
    block->cpu.assign(bytes, std::byte{0xAB});
    block->bpu.assign(bytes, std::byte{0xCD});
    *memory = {reinterpret_cast<std::uintptr_t>(block->bpu.data()), block->cpu.data(), bytes};
    w.blocks[block->cpu.data()] = std::move(block);
    ++w.counts.blocks;
    return 0;
}

STAND_IN std::int32_t hbSysFreeMem(SysMem* memory) {
    World& w = world();
    const std::lock_guard lock(w.mutex);
    const std::int32_t code = entered(w, "hbSysFreeMem");
    const auto found = w.blocks.find(memory != nullptr ? memory->virtual_address : nullptr);
    if (found == w.blocks.end()) {
        misuse(w, "hbSysFreeMem of what is not there");
        return kSysInvalidArgument;
    }
    for (const Task& task : w.tasks)
        if (uses(task, found->first)) misuse(w, "hbSysFreeMem of memory that a task uses");
    w.blocks.erase(found);
    --w.counts.blocks;
    return code;
}

STAND_IN std::int32_t hbSysFlushMem(SysMem* memory, std::int32_t flag) {
    World& w = world();
    const std::lock_guard lock(w.mutex);
    if (const std::int32_t code = entered(w, "hbSysFlushMem"); code != 0) return code;
    Block* block = memory != nullptr ? block_of(w, *memory) : nullptr;
    if (block == nullptr || (flag != kCacheClean && flag != kCacheInvalidate)) {
        misuse(w, "hbSysFlushMem of what is not there");
        return kSysInvalidArgument;
    }
    for (const Task& task : w.tasks)
        if (uses(task, memory->virtual_address))
            misuse(w, "hbSysFlushMem of memory that a task uses");
    (flag == kCacheClean ? block->bpu : block->cpu) = flag == kCacheClean ? block->cpu : block->bpu;
    return 0;
}

// Same types as the adapter calls them with.
namespace lprnet::bpu::abi {
#define LPRNET_DNN_CHECK(name, symbol, ...) \
    static_assert(std::is_same_v<decltype(symbol), __VA_ARGS__>);
LPRNET_DNN_FUNCTIONS(LPRNET_DNN_CHECK)
}  // namespace lprnet::bpu::abi

// --- What tests call --------------------------------------------------------------------------

STAND_IN void stand_in_reset(const char* settings) {
    World& w = world();
    const std::lock_guard lock(w.mutex);
    w.settings = Settings(settings);
    w.counts = {};
    w.misuse.clear();
    w.count_down();
}

STAND_IN void stand_in_edit(void (*edit)(void* properties, bool output, int index)) {
    World& w = world();
    const std::lock_guard lock(w.mutex);
    w.edit = edit;
}

STAND_IN void stand_in_counts(StandInCounts* counts) {
    World& w = world();
    const std::lock_guard lock(w.mutex);
    *counts = w.counts;
}

STAND_IN const char* stand_in_misuse() {
    World& w = world();
    const std::lock_guard lock(w.mutex);
    return w.misuse.c_str();
}
