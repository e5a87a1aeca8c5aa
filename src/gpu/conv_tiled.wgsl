// A product in tiles (conv_tile.wgsl).
@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let across = (WIDE + BN - 1u) / BN;
    let tile = wg.y * groups.x + wg.x;
    let row = tile / across * 64u;
    let column = tile % across * BN;
    let down = 4u * (local / (BN / 4u));
    let along = 4u * (local % (BN / 4u));
    var s = mat4x4<f32>();
    for (var from_depth = 0u; from_depth < T * DEEP; from_depth += 16u) {
        for (var e = local; e < 1024u; e += THREADS) {
            let k = from_depth + e % 16u;
            let b = select(-1, base(row + e / 16u, k / DEEP, 0u), k < T * DEEP);
            left[e / 16u * 17u + e % 16u] = select(0.0, from_[u32(max(b, 0)) + k % DEEP], b >= 0);
        }
        for (var e = local; e < 16u * BN; e += THREADS) {
            // Neighbouring threads read neighbouring weights: forward those of a filter row, backward those of a column.
            let d = select(e / BN, e % 16u, BACK);
            let o = select(e % BN, e / 16u, BACK);
            let k = min(from_depth + d, T * DEEP - 1u);
            right[d * BN + o] = filter1(0u, k / DEEP, k % DEEP, column + o);
        }
        workgroupBarrier();
        s = added(down, along, s);
        workgroupBarrier();
    }
    put4(row + down, column + along, s[0]);
    put4(row + down + 1u, column + along, s[1]);
    put4(row + down + 2u, column + along, s[2]);
    put4(row + down + 3u, column + along, s[3]);
}

fn put4(m: u32, o: u32, s: vec4<f32>) {
    put(m, 0u, o, s.x);
    put(m, 0u, o + 1u, s.y);
    put(m, 0u, o + 2u, s.z);
    put(m, 0u, o + 3u, s.w);
}
