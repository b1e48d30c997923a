// PyTorch's inputs and outputs of some images, as dump_reference.py writes them.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.h"
#include "tests/paths.h"
#include "weights/safetensors.h"

namespace lprnet::test {

class GoldenDump {
public:
    // A file of golden/network.
    explicit GoldenDump(const std::string& name) : file_(open(name)) {
        images_ = static_cast<std::size_t>(tensor("input").shape.front());
    }

    std::size_t images() const { return images_; }

    // One image's values of a tensor in PyTorch's order, or nothing if the dump does not hold it.
    std::vector<float> values(const std::string& name, std::size_t image) const {
        if (file_.find(name) == nullptr) return {};
        std::vector<float> all;
        REQUIRE(tensor(name).copy_f32(all).ok());
        const auto size = static_cast<std::ptrdiff_t>(all.size() / images_);
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>(image) * size;
        return {begin, begin + size};
    }

private:
    static weights::SafetensorsFile open(const std::string& name) {
        Result<weights::SafetensorsFile> file =
            weights::SafetensorsFile::open(tests_path("golden/network/" + name));
        if (!file) FAIL(file.error().message);
        return std::move(*file);
    }
    const weights::TensorView& tensor(const std::string& name) const {
        const weights::TensorView* found = file_.find(name);
        REQUIRE(found != nullptr);
        return *found;
    }

    weights::SafetensorsFile file_;
    std::size_t images_ = 0;
};

}  // namespace lprnet::test
