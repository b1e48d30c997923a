// The smallest LPRNet that makes sense, as the bytes of a model file: loaded and run in a moment.
#pragma once

#include <cstddef>
#include <vector>

#include "weights/safetensors.h"

namespace lprnet::fuzz {

// Four to sixteen channels, 1 to 256 classes.
class SmallNetwork {
public:
    explicit SmallNetwork(int classes);

    // Metadata for 94x24 pixels and so many classes, named "0", "1", ...
    weights::Metadata metadata() const;
    std::vector<std::byte> file(const weights::Metadata& metadata) const;

private:
    void add(const std::string& name, std::vector<std::int64_t> shape, float low, float high);
    void conv2d(const std::string& name, int oc, int ic, int kh, int kw);
    void batch_norm(const std::string& name, int channels);
    void small_basic_block(const std::string& name, int ic, int oc);

    struct Owned {
        std::string name;
        std::vector<std::int64_t> shape;
        std::vector<float> values;
    };
    int classes_;
    std::vector<Owned> tensors_;
};

}  // namespace lprnet::fuzz
