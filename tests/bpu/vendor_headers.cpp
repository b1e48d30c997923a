// Our declarations of libdnn's structures against the vendor's headers. Compiles where both agree;
// built only with -DLPRNET_BPU_VENDOR_HEADERS=/usr/include on a board, or wherever its headers are.
#include <dnn/hb_dnn.h>
#include <dnn/hb_sys.h>

#include <cstddef>

#include "engine/bpu/dnn_abi.h"

namespace abi = lprnet::bpu::abi;

#define SAME_SIZE(ours, theirs) static_assert(sizeof(abi::ours) == sizeof(::theirs))
#define SAME_PLACE(ours, our_member, theirs, their_member)                              \
    static_assert(offsetof(abi::ours, our_member) == offsetof(::theirs, their_member)); \
    static_assert(sizeof(abi::ours::our_member) == sizeof(::theirs::their_member))

SAME_SIZE(SysMem, hbSysMem);
SAME_PLACE(SysMem, physical_address, hbSysMem, phyAddr);
SAME_PLACE(SysMem, virtual_address, hbSysMem, virAddr);
SAME_PLACE(SysMem, bytes, hbSysMem, memSize);

SAME_SIZE(TensorShape, hbDNNTensorShape);
SAME_PLACE(TensorShape, extents, hbDNNTensorShape, dimensionSize);
SAME_PLACE(TensorShape, count, hbDNNTensorShape, numDimensions);

SAME_SIZE(QuantShift, hbDNNQuantiShift);
SAME_PLACE(QuantShift, count, hbDNNQuantiShift, shiftLen);
SAME_PLACE(QuantShift, shifts, hbDNNQuantiShift, shiftData);

SAME_SIZE(QuantScale, hbDNNQuantiScale);
SAME_PLACE(QuantScale, count, hbDNNQuantiScale, scaleLen);
SAME_PLACE(QuantScale, scales, hbDNNQuantiScale, scaleData);
SAME_PLACE(QuantScale, zero_point_count, hbDNNQuantiScale, zeroPointLen);
SAME_PLACE(QuantScale, zero_points, hbDNNQuantiScale, zeroPointData);

SAME_SIZE(TensorProperties, hbDNNTensorProperties);
SAME_PLACE(TensorProperties, valid_shape, hbDNNTensorProperties, validShape);
SAME_PLACE(TensorProperties, aligned_shape, hbDNNTensorProperties, alignedShape);
SAME_PLACE(TensorProperties, layout, hbDNNTensorProperties, tensorLayout);
SAME_PLACE(TensorProperties, type, hbDNNTensorProperties, tensorType);
SAME_PLACE(TensorProperties, shift, hbDNNTensorProperties, shift);
SAME_PLACE(TensorProperties, scale, hbDNNTensorProperties, scale);
SAME_PLACE(TensorProperties, quant_type, hbDNNTensorProperties, quantiType);
SAME_PLACE(TensorProperties, quant_axis, hbDNNTensorProperties, quantizeAxis);
SAME_PLACE(TensorProperties, aligned_bytes, hbDNNTensorProperties, alignedByteSize);
SAME_PLACE(TensorProperties, strides, hbDNNTensorProperties, stride);

SAME_SIZE(Tensor, hbDNNTensor);
SAME_PLACE(Tensor, memory, hbDNNTensor, sysMem);
SAME_PLACE(Tensor, properties, hbDNNTensor, properties);

// All of it is zeros; its size is what counts.
SAME_SIZE(InferControl, hbDNNInferCtrlParam);
