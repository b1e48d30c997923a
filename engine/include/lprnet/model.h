// A network with its weights, alphabet and preprocessing, as one immutable value.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lprnet/error.h"
#include "lprnet/export.h"

namespace lprnet {

struct ModelData;

// Cheap to copy: copies share the same weights. Safe to use from many threads. Moving copies, so
// that there is no model without data.
class LPRNET_API Model {
public:
    Model(const Model&) noexcept = default;
    Model& operator=(const Model&) noexcept = default;
    ~Model() = default;

    // Reads a .safetensors file as described in weights/FORMAT.md. Errors name the
    // file and the first tensor or metadata key that does not fit, but for `out_of_memory`.
    static Result<Model> load(const std::string& path) noexcept;

    // The same from memory, at any alignment; `bytes` is only read during the call. `label` stands
    // in for the path in messages.
    static Result<Model> from_memory(std::span<const std::byte> bytes, std::string label) noexcept;

    // The model that was linked into the library, or, for "int8", the one that was made from it and
    // is computed in integers: faster, and read alike; `unsupported` if there is none, as for every
    // other precision.
    static Result<Model> builtin(std::string_view precision = "fp32") noexcept;

    // The path, the label, or "builtin" ("builtin-int8").
    const std::string& name() const noexcept LPRNET_LIFETIMEBOUND;
    // Free text that tells where the weights come from.
    const std::string& source() const noexcept LPRNET_LIFETIMEBOUND;
    // Which network's layers it has: "LPRNet", the one that there is.
    const std::string& architecture() const noexcept LPRNET_LIFETIMEBOUND;
    // UTF-8 text of each class, the blank included.
    const std::vector<std::string>& charset() const noexcept LPRNET_LIFETIMEBOUND;
    // Index of the CTC blank in charset().
    int blank() const noexcept;
    // Input size in pixels and channels (3, or 1 for a gray model).
    int input_width() const noexcept;
    int input_height() const noexcept;
    int input_channels() const noexcept;
    // Time steps of the output sequence, 18 for 94 pixels.
    int steps() const noexcept;
    std::size_t parameters() const noexcept;
    // "fp32"; "sparse" for the same from a file that stores weights without their zeros; or "int8"
    // for a quantized network, which is computed in integers.
    const char* precision() const noexcept;
    // By which logits are divided so that confidences are shares of plates read right; 1 unless
    // the file says otherwise.
    double temperature() const noexcept;

    // For the library's own rooms.
    const ModelData& data() const noexcept LPRNET_LIFETIMEBOUND { return *data_; }

private:
    explicit Model(std::shared_ptr<const ModelData> data) : data_(std::move(data)) {}

    std::shared_ptr<const ModelData> data_;
};

}  // namespace lprnet
