// Weights as PyTorch stores them and as kernels read them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lprnet::kernels {

// Alignment that packed weights need, in bytes: one AVX-512 vector, one cache line.
inline constexpr std::size_t kWeightAlignment = 64;

// Where output channel `o` of packed weights lies: its k-th weight, in the order [kh][kw][ic],
// at begin + k * stride. `o` may also be one of the channels that fill up the last vector.
struct PackedChannel {
    std::ptrdiff_t begin;
    std::ptrdiff_t stride;
};
// Weights in PyTorch's order, OIHW, and what becomes of them on the way. Null orders and a
// null scale leave things as they are.
template <class T>
struct Stored {
    const T* oihw;
    const double* scale = nullptr;      // of each stored output channel
    const int* output_order = nullptr;  // packed channel o is stored channel output_order[o]
    const int* input_order = nullptr;   // the same for input channels

    int output(int o) const noexcept { return output_order ? output_order[o] : o; }
    int input(int i) const noexcept { return input_order ? input_order[i] : i; }
    double scale_of(int o) const noexcept { return scale ? scale[output(o)] : 1.0; }
};
using StoredWeights = Stored<float>;
using StoredWeightsS8 = Stored<std::int8_t>;

// The packed weights of a dense convolution: [block][kh][group][channels of the block, in whole
// vectors] words, then [last oc][kh][group] ones. A block is `block_vectors` vectors of `lanes`
// channels.
struct DenseLayout {
    int lanes;
    int block_vectors;
    int oc, kh, groups;  // of inputs in a kernel row
    int row_channels;

    int blocked() const noexcept { return oc - row_channels; }
    // Whole vectors.
    int padded() const noexcept { return (blocked() + lanes - 1) / lanes * lanes; }
    std::ptrdiff_t words_per_channel() const noexcept { return std::ptrdiff_t{kh} * groups; }
    std::size_t words() const noexcept {
        return static_cast<std::size_t>((padded() + row_channels) * words_per_channel());
    }
    // Channels that have a place, with those that fill up the last vector.
    int channels() const noexcept { return row_channels > 0 ? oc : padded(); }

    // Where channel `o` lies if it is number `position` of its block.
    PackedChannel channel(int o, int position) const noexcept {
        if (o >= blocked() && blocked() < oc) {
            return {(padded() + (o - blocked())) * words_per_channel(), 1};
        }
        const int first = first_of_block(o);
        return {first * words_per_channel() + position, width_of_block(o)};
    }
    int first_of_block(int o) const noexcept {
        const int block = block_vectors * lanes;
        return o / block * block;
    }
    int width_of_block(int o) const noexcept {
        return block_vectors * lanes < padded() - first_of_block(o) ? block_vectors * lanes
                                                                    : padded() - first_of_block(o);
    }
};

}  // namespace lprnet::kernels
