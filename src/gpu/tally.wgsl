// What a step's losses came to. One workgroup; conv's sums and these have one fixed order.
var<workgroup> losses: array<f32, 64>;
var<workgroup> rights: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
    var loss = 0.0;
    var right = 0.0;
    SUMS
    HITS
    losses[local] = loss;
    rights[local] = right;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half = half / 2u) {
        if (local < half) {
            losses[local] += losses[local + half];
            rights[local] += rights[local + half];
        }
        workgroupBarrier();
    }
    if (local == 0u) {
        let at = 4u + 4u * step.row;
        status[at] = losses[0];
        status[at + 1u] = rights[0];
        // Go on only while every step before has been taken.
        status[0] = select(0.0, 1.0, status[0] == 1.0 && status[1] == 1.0 && finite(losses[0]));
    }
}
