#include "kernels/isa/avx2.h"

#include "kernels/isa/table-inl.h"

namespace lprnet::kernels {

extern const KernelTable table_avx2;
constinit const KernelTable table_avx2 = table_of<Isa, OwnKernels>("avx2");

}  // namespace lprnet::kernels
