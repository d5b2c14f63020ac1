"""Eight float32 or four float64 numbers that compiled kernels keep in one vector register.

The compiler unrolls a short inner loop into scalar steps before it looks for vectors; with a type of their own the
columns of a row stay together, which halves the time of a sweep over a sparse factor. `place` counts in lanes: the
columns of row i of an array [N, C * lanes] start at place i * C.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.core.datamodel import PrimitiveModel, register_default
from numba.extending import intrinsic

SINGLE = 8  # float32 numbers in 32 bytes
DOUBLE = 4


class _Lanes(types.Type):
    def __init__(self, number: Any, count: int) -> None:
        self.number, self.count = number, count
        super().__init__(name=f"Lanes({number}, {count})")


@register_default(_Lanes)
class _LanesModel(PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        number = ir.FloatType() if kind.number is types.float32 else ir.DoubleType()
        super().__init__(manager, kind, ir.VectorType(number, kind.count))


def _kind(array: Any) -> _Lanes:
    return _Lanes(array.dtype, SINGLE if array.dtype is types.float32 else DOUBLE)


def _pointer(context: Any, builder: Any, array_kind: Any, array: Any, place: Any) -> Any:
    kind = _kind(array_kind)
    data = context.make_array(array_kind)(context, builder, array).data
    offset = builder.mul(place, ir.Constant(place.type, kind.count))
    return builder.bitcast(builder.gep(data, [offset]), context.get_value_type(kind).as_pointer())


def _spread(context: Any, builder: Any, kind: _Lanes, given_kind: Any, number: Any) -> Any:
    vector = context.get_value_type(kind)
    number = context.cast(builder, number, given_kind, kind.number)
    single = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), [0] * kind.count)
    return builder.shuffle_vector(single, ir.Constant(vector, ir.Undefined), mask)


@intrinsic
def load(typingctx: Any, array: Any, place: Any) -> Any:
    """Return the numbers of `array` at `place`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        where = context.cast(builder, args[1], signature.args[1], types.intp)
        return builder.load(_pointer(context, builder, signature.args[0], args[0], where), align=4)

    return _kind(array)(array, place), generate


@intrinsic
def store(typingctx: Any, array: Any, place: Any, lanes: Any) -> Any:
    """Write `lanes` to `array` at `place`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        where = context.cast(builder, args[1], signature.args[1], types.intp)
        builder.store(args[2], _pointer(context, builder, signature.args[0], args[0], where), align=4)
        return context.get_dummy_value()

    return types.void(array, place, lanes), generate


@intrinsic
def add_scaled(typingctx: Any, lanes: Any, number: Any, other: Any) -> Any:
    """Return lanes + number * other."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = context.get_value_type(lanes)
        width = 32 if lanes.number is types.float32 else 64
        fused = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{lanes.count}f{width}"
        )
        factor = _spread(context, builder, lanes, signature.args[1], args[1])
        return builder.call(fused, [factor, args[2], args[0]])

    return lanes(lanes, number, other), generate


@intrinsic
def scale(typingctx: Any, lanes: Any, number: Any) -> Any:
    """Return number * lanes."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fmul(_spread(context, builder, lanes, signature.args[1], args[1]), args[0])

    return lanes(lanes, number), generate
