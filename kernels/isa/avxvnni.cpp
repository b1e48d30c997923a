#include "kernels/isa/avxvnni.h"

#include "kernels/isa/table-inl.h"

namespace lprnet::kernels {

extern const KernelTable table_avxvnni;
constinit const KernelTable table_avxvnni = table_of<Isa, OwnKernels>("avxvnni");

}  // namespace lprnet::kernels
