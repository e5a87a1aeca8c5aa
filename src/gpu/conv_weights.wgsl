// The gradient of the weights over one piece of the batch's pixels: as (taps, c) x o of each group, the bias behind.
// ---
// One thread for each number: for grouped and depthwise filters.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let block = wg.y * groups.x + wg.x;
    let piece = block / ACROSS;
    let e = block % ACROSS * 64u + local;
    if (e >= NUMBERS) { return; }
    let weight = e < G * T * C * O;
    let o = e % O;
    let c = e / O % C;
    let t = e / (O * C) % T;
    let g = select((e - G * T * C * O) / O, e / (O * C * T), weight);
    let end = min((piece + 1u) * EACH, step.n * DY_H * DY_W);
    var sum = 0.0;
    for (var p = piece * EACH; p < end; p++) {
        let n = p / (DY_H * DY_W);
        let y = p / DY_W % DY_H;
        let x = p % DY_W;
        let iy = i32(y * SY + t / KW * EY) - i32(PY);
        let ix = i32(x * SX + t % KW * EX) - i32(PX);
        let inside = iy >= 0 && ix >= 0 && iy < i32(X_H) && ix < i32(X_W);
        var v = 1.0;
        if (weight) { v = select(0.0, given[X_at(n, u32(max(iy, 0)), u32(max(ix, 0)), g * C + c)], inside); }
        sum += v * dy[DY_at(n, y, x, g * O + o)];
    }
    let at = AT + piece * NUMBERS + e;
    if (ADD) { sum += sums[at]; }
    sums[at] = sum;
}
// ---
// In tiles (conv_tile.wgsl): a row for each tap and channel of the input and one for the bias, a column for each filter.
fn seen(row: u32, p: u32) -> f32 {
    if (row >= ROWS || p >= step.n * DY_H * DY_W) { return 0.0; }
    if (row == T * C) { return 1.0; }
    let t = row / C;
    let iy = i32(p / DY_W % DY_H * SY + t / KW * EY) - i32(PY);
    let ix = i32(p % DY_W * SX + t % KW * EX) - i32(PX);
    if (iy < 0 || ix < 0 || iy >= i32(X_H) || ix >= i32(X_W)) { return 0.0; }
    return given[X_at(p / (DY_H * DY_W), u32(iy), u32(ix), row % C)];
}

fn slope(p: u32, o: u32) -> f32 {
    if (o >= O || p >= step.n * DY_H * DY_W) { return 0.0; }
    return dy[DY_at(p / (DY_H * DY_W), p / DY_W % DY_H, p % DY_W, o)];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let block = wg.y * groups.x + wg.x;
    let piece = block / (DOWN * ACROSS);
    let row = block / ACROSS % DOWN * 64u;
    let column = block % ACROSS * BN;
    let down = 4u * (local / (BN / 4u));
    let along = 4u * (local % (BN / 4u));
    var s = mat4x4<f32>();
    // EACH is a multiple of 16, so that pieces never overlap.
    for (var p = piece * EACH; p < (piece + 1u) * EACH; p += 16u) {
        for (var e = local; e < 1024u; e += THREADS) {
            left[e % 64u * 17u + e / 64u] = seen(row + e % 64u, p + e / 64u);
        }
        for (var e = local; e < 16u * BN; e += THREADS) {
            right[e] = slope(p + e / BN, column + e % BN);
        }
        workgroupBarrier();
        s = added(down, along, s);
        workgroupBarrier();
    }
    keep4(piece, row + down, column + along, s[0]);
    keep4(piece, row + down + 1u, column + along, s[1]);
    keep4(piece, row + down + 2u, column + along, s[2]);
    keep4(piece, row + down + 3u, column + along, s[3]);
}

fn keep4(piece: u32, row: u32, o: u32, s: vec4<f32>) {
    keep(piece, row, o, s.x);
    keep(piece, row, o + 1u, s.y);
    keep(piece, row, o + 2u, s.z);
    keep(piece, row, o + 3u, s.w);
}

fn keep(piece: u32, row: u32, o: u32, s: f32) {
    if (row >= ROWS || o >= O) { return; }
    let at = AT + piece * NUMBERS + row * O + o;
    var v = s;
    if (ADD) { v += sums[at]; }
    sums[at] = v;
}
