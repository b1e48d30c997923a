// LPRNets of any width with seeded random weights, as model files in memory.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "engine/model/model_data.h"
#include "lprnet/model.h"
#include "weights/safetensors.h"

namespace lprnet::test {

struct RandomNetwork {
    int channels = 3;
    int classes = 68;
    double width = 1.0;
    unsigned seed = 1;
    double zeros = 0.0;  // share of the convolution weights
    // A spatial transformer in front, whose map turns and moves each picture by something else.
    bool transformer = false;
};

// A tensor that owns its values, so that a test can spoil it before it is written.
struct OwnedTensor {
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};

struct NetworkFile {
    std::map<std::string, OwnedTensor> tensors;
    weights::Metadata metadata;

    // The bytes of a safetensors file.
    std::vector<std::byte> bytes() const;
};

// Weights scaled so that activations neither die nor explode.
NetworkFile random_network(const RandomNetwork& network);

// The same, loaded; fails the test if that does not work.
Model random_model(const RandomNetwork& network);

}  // namespace lprnet::test
