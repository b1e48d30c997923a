// A .bin in the runtime's hands: loaded, and checked to be the network of a weights file.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/bpu/context_tail.h"
#include "engine/bpu/device_memory.h"
#include "engine/bpu/dnn_library.h"
#include "engine/bpu/input_tensor.h"
#include "engine/bpu/tensor_layout.h"
#include "lprnet/model.h"

namespace lprnet::bpu {

struct OutputTensor {
    std::string name;
    TensorLayout layout;
    abi::TensorProperties properties;
    std::size_t branch;  // of a split tail, its place among the branches
};

// The memory of one frame on its way, and what the runtime is told of it, which may not move until
// the frame is done.
struct InFlight {
    std::vector<DeviceMemory> input;   // as InputTensor::blocks()
    std::vector<DeviceMemory> output;  // one for each output
    abi::Tensor input_tensor = {};
    std::vector<abi::Tensor> output_tensors;
    abi::Tensor* outputs = nullptr;
    abi::InferControl control = {};
    abi::TaskHandle task = nullptr;

    // The memory; the first error.
    Status release() noexcept;
};

// Shared by recognizers, also of different threads.
class DnnModel {
public:
    // One output: the logits. Four, named branch0 to branch3: the branches of the context before
    // they are divided. The model says what shapes they have. Errors name the file. May throw
    // std::bad_alloc.
    static Result<std::shared_ptr<DnnModel>> load(std::shared_ptr<const DnnLibrary> library,
                                                  const std::string& path, const Model& model,
                                                  Nv12Range nv12_range);
    ~DnnModel();
    DnnModel(const DnnModel&) = delete;
    DnnModel& operator=(const DnnModel&) = delete;

    const DnnLibrary& library() const noexcept { return *library_; }
    abi::ModelHandle handle() const noexcept { return handle_; }
    // For messages.
    const std::string& path() const noexcept { return path_; }
    const InputTensor& input() const noexcept { return *input_; }
    const std::vector<OutputTensor>& outputs() const noexcept { return outputs_; }
    bool split() const noexcept { return tail_.has_value(); }
    // Of a split tail.
    const ContextTail& tail() const noexcept { return *tail_; }

    // Memory for one frame; `device_failed` after too many that were given up. May throw
    // std::bad_alloc.
    Result<std::unique_ptr<InFlight>> make_frame();
    // Takes the frame of a task that was given up: the BPU may still write into its memory, which
    // is therefore given back after the model alone.
    void keep(std::unique_ptr<InFlight> frame) noexcept;

    // Gives the model and what was kept back, once. The destructor does so too, but cannot tell
    // what went wrong.
    Status close() noexcept;

private:
    DnnModel(std::shared_ptr<const DnnLibrary> library, const std::string& path);
    Status open();
    Status describe_input(const Model& model, Nv12Range nv12_range);
    Status describe_outputs(const Model& model);

    std::shared_ptr<const DnnLibrary> library_;
    std::string file_;
    std::string path_;
    abi::PackedHandle packed_ = nullptr;
    abi::ModelHandle handle_ = nullptr;
    abi::TensorProperties input_properties_ = {};
    std::optional<InputTensor> input_;
    std::vector<OutputTensor> outputs_;
    std::optional<ContextTail> tail_;

    std::mutex mutex_;  // of what follows
    std::size_t made_ = 0;
    std::vector<std::unique_ptr<InFlight>> kept_;  // room for all that were made
};

}  // namespace lprnet::bpu
