#include "kernels/isa/neondot.h"

#include "kernels/isa/table-inl.h"

namespace lprnet::kernels {

extern const KernelTable table_neondot;
constinit const KernelTable table_neondot = table_of<Isa, OwnKernels>("neondot");

}  // namespace lprnet::kernels
