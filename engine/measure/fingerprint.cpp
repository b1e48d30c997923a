#include "engine/measure/fingerprint.h"

#include <cstdint>
#include <cstdio>
#include <cstring>

#include "engine/boundary.h"
#include "engine/model/model_data.h"
#include "engine/run/network.h"

namespace lprnet::measure {
namespace {

constexpr std::uint32_t kPictures = 4;
// Level i of all pictures together: noise without a generator.
constexpr std::uint32_t kMultiplier = 2654435761U;

}  // namespace

Result<std::vector<float>> fingerprint_logits(const Model& model,
                                              const kernels::KernelTable& table) noexcept {
    return guarded([&]() -> Result<std::vector<float>> {
        Result<Network> network = Network::create(model.data().graph, table);
        if (!network) return network.error();
        const Preprocess& preprocess = model.data().preprocess;
        std::vector<float> logits;
        std::uint32_t next = 0;
        for (std::uint32_t picture = 0; picture < kPictures; ++picture) {
            const auto channels = static_cast<std::size_t>(network->plan().input.shape.c);
            for (std::size_t i = 0; i < network->input().size(); ++i) {
                const auto level = static_cast<float>(next++ * kMultiplier >> 24);
                network->input()[i] =
                    (level - preprocess.mean[i % channels]) * preprocess.scale[i % channels];
            }
            network->run();
            logits.insert(logits.end(), network->logits().begin(), network->logits().end());
        }
        return logits;
    });
}

std::string fingerprint(std::span<const float> logits) {
    std::uint64_t hash = 14695981039346656037U;
    for (const float logit : logits) {
        std::uint32_t bits;
        std::memcpy(&bits, &logit, sizeof bits);
        for (int byte = 0; byte < 4; ++byte) {
            hash = (hash ^ (bits >> (8 * byte) & 255U)) * 1099511628211U;
        }
    }
    char text[32];
    std::snprintf(text, sizeof text, "fnv1a64:%016llx", static_cast<unsigned long long>(hash));
    return text;
}

}  // namespace lprnet::measure
