#include "kernels/isa/neon.h"

#include "kernels/isa/table-inl.h"

namespace lprnet::kernels {

extern const KernelTable table_neon;
constinit const KernelTable table_neon = table_of<Isa, OwnKernels>("neon");

}  // namespace lprnet::kernels
