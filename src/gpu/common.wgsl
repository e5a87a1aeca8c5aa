// The settings of a step: what changes from one to the next. src/gpu/step.rs writes them.
struct Step {
    // Images, and the place of what the step comes to.
    n: u32,
    row: u32,
    // What the losses are scaled by.
    scale: f32,
    // The update: see src/gpu/descent.rs.
    rate: f32,
    root: f32,
    keep: f32,
    average: f32,
    spare: f32,
}

// The number of a thread in a grid of workgroups of 64, which may be folded into rows.
fn thread(wg: vec3<u32>, groups: vec3<u32>, local: u32) -> u32 {
    return (wg.y * groups.x + wg.x) * 64u + local;
}

// No comparison with NaN can be relied on here; bits can.
fn finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

fn power_of_two(n: i32) -> f32 {
    return bitcast<f32>(u32(n + 127) << 23u);
}

// e to the x as src/kernel/act.rs has it: the built-in one is up to 29 units off, and other adapters differ.
fn exp_of(given: f32) -> f32 {
    let x = clamp(given, -104.0, 89.0);
    let n = round(x * 1.4426950408889634);
    let r = (x - n * 0.693359375) - n * -2.1219444e-4;
    var p = 1.9875691e-4;
    p = p * r + 1.3982e-3;
    p = p * r + 8.333452e-3;
    p = p * r + 4.1665796e-2;
    p = p * r + 1.6666665e-1;
    p = p * r + 0.5;
    p = p * (r * r) + r + 1.0;
    let whole = i32(n);
    let half = whole >> 1u;
    return p * power_of_two(half) * power_of_two(whole - half);
}

// The natural logarithm of a normal number above 0, after Cephes's `logf` (Moshier 1989): the built-in one is up to 202 units off.
fn log_of(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    var e = f32(i32(bits >> 23u) - 126);
    var m = bitcast<f32>((bits & 0x007fffffu) | 0x3f000000u);
    if (m < 0.70710678) {
        e = e - 1.0;
        m = m + m - 1.0;
    } else {
        m = m - 1.0;
    }
    let z = m * m;
    var p = 7.0376836e-2;
    p = p * m - 1.1514610e-1;
    p = p * m + 1.1676998e-1;
    p = p * m - 1.2420141e-1;
    p = p * m + 1.4249323e-1;
    p = p * m - 1.6668057e-1;
    p = p * m + 2.0000714e-1;
    p = p * m - 2.4999994e-1;
    p = p * m + 3.3333331e-1;
    p = p * m * z + e * -2.12194440e-4 - 0.5 * z;
    return m + p + e * 0.693359375;
}

// ln(1 + u) for u from 0 to 1.
fn ln_1p_of(u: f32) -> f32 {
    let z = u / (2.0 + u);
    let s = z * z;
    var p = 1.0 / 13.0;
    p = p * s + 1.0 / 11.0;
    p = p * s + 1.0 / 9.0;
    p = p * s + 1.0 / 7.0;
    p = p * s + 1.0 / 5.0;
    p = p * s + 1.0 / 3.0;
    return 2.0 * (p * s * z + z);
}

fn sigmoid_of(x: f32) -> f32 {
    let e = exp_of(-abs(x));
    return select(1.0, e, x < 0.0) / (1.0 + e);
}

fn tanh_of(x: f32) -> f32 {
    let z = x * x;
    var p = -5.7049887e-3;
    p = p * z + 2.063909e-2;
    p = p * z - 5.3739716e-2;
    p = p * z + 1.3331442e-1;
    p = p * z - 3.333328e-1;
    let near = p * z * x + x;
    let far = 1.0 - 2.0 / (exp_of(2.0 * abs(x)) + 1.0);
    return select(select(far, -far, x < 0.0), near, abs(x) < 0.625);
}

// The distribution function of the normal distribution.
fn phi_of(x: f32) -> f32 {
    let t = abs(x) * 0.70710678;
    let u = 1.0 / (1.0 + 0.5 * t);
    var p = 0.17087277;
    p = p * u - 0.82215223;
    p = p * u + 1.4885159;
    p = p * u - 1.135204;
    p = p * u + 0.27886807;
    p = p * u - 0.18628806;
    p = p * u + 0.09678418;
    p = p * u + 0.37409196;
    p = p * u + 1.0000237;
    p = p * u - 1.2655122;
    let tail = 0.5 * u * exp_of(p - t * t);
    return select(1.0 - tail, tail, x < 0.0);
}
