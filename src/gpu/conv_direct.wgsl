// A product straight from memory: each thread 4 pixels and up to 8 columns. conv.rs unrolls the lines in capitals.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let i = thread(wg, groups, local);
    let first = i % BLOCKS * COLUMNS;
    let g = i / BLOCKS % G;
    let row = 4u * (i / (BLOCKS * G));
    if (row >= rows()) { return; }
    BEGIN
    for (var t = 0u; t < T; t++) {
        BASES
        for (var k = 0u; k < DEEP; k++) {
            PRODUCTS
        }
    }
    STORE
}
