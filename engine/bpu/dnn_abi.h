// The C interface of libdnn, the runtime of the BPU on RDK X5: structures, constants and functions
// as its public documentation describes them
// (https://d-robotics.github.io/rdk_doc/en/Algorithm_Application/cdev_dnn_api), under names of our
// own. Only what the adapter calls. The stand-in of the tests is built against this file too;
// LPRNET_BPU_VENDOR_HEADERS compares it with the headers on a board.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace lprnet::bpu::abi {

using PackedHandle = void*;  // of what one .bin holds
using ModelHandle = void*;
using TaskHandle = void*;

inline constexpr int kMaxDimensions = 8;

// hbDNNTensorLayout
inline constexpr std::int32_t kLayoutNhwc = 0;
inline constexpr std::int32_t kLayoutNchw = 2;
inline constexpr std::int32_t kLayoutNone = 255;

// hbDNNDataType
inline constexpr std::int32_t kTypeY = 0;
inline constexpr std::int32_t kTypeNv12 = 1;
inline constexpr std::int32_t kTypeNv12Separate = 2;
inline constexpr std::int32_t kTypeYuv444 = 3;
inline constexpr std::int32_t kTypeRgb = 4;
inline constexpr std::int32_t kTypeBgr = 5;
inline constexpr std::int32_t kTypeS8 = 8;
inline constexpr std::int32_t kTypeU8 = 9;
inline constexpr std::int32_t kTypeF16 = 10;
inline constexpr std::int32_t kTypeS16 = 11;
inline constexpr std::int32_t kTypeU16 = 12;
inline constexpr std::int32_t kTypeF32 = 13;
inline constexpr std::int32_t kTypeS32 = 14;

// hbDNNQuantiType
inline constexpr std::int32_t kQuantNone = 0;
inline constexpr std::int32_t kQuantShift = 1;
inline constexpr std::int32_t kQuantScale = 2;

// hbSysFlushMem
inline constexpr std::int32_t kCacheInvalidate = 1;  // before the CPU reads what the BPU wrote
inline constexpr std::int32_t kCacheClean = 2;       // after the CPU wrote, before the BPU reads

// What waiting for a task returns if it came to its end, but not to a result.
inline constexpr std::int32_t kRunTaskFailed = -6000012;

// More tasks than this are refused by the library.
inline constexpr int kMostTasks = 32;

// hbSysMem
struct SysMem {
    std::uint64_t physical_address;
    void* virtual_address;
    std::uint32_t bytes;
};
static_assert(sizeof(SysMem) == 24);
static_assert(offsetof(SysMem, virtual_address) == 8 && offsetof(SysMem, bytes) == 16);

// hbDNNTensorShape
struct TensorShape {
    std::int32_t extents[kMaxDimensions];
    std::int32_t count;
};
static_assert(sizeof(TensorShape) == 36);
static_assert(offsetof(TensorShape, count) == 32);

// hbDNNQuantiShift: real value = element / 2^shift.
struct QuantShift {
    std::int32_t count;
    std::uint8_t* shifts;
};
static_assert(sizeof(QuantShift) == 16);
static_assert(offsetof(QuantShift, shifts) == 8);

// hbDNNQuantiScale: real value = (element - zero point) * scale.
struct QuantScale {
    std::int32_t count;
    float* scales;
    std::int32_t zero_point_count;
    std::int8_t* zero_points;
};
static_assert(sizeof(QuantScale) == 32);
static_assert(offsetof(QuantScale, scales) == 8 && offsetof(QuantScale, zero_point_count) == 16 &&
              offsetof(QuantScale, zero_points) == 24);

// hbDNNTensorProperties
struct TensorProperties {
    TensorShape valid_shape;
    TensorShape aligned_shape;  // of 4 dimensions, whatever valid_shape has
    std::int32_t layout;
    std::int32_t type;
    QuantShift shift;
    QuantScale scale;
    std::int32_t quant_type;
    std::int32_t quant_axis;               // of valid_shape
    std::int32_t aligned_bytes;            // to allocate
    std::int32_t strides[kMaxDimensions];  // of valid_shape, in bytes
};
static_assert(sizeof(TensorProperties) == 176);
static_assert(offsetof(TensorProperties, aligned_shape) == 36 &&
              offsetof(TensorProperties, layout) == 72 && offsetof(TensorProperties, type) == 76 &&
              offsetof(TensorProperties, shift) == 80 && offsetof(TensorProperties, scale) == 96 &&
              offsetof(TensorProperties, quant_type) == 128 &&
              offsetof(TensorProperties, quant_axis) == 132 &&
              offsetof(TensorProperties, aligned_bytes) == 136 &&
              offsetof(TensorProperties, strides) == 140);

// hbDNNTensor: memory[0] alone, but luma and chroma apart for kTypeNv12Separate.
struct Tensor {
    SysMem memory[4];
    TensorProperties properties;
};
static_assert(sizeof(Tensor) == 272);
static_assert(offsetof(Tensor, properties) == 96);

// hbDNNInferCtrlParam. The documents differ in whether `dsp_core` is there on this chip; without
// it `priority` and `more` would lie 4 bytes lower. All zeros mean the same either way: any core,
// lowest priority, a task of one inference.
struct InferControl {
    std::int32_t core;
    std::int32_t dsp_core;
    std::int32_t priority;
    std::int32_t more;
    std::int64_t custom_id;
    std::int32_t reserved[2];
};
static_assert(sizeof(InferControl) == 32);
static_assert(offsetof(InferControl, custom_id) == 16 && offsetof(InferControl, reserved) == 24);

static_assert(std::is_standard_layout_v<Tensor> && std::is_trivial_v<Tensor>);
static_assert(std::is_standard_layout_v<InferControl> && std::is_trivial_v<InferControl>);

// F(our name, symbol, type). They return 0 or a code of dnn_error.cpp; names and properties belong
// to the library until the packed handle is released.
#define LPRNET_DNN_FUNCTIONS(F)                                                               \
    F(get_version, hbDNNGetVersion, const char*())                                            \
    F(initialize_from_files, hbDNNInitializeFromFiles,                                        \
      std::int32_t(PackedHandle*, const char** paths, std::int32_t count))                    \
    F(release, hbDNNRelease, std::int32_t(PackedHandle))                                      \
    F(get_model_name_list, hbDNNGetModelNameList,                                             \
      std::int32_t(const char*** names, std::int32_t* count, PackedHandle))                   \
    F(get_model_handle, hbDNNGetModelHandle,                                                  \
      std::int32_t(ModelHandle*, PackedHandle, const char* name))                             \
    F(get_input_count, hbDNNGetInputCount, std::int32_t(std::int32_t*, ModelHandle))          \
    F(get_output_count, hbDNNGetOutputCount, std::int32_t(std::int32_t*, ModelHandle))        \
    F(get_input_name, hbDNNGetInputName,                                                      \
      std::int32_t(const char** name, ModelHandle, std::int32_t index))                       \
    F(get_output_name, hbDNNGetOutputName,                                                    \
      std::int32_t(const char** name, ModelHandle, std::int32_t index))                       \
    F(get_input_properties, hbDNNGetInputTensorProperties,                                    \
      std::int32_t(TensorProperties*, ModelHandle, std::int32_t index))                       \
    F(get_output_properties, hbDNNGetOutputTensorProperties,                                  \
      std::int32_t(TensorProperties*, ModelHandle, std::int32_t index))                       \
    F(infer, hbDNNInfer,                                                                      \
      std::int32_t(TaskHandle*, Tensor** outputs, const Tensor* inputs, ModelHandle,          \
                   InferControl*))                                                            \
    F(wait_task_done, hbDNNWaitTaskDone, std::int32_t(TaskHandle, std::int32_t milliseconds)) \
    F(release_task, hbDNNReleaseTask, std::int32_t(TaskHandle))                               \
    F(alloc_cached_mem, hbSysAllocCachedMem, std::int32_t(SysMem*, std::uint32_t bytes))      \
    F(free_mem, hbSysFreeMem, std::int32_t(SysMem*))                                          \
    F(flush_mem, hbSysFlushMem, std::int32_t(SysMem*, std::int32_t flag))

// Their addresses in an opened library.
struct Functions {
#define LPRNET_DNN_MEMBER(name, symbol, ...) std::add_pointer_t<__VA_ARGS__> name = nullptr;
    LPRNET_DNN_FUNCTIONS(LPRNET_DNN_MEMBER)
#undef LPRNET_DNN_MEMBER
};

}  // namespace lprnet::bpu::abi
