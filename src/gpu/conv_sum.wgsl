// The pieces of a gradient, added in their order.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let i = thread(wg, groups, local);
    if (i >= NUMBERS) { return; }
    var sum = 0.0;
    for (var piece = 0u; piece < PIECES; piece++) { sum += parts[piece * NUMBERS + i]; }
    if (ADD) { sum += gradient[AT + i]; }
    gradient[AT + i] = sum;
}
