"""Exponential and logarithm by basic operations alone, so that every machine gives the same bits.

A C library picks its own way by the processor. Both functions here are within two units in the last place of float64, which is then
rounded to float32.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numba.extending import intrinsic

from curation.text.kernels.compiling import inlined, kernel

LOG2_E, LN_2_HIGH, LN_2_LOW = 1.4426950408889634, 6.93147180369123816490e-01, 1.90821492927058770002e-10
LARGEST = 700.0  # exponents beyond it are cut; exp(700) is still a float64
# 1/k!, for k from 13 down to 0: the remainder is at most half of ln 2, where the next term is below 2^-60
_FACTORIALS = np.array([1.0 / float(np.prod(np.arange(1, k + 1, dtype=np.float64))) for k in range(13, -1, -1)])
# 2 / (ln 2 * (2 k + 1)), for k from 14 down to 0
_ODD = np.array([2.0 * LOG2_E / (2 * k + 1) for k in range(14, -1, -1)])
_MANTISSA, _ONE = np.int64((1 << 52) - 1), np.int64(1023 << 52)
ROOT_2 = 1.4142135623730951


@intrinsic
def _bits(_context, _value):  # type: ignore[no-untyped-def]
    def generate(context, builder, _signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], context.get_value_type(types.int64))

    return types.int64(types.float64), generate


@intrinsic
def _from_bits(_context, _value):  # type: ignore[no-untyped-def]
    def generate(context, builder, _signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


@kernel
def exponential(value: float) -> float:
    """e to the power of a value."""
    value = min(max(np.float64(value), -LARGEST), LARGEST)
    whole = np.floor(value * LOG2_E + 0.5)
    rest = (value - whole * LN_2_HIGH) - whole * LN_2_LOW
    total = 0.0
    for factor in _FACTORIALS:
        total = total * rest + factor
    return total * _from_bits((np.int64(whole) + 1023) << 52)


@kernel
def binary_logarithm(value: float) -> np.float32:
    """The logarithm to base 2 of a positive value, as float32."""
    bits = _bits(np.float64(value))
    exponent = (bits >> 52) - 1023
    mantissa = _from_bits((bits & _MANTISSA) | _ONE)
    if mantissa > ROOT_2:
        mantissa *= 0.5
        exponent += 1
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    square, total = ratio * ratio, 0.0
    for factor in _ODD:
        total = total * square + factor
    return np.float32(exponent + total * ratio)


@inlined
def logistic(value):  # type: ignore[no-untyped-def]
    """The probability of which a value is the logit."""
    return 1.0 / (1.0 + np.float64(np.float32(exponential(-value))))
