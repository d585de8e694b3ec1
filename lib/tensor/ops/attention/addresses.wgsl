// Where a head of a row begins: rows are counted from the first that the binding shows. Queries, keys and values may be
// some of a tensor's columns.
fn q_at(row: u32, head: u32) -> u32 {
  return row * params.qWidth + params.qFirst + head * HEAD_DIM;
}

fn k_at(row: u32, kv_head: u32) -> u32 {
  return row * params.kWidth + params.kFirst + kv_head * HEAD_DIM;
}

fn v_at(row: u32, kv_head: u32) -> u32 {
  return row * params.vWidth + params.vFirst + kv_head * HEAD_DIM;
}

fn y_at(row: u32, head: u32) -> u32 {
  return (row * params.heads + head) * HEAD_DIM;
}

