#include "engine/compress/moments.h"

#include <utility>

#include "kernels/aligned_buffer.h"
#include "kernels/conv2d_f32/conv2d_f32.h"

namespace lprnet {
namespace {

// Means of the rows of [rows][count].
std::vector<double> row_means(const std::vector<float>& values, std::size_t rows,
                              std::size_t count) {
    std::vector<double> means(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        double sum = 0.0;
        for (std::size_t k = 0; k < count; ++k) sum += static_cast<double>(values[i * count + k]);
        means[i] = sum / static_cast<double>(count);
    }
    return means;
}

void subtract(const std::vector<float>& shift, std::vector<float>& values, std::size_t count) {
    for (std::size_t i = 0; i < shift.size(); ++i) {
        for (std::size_t k = 0; k < count; ++k) values[i * count + k] -= shift[i];
    }
}

void add_to(std::vector<float>& sums, const std::vector<float>& values) {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += values[i];
}

// From sums of products of differences from a shift to those from the mean.
void center(std::vector<float>& sums, const std::vector<double>& rows,
            const std::vector<double>& columns, double samples) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (std::size_t j = 0; j < columns.size(); ++j) {
            float& sum = sums[i * columns.size() + j];
            sum = static_cast<float>(static_cast<double>(sum) - samples * rows[i] * columns[j]);
        }
    }
}

}  // namespace

void multiply_transposed(const kernels::KernelTable& table, const std::vector<float>& a,
                         std::size_t rows_a, const std::vector<float>& b, std::size_t rows_b,
                         std::size_t columns, std::vector<float>& product) {
    const int pixels = static_cast<int>(rows_a);
    const int ic = static_cast<int>(columns), oc = static_cast<int>(rows_b);
    kernels::AlignedBuffer weights(kernels::packed_conv2d_f32_weights(table, oc, ic, 1, 1));
    kernels::AlignedBuffer bias(kernels::packed_conv2d_f32_bias(table, oc));
    const std::vector<float> zeros(rows_b);
    kernels::pack_conv2d_f32(table, {.oihw = b.data()}, zeros.data(), oc, ic, 1, 1, weights.data(),
                             bias.data());
    product.resize(rows_a * rows_b);
    table.conv2d_f32({.input = a.data(),
                      .input_row = std::ptrdiff_t{pixels} * ic,
                      .weights = weights.data(),
                      .bias = bias.data(),
                      .output = product.data(),
                      .output_row = std::ptrdiff_t{pixels} * oc,
                      .oh = 1,
                      .ow = pixels,
                      .ic = ic,
                      .oc = oc,
                      .kh = 1,
                      .kw = 1,
                      .relu = false});
}

MomentSums::MomentSums(const kernels::KernelTable& table, std::size_t inputs, std::size_t targets)
    : table_(table) {
    sums_.inputs = inputs;
    sums_.targets = targets;
    sums_.input_mean.resize(inputs);
    sums_.target_mean.resize(targets);
    sums_.inputs_inputs.resize(inputs * inputs);
    sums_.targets_inputs.resize(targets * inputs);
}

void MomentSums::add(std::vector<float>& inputs, std::vector<float>& targets, std::size_t count) {
    if (sums_.samples == 0) {
        for (const double mean : row_means(inputs, sums_.inputs, count)) {
            input_shift_.push_back(static_cast<float>(mean));
        }
        for (const double mean : row_means(targets, sums_.targets, count)) {
            target_shift_.push_back(static_cast<float>(mean));
        }
    }
    subtract(input_shift_, inputs, count);
    subtract(target_shift_, targets, count);
    const auto add_means = [&](std::vector<double>& sums, const std::vector<float>& values) {
        const std::vector<double> means = row_means(values, sums.size(), count);
        for (std::size_t i = 0; i < sums.size(); ++i) {
            sums[i] += means[i] * static_cast<double>(count);
        }
    };
    add_means(sums_.input_mean, inputs);
    add_means(sums_.target_mean, targets);
    std::vector<float> products;
    multiply_transposed(table_, inputs, sums_.inputs, inputs, sums_.inputs, count, products);
    add_to(sums_.inputs_inputs, products);
    multiply_transposed(table_, targets, sums_.targets, inputs, sums_.inputs, count, products);
    add_to(sums_.targets_inputs, products);
    sums_.samples += count;
}

Moments MomentSums::take() {
    const auto samples = static_cast<double>(sums_.samples);
    for (double& mean : sums_.input_mean) mean /= samples;
    for (double& mean : sums_.target_mean) mean /= samples;
    center(sums_.inputs_inputs, sums_.input_mean, sums_.input_mean, samples);
    center(sums_.targets_inputs, sums_.target_mean, sums_.input_mean, samples);
    for (std::size_t i = 0; i < sums_.inputs; ++i) {
        sums_.input_mean[i] += static_cast<double>(input_shift_[i]);
    }
    for (std::size_t i = 0; i < sums_.targets; ++i) {
        sums_.target_mean[i] += static_cast<double>(target_shift_[i]);
    }
    return std::move(sums_);
}

}  // namespace lprnet
