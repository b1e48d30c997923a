#include "kernels/affine_sample_f32/affine_sample_f32.h"

#include "kernels/narrow.h"

namespace lprnet::kernels {

bool narrow(AffineSampleF32& a, const Part& part, const KernelTable&) noexcept {
    const Range rows = range_of(part, a.rows);
    a.first_row += rows.begin;
    a.output += rows.begin * a.output_row;
    a.rows = rows.size();
    return a.rows > 0;
}

}  // namespace lprnet::kernels
