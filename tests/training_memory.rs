//! A training step allocates nothing from the second time on.
//!
//! One test in a process of its own, because the allocator counts for all threads.
#![cfg(not(target_arch = "wasm32"))]

use hitofude::nn::Want;
use hitofude::systems::session::Session;
use hitofude::zoo;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

#[test]
fn a_training_step_allocates_nothing_from_the_second_time_on() {
    for row in zoo::CATALOGUE {
        let net = zoo::build(row.name).unwrap();
        let mut session = Session::new(&net, 4, &Want::everything(), 1).unwrap();
        let images = vec![0.5; 4 * session.image()];
        let targets = vec![1.0 / session.answer() as f32; 4 * session.answer()];
        let mut gradient = vec![0.0; images.len()];
        session.step(&images, &targets, 0.001, 0).unwrap();
        session.input_gradient(&targets, &mut gradient).unwrap();
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        for seed in 1..4 {
            session.step(&images, &targets, 0.001, seed).unwrap();
            session.input_gradient(&targets, &mut gradient).unwrap();
        }
        // The smallest allocation, even one that is freed at once, would raise the peak.
        assert_eq!(MEMORY.peak_usage() - before, 0, "{}", row.name);
        drop(std::hint::black_box(vec![0_u8; 1]));
        assert_eq!(MEMORY.peak_usage() - before, 1, "the allocator counts");
    }
}
