// Dumps of PyTorch: what each module of the network gave for some images. See
// scripts/dump_reference.py.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/graph.h"
#include "lprnet/error.h"
#include "weights/safetensors.h"

namespace lprnet::measure {

// Of one module, for every image.
class DumpedTensor {
public:
    std::size_t images() const noexcept { return images_; }
    // [channel][row][column].
    std::span<const float> image(std::size_t i) const noexcept LPRNET_LIFETIMEBOUND {
        return std::span(values_).subspan(i * image_size_, image_size_);
    }

private:
    friend class DumpFile;

    std::vector<float> values_;
    std::size_t images_ = 0;
    std::size_t image_size_ = 0;
};

class DumpFile {
public:
    // Errors as SafetensorsFile's; `malformed` for another kind of file.
    static Result<DumpFile> open(const std::string& path) noexcept;
    // The bytes have to outlive it. `label` stands for the path in messages.
    static Result<DumpFile> from_memory(std::span<const std::byte> bytes,
                                        const std::string& label) noexcept;

    const std::string& label() const noexcept LPRNET_LIFETIMEBOUND { return file_.label(); }
    bool has(const std::string& name) const { return file_.find(name) != nullptr; }
    // Names of all tensors. May throw std::bad_alloc.
    std::vector<std::string> names() const;

    // The tensor [image][c][h][w] in float32, or [image][c][w] where h is 1. `mismatch` if it is
    // missing or not of that shape.
    Result<DumpedTensor> find(const std::string& name, const Shape& like) const noexcept;

private:
    explicit DumpFile(weights::SafetensorsFile file) : file_(std::move(file)) {}
    static Result<DumpFile> check(Result<weights::SafetensorsFile> file);

    weights::SafetensorsFile file_;
};

}  // namespace lprnet::measure
