#include "kernels/reference/reference.h"

#include "kernels/compiled_folders.h"

namespace lprnet::kernels {

// Weights packed for one lane and one vector per block are [oc][kh][kw][ic].
extern const KernelTable table_reference;
const KernelTable table_reference = {
    .name = "reference",
    .lanes = 1,
    .block_vectors = 1,
    .sparse_pixels = 1,
    .levels = {.bytes = sizeof(Level), .offset = 0, .block_vectors = 1},
#define LPRNET_KERNEL(folder, name, Call, elements) \
    .name = is_compiled(#folder) ? ReferenceKernels::name : nullptr,
#define LPRNET_TOOL LPRNET_KERNEL
#include "kernels/kernels.inc"
};

}  // namespace lprnet::kernels
