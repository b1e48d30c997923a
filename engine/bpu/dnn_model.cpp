#include "engine/bpu/dnn_model.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "engine/boundary.h"
#include "engine/bpu/dnn_error.h"
#include "engine/model/model_data.h"
#include "engine/text/printable.h"

namespace lprnet::bpu {
namespace {

// Far more than this board's toolchain writes.
constexpr std::int32_t kMostTensors = 32;

// Their memory cannot be used again, so that there is an end to it.
constexpr std::size_t kMostGivenUp = 32;

Error mismatch(const std::string& what) {
    return {ErrorCode::mismatch, what};
}

// The first error of several that are met on the way down.
void note(Status& first, Status next) {
    if (first.ok() && !next.ok()) first = std::move(next);
}

// An output as the runtime tells of it.
struct FoundOutput {
    std::string name;
    abi::TensorProperties properties;
};

Result<std::vector<FoundOutput>> find_outputs(const abi::Functions& call, abi::ModelHandle handle,
                                              const std::string& path) {
    std::int32_t count = 0;
    if (const std::int32_t code = call.get_output_count(&count, handle); code != 0)
        return call_error(path, "hbDNNGetOutputCount", code);
    if (count < 1 || count > kMostTensors)
        return mismatch(path + ": expected 1 or 4 outputs, found " + std::to_string(count));
    std::vector<FoundOutput> found;
    for (std::int32_t i = 0; i < count; ++i) {
        FoundOutput& output = found.emplace_back();
        const char* name = nullptr;
        if (const std::int32_t code = call.get_output_name(&name, handle, i); code != 0)
            return call_error(path, "hbDNNGetOutputName", code);
        output.name = name != nullptr ? name : "";
        if (const std::int32_t code = call.get_output_properties(&output.properties, handle, i);
            code != 0)
            return call_error(path, "hbDNNGetOutputTensorProperties", code);
    }
    return found;
}

// Which of the branches of a split tail each output is, by its name.
Result<std::vector<std::size_t>> branches_of(const std::vector<FoundOutput>& found,
                                             std::size_t branches, const std::string& path) {
    if (found.size() != branches)
        return mismatch(path + ": expected 1 or " + std::to_string(branches) + " outputs, found " +
                        std::to_string(found.size()));
    std::vector<std::size_t> branch(found.size(), 0);
    std::vector<bool> there(branches, false);
    for (std::size_t i = 0; i < found.size(); ++i) {
        for (std::size_t b = 0; b < branches; ++b)
            if (found[i].name == "branch" + std::to_string(b)) {
                branch[i] = b;
                there[b] = true;
            }
    }
    const auto missing = std::find(there.begin(), there.end(), false) - there.begin();
    if (missing == static_cast<std::ptrdiff_t>(there.size())) return branch;
    std::string names;
    for (const FoundOutput& output : found) names += " " + in_quotes(output.name);
    return mismatch(path + ": output 'branch" + std::to_string(missing) + "' is missing; found" +
                    names);
}

}  // namespace

DnnModel::DnnModel(std::shared_ptr<const DnnLibrary> library, const std::string& path)
    : library_(std::move(library)), file_(path), path_(printable(path)) {}

DnnModel::~DnnModel() {
    (void)close();
}

Result<std::shared_ptr<DnnModel>> DnnModel::load(std::shared_ptr<const DnnLibrary> library,
                                                 const std::string& path, const Model& model,
                                                 Nv12Range nv12_range) {
    std::shared_ptr<DnnModel> loaded(new DnnModel(std::move(library), path));
    if (Status s = loaded->open(); !s) return s.error();
    if (Status s = loaded->describe_input(model, nv12_range); !s) return s.error();
    if (Status s = loaded->describe_outputs(model); !s) return s.error();
    return loaded;
}

Status DnnModel::open() {
    // What the runtime makes of a missing file is a line in its log and a code; this is clearer.
    std::error_code error;
    if (!std::filesystem::is_regular_file(file_, error))
        return Error{ErrorCode::not_found, path_ + ": no such file"};
    const abi::Functions& call = library_->call();
    const char* file = file_.c_str();
    if (const std::int32_t code = call.initialize_from_files(&packed_, &file, 1); code != 0) {
        packed_ = nullptr;
        return call_error(path_, "hbDNNInitializeFromFiles", code);
    }
    const char** names = nullptr;
    std::int32_t count = 0;
    if (const std::int32_t code = call.get_model_name_list(&names, &count, packed_); code != 0)
        return call_error(path_, "hbDNNGetModelNameList", code);
    if (count != 1 || names == nullptr || names[0] == nullptr)
        return mismatch(path_ + ": expected one model, found " + std::to_string(count));
    if (const std::int32_t code = call.get_model_handle(&handle_, packed_, names[0]); code != 0)
        return call_error(path_, "hbDNNGetModelHandle", code);
    return {};
}

Status DnnModel::describe_input(const Model& model, Nv12Range nv12_range) {
    const abi::Functions& call = library_->call();
    std::int32_t count = 0;
    if (const std::int32_t code = call.get_input_count(&count, handle_); code != 0)
        return call_error(path_, "hbDNNGetInputCount", code);
    if (count != 1) return mismatch(path_ + ": expected one input, found " + std::to_string(count));
    const char* name = nullptr;
    if (const std::int32_t code = call.get_input_name(&name, handle_, 0); code != 0)
        return call_error(path_, "hbDNNGetInputName", code);
    if (const std::int32_t code = call.get_input_properties(&input_properties_, handle_, 0);
        code != 0)
        return call_error(path_, "hbDNNGetInputTensorProperties", code);
    Result<InputTensor> input =
        InputTensor::create(input_properties_, model.data().preprocess, nv12_range,
                            path_ + ": input " + in_quotes(name != nullptr ? name : ""));
    if (!input) return input.error();
    input_ = std::move(*input);
    return {};
}

Status DnnModel::describe_outputs(const Model& model) {
    Result<std::vector<FoundOutput>> found = find_outputs(library_->call(), handle_, path_);
    if (!found) return found.error();
    std::vector<Shape> shapes = {{static_cast<int>(model.charset().size()), 1, model.steps()}};
    std::vector<std::size_t> branch = {0};
    if (found->size() > 1) {
        Result<ContextTail> tail = ContextTail::create(model.data().graph);
        if (!tail) return tail.error();
        shapes.assign(tail->shapes().begin(), tail->shapes().end());
        tail_ = std::move(*tail);
        Result<std::vector<std::size_t>> by_name = branches_of(*found, shapes.size(), path_);
        if (!by_name) return by_name.error();
        branch = std::move(*by_name);
    }
    for (std::size_t i = 0; i < found->size(); ++i) {
        const FoundOutput& output = (*found)[i];
        Result<TensorLayout> layout = TensorLayout::create(
            output.properties, shapes[branch[i]], path_ + ": output " + in_quotes(output.name));
        if (!layout) return layout.error();
        outputs_.push_back(
            {printable(output.name), std::move(*layout), output.properties, branch[i]});
    }
    return {};
}

Status InFlight::release() noexcept {
    Status first;
    for (DeviceMemory& block : input) note(first, block.release());
    for (DeviceMemory& block : output) note(first, block.release());
    return first;
}

Result<std::unique_ptr<InFlight>> DnnModel::make_frame() {
    {
        const std::lock_guard lock(mutex_);
        if (kept_.size() >= kMostGivenUp)
            return Error{ErrorCode::device_failed, path_ + ": the BPU has not answered " +
                                                       std::to_string(kept_.size()) +
                                                       " frames; it is asked no more"};
        kept_.reserve(made_ + 1);
        ++made_;
    }
    auto frame = std::make_unique<InFlight>();
    frame->input_tensor.properties = input_properties_;
    for (const std::size_t bytes : input_->blocks()) {
        Result<DeviceMemory> block = DeviceMemory::allocate(library_, bytes);
        if (!block) return block.error();
        frame->input_tensor.memory[frame->input.size()] = block->memory();
        frame->input.push_back(std::move(*block));
    }
    for (const OutputTensor& output : outputs_) {
        Result<DeviceMemory> block = DeviceMemory::allocate(library_, output.layout.bytes());
        if (!block) return block.error();
        abi::Tensor& tensor = frame->output_tensors.emplace_back();
        tensor.memory[0] = block->memory();
        tensor.properties = output.properties;
        frame->output.push_back(std::move(*block));
    }
    frame->outputs = frame->output_tensors.data();
    return frame;
}

void DnnModel::keep(std::unique_ptr<InFlight> frame) noexcept {
    const std::lock_guard lock(mutex_);
    kept_.push_back(std::move(frame));
}

Status DnnModel::close() noexcept {
    const std::lock_guard lock(mutex_);
    Status first;
    if (packed_ != nullptr) {
        const std::int32_t code = library_->call().release(packed_);
        packed_ = nullptr;
        handle_ = nullptr;
        if (code != 0)
            first = guarded([&]() -> Status { return call_error(path_, "hbDNNRelease", code); });
    }
    for (const std::unique_ptr<InFlight>& frame : kept_) note(first, frame->release());
    kept_.clear();
    return first;
}

}  // namespace lprnet::bpu
