#include "engine/cli/golden.h"

#include <cstdint>
#include <cstdio>
#include <cstring>

#include "engine/plan/plan.h"
#include "engine/run/run.h"
#include "kernels/aligned_buffer.h"

namespace lprnet::cli {
namespace {

constexpr std::uint32_t kPictures = 4;
// Level i of all pictures together: noise without a generator.
constexpr std::uint32_t kMultiplier = 2654435761U;

}  // namespace

Result<std::vector<float>> golden_logits(const Model& model, const kernels::KernelTable& table) {
    const Result<Plan> plan = build_plan(model.data().graph, table);
    if (!plan) return plan.error();
    const Preprocess& preprocess = model.data().preprocess;
    kernels::AlignedBuffer arena(plan->arena_size);
    std::vector<float> logits;
    std::uint32_t next = 0;
    for (std::uint32_t picture = 0; picture < kPictures; ++picture) {
        const Tensor& input = plan->input;
        for (int y = 0; y < input.h; ++y) {
            float* value = input.floats(arena.data()) + y * input.row();
            for (int x = 0; x < input.w; ++x) {
                for (int c = 0; c < input.c; ++c) {
                    const auto level = static_cast<float>(next++ * kMultiplier >> 24);
                    *value++ = (level - preprocess.mean[c]) * preprocess.scale[c];
                }
            }
        }
        run_plan(*plan, arena.data());
        const float* output = plan->output.floats(arena.data());
        logits.insert(logits.end(), output, output + plan->output.size());
    }
    return logits;
}

std::string golden_hash(const std::vector<float>& logits) {
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

}  // namespace lprnet::cli
