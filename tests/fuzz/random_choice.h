// Choices that follow from a seed, for tests that change or make up inputs. The sequence of the
// generators is fixed by the standard; that of the standard's distributions is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace lprnet::test {

template <class Generator>
class RandomChoice {
public:
    explicit RandomChoice(typename Generator::result_type seed) : generator_(seed) {}

    typename Generator::result_type operator()() { return generator_(); }
    // 0 if there is nothing to choose from.
    std::size_t below(std::size_t end) {
        return end == 0 ? 0 : static_cast<std::size_t>(generator_() % end);
    }
    bool one_in(std::size_t n) { return below(n) == 0; }
    template <class T, std::size_t N>
    const T& one_of(const T (&values)[N]) {
        return values[below(N)];
    }
    template <class T>
    T& one_of(std::vector<T>& values) {
        return values[below(values.size())];
    }

private:
    Generator generator_;
};

using Random = RandomChoice<std::mt19937_64>;

}  // namespace lprnet::test
