/** y += x, for sums of several kernels. Memory is padded to whole vectors. */
export function addTo(x: usize, y: usize, size: usize): void {
  for (let at: usize = 0; at < size << 2; at += 16) {
    v128.store(y + at, f32x4.add(v128.load(y + at), v128.load(x + at)));
  }
}
