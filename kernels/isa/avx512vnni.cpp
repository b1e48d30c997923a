#include "kernels/isa/avx512vnni.h"

#include "kernels/isa/table-inl.h"

namespace lprnet::kernels {

extern const KernelTable table_avx512vnni;
constinit const KernelTable table_avx512vnni = table_of<Isa, OwnKernels>("avx512vnni");

}  // namespace lprnet::kernels
