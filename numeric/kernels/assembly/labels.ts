/** Sixteen labels, four to a vector of 32-bit lanes -> sixteen bytes. */
export function packLabels(first: v128, second: v128, third: v128, fourth: v128): v128 {
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_u(first, second), i16x8.narrow_i32x4_u(third, fourth));
}
