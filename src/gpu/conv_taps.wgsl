// Which number of the source each tap of a window reads, and where a product goes. `BACK` is the way to the input's gradient, where
// the output's is gathered by the windows that saw a pixel.

fn rows() -> u32 { return step.n * TO_H * TO_W; }

// Where the channels of group g begin under tap t, for pixel m of the destination; -1 outside.
fn base(m: u32, t: u32, g: u32) -> i32 {
    let x = i32(m % TO_W);
    let y = i32(m / TO_W % TO_H);
    let n = m / (TO_W * TO_H);
    let ky = i32(t / KW * EY);
    let kx = i32(t % KW * EX);
    if (m >= rows()) { return -1; }
    if (BACK) {
        let ty = y + i32(PY) - ky;
        let tx = x + i32(PX) - kx;
        if (ty < 0 || tx < 0 || u32(ty) % SY != 0u || u32(tx) % SX != 0u) { return -1; }
        let oy = u32(ty) / SY;
        let ox = u32(tx) / SX;
        if (oy >= FROM_H || ox >= FROM_W) { return -1; }
        return i32(FROM_at(n, oy, ox, g * DEEP));
    }
    let iy = y * i32(SY) + ky - i32(PY);
    let ix = x * i32(SX) + kx - i32(PX);
    if (iy < 0 || ix < 0 || iy >= i32(FROM_H) || ix >= i32(FROM_W)) { return -1; }
    return i32(FROM_at(n, u32(iy), u32(ix), g * DEEP));
}

// The weight between channel k of the source and column o of the destination under tap t.
fn filter1(g: u32, t: u32, k: u32, o: u32) -> f32 {
    let column = min(o, WIDE - 1u);
    if (BACK) { return params[WEIGHT + ((g * T + t) * C + column) * O + k]; }
    return params[WEIGHT + ((g * T + t) * C + k) * O + column];
}

fn filter4(g: u32, t: u32, k: u32, o: u32) -> vec4<f32> {
    return vec4<f32>(filter1(g, t, k, o), filter1(g, t, k, o + 1u), filter1(g, t, k, o + 2u), filter1(g, t, k, o + 3u));
}

fn put(m: u32, g: u32, o: u32, sum: f32) {
    if (m >= rows() || o >= WIDE) { return; }
    let at = TO_at(m / (TO_W * TO_H), m / TO_W % TO_H, m % TO_W, g * WIDE + o);
    var v = sum;
    if (!BACK && BIASED) { v += params[BIASES + g * O + o]; }
    if (RELU) { v = max(v, 0.0); }
    if (ADD) { v += to_[at]; }
    to_[at] = v;
}
