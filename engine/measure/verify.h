// Every layer of a network against a dump of PyTorch.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/measure/difference.h"
#include "engine/measure/dump.h"
#include "engine/measure/progress.h"
#include "engine/model/graph.h"
#include "lprnet/error.h"
#include "lprnet/model.h"

namespace lprnet::measure {

// Where a LayerSource puts what its layers computed.
class LayerSink {
public:
    virtual bool wants(std::size_t layer) const noexcept = 0;
    // All values of that layer for the image of the run.
    virtual void take(std::size_t layer, std::span<const double> values) = 0;

protected:
    ~LayerSink() = default;
};

// What verify() looks into: NetworkLayers, or what another device computes.
class LayerSource {
public:
    struct Layer {
        std::string name;    // in the report
        std::string dumped;  // the module whose output tells what it should be
        Shape shape;         // of that output
    };

    virtual ~LayerSource() = default;
    virtual Shape input_shape() const = 0;
    // The last one are the logits, which a dump has to have; of the others what it has is compared.
    virtual std::vector<Layer> layers() const = 0;
    // True if these are all that is computed, so that others of the dump must have been fused.
    virtual bool has_all_layers() const = 0;
    // Computes an image, [channel][row][column].
    virtual Status run(std::span<const float> planes, LayerSink& sink) = 0;
    // What the dumped output of one image, [channel][row][column], should become in that layer, in
    // the order of the values that it gives.
    virtual std::vector<double> expected(std::size_t layer,
                                         std::span<const float> dumped) const = 0;
    // Of the last run, read by Decoder::greedy.
    virtual Result<std::string> text() = 0;
};

struct VerifiedLayer {
    std::string name;
    Difference difference;  // over all elements of all images
    bool ok = false;
};

struct Verification {
    std::vector<VerifiedLayer> layers;
    std::vector<std::string> fused;  // in the dump, but not computed on their own
    std::string first_bad;           // layer; empty: none
    std::size_t images = 0;
    std::size_t other_texts = 0;  // images that are read otherwise than from the dumped logits

    bool texts_equal() const noexcept { return other_texts == 0; }
    bool ok() const noexcept { return first_bad.empty() && texts_equal(); }
};

// The lowest cosine that layers of float32 should have.
inline constexpr double kMinCosine = 0.999999;

// A layer is ok if its cosine is at least `min_cosine`. `model` is the one that `source` computes.
// `mismatch` if the dump is not of such a network; errors of the source.
Result<Verification> verify(const DumpFile& dump, const Model& model, LayerSource& source,
                            double min_cosine, Progress& progress) noexcept;

// The text of logits, [time][class], by Decoder::greedy. May throw std::bad_alloc.
std::string greedy_text(std::span<const float> logits, const Model& model);

}  // namespace lprnet::measure
