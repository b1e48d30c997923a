// What both the fuzz target and the mutation test do with arbitrary bytes: open them, and if they
// are taken for a file, read every byte they promise, make sparse tensors dense and write the file
// anew.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/printable.h"
#include "weights/safetensors.h"
#include "weights/sparse.h"

namespace lprnet::weights {

struct Touched {
    bool accepted = false;
    std::string_view broken;  // the property that did not hold; empty when all did
    unsigned char sum = 0;    // of every data byte, so that reading them cannot be left out
    int sparse = 0;           // sparse tensors that were made dense
};

// The property of the sparse tensor `name` of `file` that did not hold, or nothing: what is taken
// for one has a single form, so writing it again gives its parts.
inline std::string_view touch_sparse(const SafetensorsFile& file, const std::string& name,
                                     int& made_dense) {
    const Result<StoredTensor> tensor = StoredTensor::find(file, name);
    if (!tensor) return has_unprintable(tensor.error().message) ? "message is not one line" : "";
    if (!tensor->is_sparse()) return "a tensor with a mask is not sparse";
    std::vector<float> elements;
    if (!tensor->copy(elements)) return "";
    ++made_dense;
    const SparseTensor again = make_sparse(elements, tensor->shape());
    for (const TensorView& part : again.views(name)) {
        const TensorView* original = file.find(part.name);
        if (original == nullptr || original->dtype != part.dtype || original->shape != part.shape ||
            !std::equal(original->bytes.begin(), original->bytes.end(), part.bytes.begin(),
                        part.bytes.end())) {
            return "a sparse tensor has two forms";
        }
    }
    return "";
}

inline Touched touch_safetensors(std::span<const std::byte> bytes) {
    Touched touched;
    const Result<SafetensorsFile> file = SafetensorsFile::from_memory(bytes, "input");
    if (!file) {
        const std::string& message = file.error().message;
        if (message.empty() || has_unprintable(message)) touched.broken = "message is not one line";
        if (message.size() > 1000) touched.broken = "message is too long";
        return touched;
    }
    touched.accepted = true;
    std::size_t data_size = 0;
    std::vector<float> values;
    for (const TensorView& tensor : file->tensors()) {
        data_size += tensor.bytes.size();
        for (const std::byte byte : tensor.bytes) {
            touched.sum = static_cast<unsigned char>(touched.sum + std::to_integer<int>(byte));
        }
        if (file->find(tensor.name) != &tensor) touched.broken = "find() misses a tensor";
        const bool finite = check_finite(tensor).ok();
        const bool copied = tensor.copy_f32(values).ok();
        if (copied != (tensor.dtype == DType::f32 || tensor.dtype == DType::f16))
            touched.broken = "copy_f32() and dtype";
        if (tensor.has_f32()) {
            bool all = true;
            for (const float value : tensor.f32()) all = all && value - value == 0.0F;
            if (all != finite) touched.broken = "check_finite() misses a value";
        }
        if (tensor.name.ends_with(kMaskSuffix)) {
            const std::string name = tensor.name.substr(0, tensor.name.size() - kMaskSuffix.size());
            const std::string_view broken = touch_sparse(*file, name, touched.sparse);
            if (!broken.empty()) touched.broken = broken;
        }
    }
    if (file->data_offset() + data_size != bytes.size()) touched.broken = "bytes left over";

    const Result<std::vector<std::byte>> again =
        serialize_safetensors(file->tensors(), file->metadata());
    if (!again) {
        // Escapes can make the header longer than the one that was read.
        if (file->data_offset() < kMaxHeaderBytes / 8) touched.broken = "cannot be written again";
        return touched;
    }
    const Result<SafetensorsFile> reread = SafetensorsFile::from_memory(*again, "again");
    if (!reread) {
        touched.broken = "cannot be read again";
        return touched;
    }
    const bool same = std::equal(
        file->tensors().begin(), file->tensors().end(), reread->tensors().begin(),
        reread->tensors().end(), [](const TensorView& a, const TensorView& b) {
            return a.name == b.name && a.dtype == b.dtype && a.shape == b.shape &&
                   std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end());
        });
    if (!same || reread->metadata() != file->metadata()) touched.broken = "round trip differs";
    return touched;
}

}  // namespace lprnet::weights
