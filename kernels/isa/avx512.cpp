#include "kernels/isa/avx512.h"

#include "kernels/isa/table-inl.h"

namespace lprnet::kernels {

extern const KernelTable table_avx512;
constinit const KernelTable table_avx512 = table_of<Isa, OwnKernels>("avx512");

}  // namespace lprnet::kernels
