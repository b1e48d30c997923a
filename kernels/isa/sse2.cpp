#include "kernels/isa/sse2.h"

#include "kernels/isa/table-inl.h"

namespace lprnet::kernels {

extern const KernelTable table_sse2;
constinit const KernelTable table_sse2 = table_of<Isa, OwnKernels>("sse2");

}  // namespace lprnet::kernels
