// Mutators for picture files that keep what a decoder looks at first: a JPEG stays a row of
// segments, a PNG a row of chunks with their checksums, and its rows stay a stream that can be
// inflated. Bytes alone would mostly be refused by the first check.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lprnet::fuzz {

// As LLVMFuzzerCustomMutator: edits `data` in place, returns the new size. Bytes that are no such
// file are edited as bytes, and so is every eighth file.
std::size_t mutate_jpeg(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed);
std::size_t mutate_png(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed);
std::size_t mutate_bmp(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed);
// The one that the first bytes ask for.
std::size_t mutate_picture(std::uint8_t* data, std::size_t size, std::size_t max_size,
                           unsigned seed);

}  // namespace lprnet::fuzz
