#include "engine/measure/dump.h"

#include <cstdint>

#include "engine/boundary.h"
#include "engine/text/printable.h"

namespace lprnet::measure {
namespace {

using weights::SafetensorsFile;
using weights::TensorView;

std::string shape_text(const std::vector<std::int64_t>& shape) {
    std::string text = "[";
    for (const std::int64_t extent : shape) {
        if (text.size() > 1) text += ", ";
        text += std::to_string(extent);
    }
    return text + "]";
}

bool is_of_images(const TensorView& view, const Shape& like) {
    const std::vector<std::int64_t>& shape = view.shape;
    const bool flat = like.h == 1 && shape.size() == 3 && shape[1] == like.c && shape[2] == like.w;
    const bool deep =
        shape.size() == 4 && shape[1] == like.c && shape[2] == like.h && shape[3] == like.w;
    return view.dtype == weights::DType::f32 && (flat || deep) && shape[0] >= 1;
}

}  // namespace

Result<DumpFile> DumpFile::check(Result<SafetensorsFile> file) {
    if (!file) return file.error();
    const auto format = file->metadata().find("lprnet.format");
    const bool missing = format == file->metadata().end();
    if (missing || format->second != "dump-1") {
        return Error{ErrorCode::malformed,
                     printable(file->label()) + ": no dump: metadata 'lprnet.format' is " +
                         (missing ? "missing" : in_quotes(format->second)) + ", expected 'dump-1'"};
    }
    return DumpFile(std::move(*file));
}

Result<DumpFile> DumpFile::open(const std::string& path) noexcept {
    return guarded([&] { return check(SafetensorsFile::open(path)); });
}

Result<DumpFile> DumpFile::from_memory(std::span<const std::byte> bytes,
                                       const std::string& label) noexcept {
    return guarded([&] { return check(SafetensorsFile::from_memory(bytes, label)); });
}

std::vector<std::string> DumpFile::names() const {
    std::vector<std::string> names;
    for (const TensorView& tensor : file_.tensors()) names.push_back(tensor.name);
    return names;
}

Result<DumpedTensor> DumpFile::find(const std::string& name, const Shape& like) const noexcept {
    return guarded([&]() -> Result<DumpedTensor> {
        const std::string label = printable(file_.label());
        const TensorView* view = file_.find(name);
        if (view == nullptr)
            return Error{ErrorCode::mismatch,
                         label + ": tensor " + in_quotes(name) + " is missing"};
        if (!is_of_images(*view, like)) {
            return Error{ErrorCode::mismatch, label + ": tensor " + in_quotes(name) + " is " +
                                                  std::string(weights::dtype_name(view->dtype)) +
                                                  " " + shape_text(view->shape) +
                                                  ", expected F32 " +
                                                  shape_text({-1, like.c, like.h, like.w}) +
                                                  ", where -1 is any number of images"};
        }
        DumpedTensor tensor;
        tensor.image_size_ = static_cast<std::size_t>(like.c) * static_cast<std::size_t>(like.h) *
                             static_cast<std::size_t>(like.w);
        tensor.images_ = static_cast<std::size_t>(view->shape[0]);
        if (Status s = view->copy_f32(tensor.values_); !s) return s.error();
        return tensor;
    });
}

}  // namespace lprnet::measure
