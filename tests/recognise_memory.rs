//! A prediction allocates nothing from the second time on.
//!
//! One test in a process of its own, because the allocator counts for all threads.
#![cfg(not(target_arch = "wasm32"))]

use hitofude::nn::Init;
use hitofude::systems::recognise::{Answer, Calibration, Recogniser};
use hitofude::zoo;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

#[test]
fn a_prediction_allocates_nothing_from_the_second_time_on() {
    for row in zoo::CATALOGUE {
        let mut params = zoo::build(row.name).unwrap().zeros();
        Init::He.fill(&mut params, 1).unwrap();
        let mut model = Recogniser::new(row.name, params, Calibration::default()).unwrap();
        let (image, mut answer) = (vec![0.5; 784], Answer::default());
        model.predict_into(&image, &mut answer).unwrap();
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        for _ in 0..10 {
            model.predict_into(&image, &mut answer).unwrap();
        }
        // The smallest allocation, even one that is freed at once, would raise the peak.
        assert_eq!(MEMORY.peak_usage() - before, 0, "{}", row.name);
        drop(std::hint::black_box(vec![0_u8; 1]));
        assert_eq!(MEMORY.peak_usage() - before, 1, "the allocator counts");
    }
}
