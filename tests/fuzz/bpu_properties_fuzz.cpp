// Fuzz target for the properties that a BPU's runtime reports of its tensors: what is accepted is
// written and read in memory of just the bytes that it takes.
#include <array>
#include <memory>
#include <vector>

#include "engine/bpu/input_tensor.h"
#include "engine/bpu/tensor_layout.h"
#include "tests/fuzz/target.h"

namespace {

using namespace lprnet;
using namespace lprnet::bpu;
using fuzz::check;
using fuzz::Pieces;

constexpr std::int32_t kTypes[] = {abi::kTypeF32,          abi::kTypeS8,
                                   abi::kTypeU8,           abi::kTypeS16,
                                   abi::kTypeU16,          abi::kTypeS32,
                                   abi::kTypeF16,          abi::kTypeNv12,
                                   abi::kTypeNv12Separate, abi::kTypeRgb,
                                   abi::kTypeBgr,          abi::kTypeY,
                                   abi::kTypeYuv444,       99};

// The shape that is asked for, and extents that are near it: no fuzzer guesses four that fit.
constexpr Shape kShapes[] = {{3, 4, 6}, {1, 1, 6}, {68, 1, 18}, {3, 2, 2}, {1, 4, 4}, {1, 1, 1}};

std::int32_t extent_of(Pieces& pieces, const Shape& shape) {
    const std::uint8_t choice = pieces.value<std::uint8_t>();
    const std::int32_t near[] = {shape.c, shape.h, shape.w, 1, shape.c * shape.w, 16};
    return choice < 240 ? near[choice % 6] : pieces.value<std::int32_t>();
}

abi::TensorShape shape_of(Pieces& pieces, const Shape& shape) {
    abi::TensorShape result = {};
    const std::uint8_t orders = pieces.value<std::uint8_t>();
    if (orders < 64) {
        result = {{1, shape.c, shape.h, shape.w}, 4};
    } else if (orders < 128) {
        result = {{1, shape.h, shape.w, shape.c}, 4};
    } else {
        result.count = orders < 250 ? orders % 10 : pieces.value<std::int32_t>();
        for (std::int32_t& extent : result.extents) extent = extent_of(pieces, shape);
    }
    return result;
}

// The arrays that properties point to, of at most so many elements.
struct Arrays {
    std::array<float, 256> scales;
    std::array<std::int8_t, 256> zero_points;
    std::array<std::uint8_t, 256> shifts;
};

std::int32_t count_of(Pieces& pieces, const Shape& shape) {
    const std::uint8_t choice = pieces.value<std::uint8_t>();
    const std::int32_t near[] = {1, shape.c, shape.w, 0, shape.h, 2};
    // The runtime promises arrays as long as it says; a count that fits no extent is refused.
    return choice < 240 ? near[choice % 6] : pieces.value<std::int32_t>();
}

abi::TensorProperties properties_of(Pieces& pieces, const Shape& shape, Arrays& arrays) {
    abi::TensorProperties p = {};
    p.type = pieces.one_of(kTypes);
    p.layout = pieces.flag() ? abi::kLayoutNchw : pieces.value<std::int8_t>();
    p.valid_shape = shape_of(pieces, shape);
    p.aligned_shape = pieces.flag() ? p.valid_shape : shape_of(pieces, shape);
    const std::uint8_t strides = pieces.value<std::uint8_t>();
    if (strides >= 128) {
        for (std::int32_t& stride : p.strides)
            stride =
                strides < 250 ? pieces.value<std::uint8_t>() * 4 : pieces.value<std::int32_t>();
    }
    p.aligned_bytes = pieces.flag() ? pieces.value<std::uint16_t>() : pieces.value<std::int32_t>();
    p.quant_type = pieces.value<std::uint8_t>() % 4;
    p.quant_axis = pieces.value<std::int8_t>() % 10;
    for (float& scale : arrays.scales) scale = 0.5f;
    for (int i = 0; i < 4; ++i) {
        const std::uint8_t at = pieces.value<std::uint8_t>();
        arrays.scales[at] = pieces.value<float>();
        arrays.zero_points[at] = pieces.value<std::int8_t>();
        arrays.shifts[at] = pieces.value<std::uint8_t>();
    }
    p.scale.count = count_of(pieces, shape);
    p.scale.scales = pieces.flag() ? nullptr : arrays.scales.data();
    p.scale.zero_point_count = count_of(pieces, shape);
    p.scale.zero_points = pieces.flag() ? nullptr : arrays.zero_points.data();
    p.shift.count = p.scale.count;
    p.shift.shifts = pieces.flag() ? nullptr : arrays.shifts.data();
    return p;
}

// More is not worth its time, and is memory that the runtime would have to give first.
constexpr std::size_t kMostBytes = 1 << 20;

void use(const TensorLayout& layout, const Shape& shape, Pieces& pieces) {
    check(!layout.describe().empty(), "a tensor without a description");
    if (layout.bytes() > kMostBytes) return;
    const std::size_t elements = static_cast<std::size_t>(shape.c * shape.h * shape.w);
    std::vector<float> values(elements);
    for (float& value : values) value = pieces.value<float>();
    const auto memory = std::make_unique<std::byte[]>(layout.bytes());
    layout.write(values.data(), memory.get());
    std::vector<float> back(elements);
    layout.read(memory.get(), back.data());
    // Numbers that an element can hold come back the same a second time.
    std::vector<float> again(elements);
    layout.write(back.data(), memory.get());
    layout.read(memory.get(), again.data());
    (void)again;
}

void use(InputTensor& input, const Preprocess& preprocess) {
    std::vector<std::unique_ptr<std::byte[]>> memory;
    std::array<std::byte*, 4> blocks = {};
    check(!input.blocks().empty() && input.blocks().size() <= 2, "an input without memory");
    for (const std::size_t bytes : input.blocks()) {
        if (bytes > kMostBytes) return;
        memory.push_back(std::make_unique<std::byte[]>(bytes));
        blocks[memory.size() - 1] = memory.back().get();
    }
    const auto elements =
        static_cast<std::size_t>(preprocess.width * preprocess.height * channels(preprocess.order));
    if (input.takes_pixels()) {
        const std::vector<std::uint8_t> pixels(elements, 200);
        input.write_pixels(pixels.data(), blocks.data());
    } else {
        const std::vector<float> values(elements, 0.5f);
        input.write_values(values.data(), blocks.data());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Pieces pieces(data, size);
    const Shape shape = pieces.one_of(kShapes);
    Arrays arrays = {};
    const abi::TensorProperties properties = properties_of(pieces, shape, arrays);

    const Result<TensorLayout> layout = TensorLayout::create(properties, shape, "output 'x'");
    if (layout) {
        ++fuzz::accepted;
        check(layout->shape().c == shape.c && layout->shape().w == shape.w, "another shape");
        use(*layout, shape, pieces);
    } else {
        fuzz::check_error(layout.error());
    }

    Preprocess preprocess;
    preprocess.width = shape.w;
    preprocess.height = shape.h;
    preprocess.order = shape.c == 1 ? ChannelOrder::gray : ChannelOrder::bgr;
    const Nv12Range range = pieces.flag() ? Nv12Range::full : Nv12Range::video;
    Result<InputTensor> input = InputTensor::create(properties, preprocess, range, "input 'y'");
    if (input) {
        ++fuzz::accepted;
        use(*input, preprocess);
    } else {
        fuzz::check_error(input.error());
    }
    return 0;
}
