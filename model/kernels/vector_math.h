// Functions of vectors, over any of the vector types. Pure.
#pragma once

#include "model/kernels/vector_portable.h"

namespace weft::model {

// 2^x, to about 2 units in the last place; 0 from -127 down, -infinity included. Not for x above 127.
template <class V>
inline __attribute__((always_inline)) typename V::Float exp2(typename V::Float x) {
  x = V::max(V::set(-127.0F), x);                                        // in this order NaN stays
  const typename V::Float whole = V::round(x), rest = V::sub(x, whole);  // rest in [-1/2, 1/2]
  // (ln 2)^n / n!, the Taylor series: the first term left out is below 2e-8 of the sum
  typename V::Float sum = V::set(1.5252734e-5F);
  sum = V::fma(sum, rest, V::set(1.5403530e-4F));
  sum = V::fma(sum, rest, V::set(1.3333558e-3F));
  sum = V::fma(sum, rest, V::set(9.6181291e-3F));
  sum = V::fma(sum, rest, V::set(5.5504109e-2F));
  sum = V::fma(sum, rest, V::set(2.4022651e-1F));
  sum = V::fma(sum, rest, V::set(6.9314718e-1F));
  sum = V::fma(sum, rest, V::set(1.0F));
  return V::mul(sum, V::power_of_two(whole));
}

// 1 / (1 + e^-x)
template <class V>
inline __attribute__((always_inline)) typename V::Float sigmoid(typename V::Float x) {
  constexpr float kMinusLog2E = -1.44269504F;
  const typename V::Float power = V::min(V::mul(x, V::set(kMinusLog2E)), V::set(126.0F));
  return V::div(V::set(1.0F), V::add(V::set(1.0F), exp2<V>(power)));
}

}  // namespace weft::model
