// What a tile of 64 rows and BN columns shares, 16 of its depth at a time, and each thread's 4 x 4 of the product.
var<workgroup> left: array<f32, 1088>;
var<workgroup> right: array<f32, 16u * BN>;

// The 4 x 4 sums from row `down` and column `along`, with the products of these 16 of the depth added: a row of the tile in each column of the matrix.
fn added(down: u32, along: u32, sums: mat4x4<f32>) -> mat4x4<f32> {
    var s = sums;
    for (var k = 0u; k < 16u; k++) {
        let at = k * BN + along;
        let w = vec4<f32>(right[at], right[at + 1u], right[at + 2u], right[at + 3u]);
        s[0] += left[down * 17u + k] * w;
        s[1] += left[(down + 1u) * 17u + k] * w;
        s[2] += left[(down + 2u) * 17u + k] * w;
        s[3] += left[(down + 3u) * 17u + k] * w;
    }
    return s;
}
