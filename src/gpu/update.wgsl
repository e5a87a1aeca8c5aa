// The gradient's squares, before and behind a bound on each number, and the penalties on weights: a workgroup's share of each.
var<workgroup> squares: array<f32, 64>;
var<workgroup> bounded: array<f32, 64>;
var<workgroup> penalties: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    var square = 0.0;
    var small = 0.0;
    var penalty = 0.0;
    for (var i = wg.x * 64u + local; i < NUMBERS; i += 64u * NORMS) {
        var g = gradient[i];
        let tag = tags[i];
        if (tag >= 0.0) { continue; }
        if (tag == -2.0) {
            let p = params[i];
            g += L1 * sign(p) + L2 * p;
            penalty += L1 * abs(p) + 0.5 * L2 * p * p;
        }
        square += g * g;
        let bound = select(g, clamp(g, -MOST, MOST), MOST > 0.0);
        small += bound * bound;
    }
    squares[local] = square;
    bounded[local] = small;
    penalties[local] = penalty;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half = half / 2u) {
        if (local < half) {
            squares[local] += squares[local + half];
            bounded[local] += bounded[local + half];
            penalties[local] += penalties[local + half];
        }
        workgroupBarrier();
    }
    if (local == 0u) {
        norms[4u * wg.x] = squares[0];
        norms[4u * wg.x + 1u] = bounded[0];
        norms[4u * wg.x + 2u] = penalties[0];
    }
}
// ---
// The update of every number of the arena. Each workgroup adds the shares up for itself, in their order.
var<workgroup> scale: f32;
var<workgroup> goes: u32;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    if (local == 0u) {
        var square = 0.0;
        var small = 0.0;
        var penalty = 0.0;
        for (var k = 0u; k < NORMS; k++) {
            square += norms[4u * k];
            small += norms[4u * k + 1u];
            penalty += norms[4u * k + 2u];
        }
        let by = LONGEST / (sqrt(small) + 1e-6);
        scale = select(1.0, by, LONGEST > 0.0 && by < 1.0);
        goes = select(0u, 1u, status[0] == 1.0 && finite(square) && finite(penalty));
        if (wg.x == 0u && wg.y == 0u) {
            let at = 4u + 4u * step.row;
            status[at + 2u] = sqrt(square);
            status[at + 3u] = penalty;
            status[1] = f32(goes);
            status[2] = status[2] + f32(goes);
        }
    }
    let go = workgroupUniformLoad(&goes);
    let i = thread(wg, groups, local);
    if (i >= NUMBERS || go == 0u) { return; }
    let tag = tags[i];
    var p = params[i];
    if (tag > 0.0) {
        p = p + tag * (gradient[i] / f32(step.n) - p);
    } else if (tag < 0.0) {
        var g = gradient[i];
        if (tag == -2.0) { g += L1 * sign(p) + L2 * p; }
        if (MOST > 0.0) { g = clamp(g, -MOST, MOST); }
        g = g * scale;
        RULE
    }
    params[i] = p;
    AFTER
}
