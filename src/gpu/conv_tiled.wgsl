// A product in tiles of 64 rows and BN columns through shared memory, 16 of its depth at a time; each thread 4 x 4 of it.
var<workgroup> left: array<f32, 1088>;
var<workgroup> right: array<f32, 16u * BN>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let across = (WIDE + BN - 1u) / BN;
    let tile = wg.y * groups.x + wg.x;
    let row = tile / across * 64u;
    let column = tile % across * BN;
    let down = 4u * (local / (BN / 4u));
    let along = 4u * (local % (BN / 4u));
    var s0 = vec4<f32>(0.0);
    var s1 = vec4<f32>(0.0);
    var s2 = vec4<f32>(0.0);
    var s3 = vec4<f32>(0.0);
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
        for (var k = 0u; k < 16u; k++) {
            let at = k * BN + along;
            let w = vec4<f32>(right[at], right[at + 1u], right[at + 2u], right[at + 3u]);
            s0 += left[down * 17u + k] * w;
            s1 += left[(down + 1u) * 17u + k] * w;
            s2 += left[(down + 2u) * 17u + k] * w;
            s3 += left[(down + 3u) * 17u + k] * w;
        }
        workgroupBarrier();
    }
    put4(row + down, column + along, s0);
    put4(row + down + 1u, column + along, s1);
    put4(row + down + 2u, column + along, s2);
    put4(row + down + 3u, column + along, s3);
}

fn put4(m: u32, o: u32, s: vec4<f32>) {
    put(m, 0u, o, s.x);
    put(m, 0u, o + 1u, s.y);
    put(m, 0u, o + 2u, s.z);
    put(m, 0u, o + 3u, s.w);
}
