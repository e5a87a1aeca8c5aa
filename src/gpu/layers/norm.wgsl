// Batch normalisation, the passes over parts. norm.rs takes the section it needs.

// moments
// One thread for each shard, part and channel: mean and squared distance of its pixels, in two passes over them.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let i = thread(wg, groups, local);
    let c = i % X_C;
    let part = i / X_C % PARTS;
    let shard = i / (X_C * PARTS);
    let begin = shard * SHARD;
    if (begin >= step.n) { return; }
    let pixels = min(SHARD, step.n - begin) * X_H * X_W;
    var sum = 0.0;
    var count = 0.0;
    for (var p = part; p < pixels; p += PARTS) {
        sum += given[X_at(begin + p / (X_H * X_W), p / X_W % X_H, p % X_W, c)];
        count += 1.0;
    }
    let mean = sum / max(count, 1.0);
    var square = 0.0;
    for (var p = part; p < pixels; p += PARTS) {
        let d = given[X_at(begin + p / (X_H * X_W), p / X_W % X_H, p % X_W, c)] - mean;
        square += d * d;
    }
    parts[2u * i] = mean;
    parts[2u * i + 1u] = square;
}
// end

// statistics
// One thread for each channel: the parts combined (Chan et al. 1983), and what the running statistics follow.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let c = thread(wg, groups, local);
    if (c >= X_C) { return; }
    var means = 0.0;
    var variances = 0.0;
    for (var shard = 0u; shard < SHARDS && shard * SHARD < step.n; shard++) {
        let images = min(SHARD, step.n - shard * SHARD);
        let pixels = images * X_H * X_W;
        var mean = 0.0;
        for (var part = 0u; part < PARTS; part++) {
            let own = f32((pixels + PARTS - 1u - part) / PARTS);
            mean += own * parts[2u * ((shard * PARTS + part) * X_C + c)];
        }
        mean = mean / f32(pixels);
        var square = 0.0;
        for (var part = 0u; part < PARTS; part++) {
            let at = 2u * ((shard * PARTS + part) * X_C + c);
            let d = parts[at] - mean;
            square += parts[at + 1u] + f32((pixels + PARTS - 1u - part) / PARTS) * d * d;
        }
        let at = 4u * (shard * X_C + c);
        stats[at] = mean;
        stats[at + 1u] = 1.0 / sqrt(square / f32(pixels) + EPS);
        means += f32(images) * mean;
        variances += f32(images) * (square / max(f32(pixels) - 1.0, 1.0));
    }
    if (LEARNS) {
        gradient[MEAN + c] = means;
        gradient[VARIANCE + c] = variances;
    }
}
// end

// sums
// One thread for each shard, part and channel: of the gradient, and of its products with the distance from the mean.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let i = thread(wg, groups, local);
    let c = i % X_C;
    let part = i / X_C % PARTS;
    let shard = i / (X_C * PARTS);
    let begin = shard * SHARD;
    if (begin >= step.n) { return; }
    let pixels = min(SHARD, step.n - begin) * X_H * X_W;
    let mean = mean_of(begin, c);
    var sum = 0.0;
    var product = 0.0;
    for (var p = part; p < pixels; p += PARTS) {
        let n = begin + p / (X_H * X_W);
        let y = p / X_W % X_H;
        let x = p % X_W;
        let g = dy[DY_at(n, y, x, c)];
        sum += g;
        product += g * (given[X_at(n, y, x, c)] - mean);
    }
    parts[2u * i] = sum;
    parts[2u * i + 1u] = product;
}
// end

// slopes
// One thread for each channel: the gradients of its parameters, and how a shard's mean and variance take part in that of the input.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let c = thread(wg, groups, local);
    if (c >= X_C) { return; }
    var dgain = 0.0;
    var dbias = 0.0;
    for (var shard = 0u; shard < SHARDS && shard * SHARD < step.n; shard++) {
        var sum = 0.0;
        var product = 0.0;
        for (var part = 0u; part < PARTS; part++) {
            let at = 2u * ((shard * PARTS + part) * X_C + c);
            sum += parts[at];
            product += parts[at + 1u];
        }
        let at = 4u * (shard * X_C + c);
        var inverse = 1.0 / sqrt(params[VARIANCE + c] + EPS);
        if (TRAINS) {
            inverse = stats[at + 1u];
            let pixels = f32(min(SHARD, step.n - shard * SHARD) * X_H * X_W);
            let through = inverse * params[GAIN + c] / pixels;
            stats[at + 2u] = -through * inverse * inverse * product;
            stats[at + 3u] = -through * sum;
        }
        dgain += product * inverse;
        dbias += sum;
    }
    if (LEARNS) {
        if (FIRST) {
            gradient[GAIN + c] = dgain;
            gradient[BIAS + c] = dbias;
        } else {
            gradient[GAIN + c] += dgain;
            gradient[BIAS + c] += dbias;
        }
    }
}
// end
