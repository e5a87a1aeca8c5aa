//! The sources' experiments: their networks are what they say, and one of them trains.
#![cfg(not(target_arch = "wasm32"))]

#[path = "common/mod.rs"]
mod common;

use hitofude::data::idx::{Split, load_mnist};
use hitofude::systems::reproduce::{PRESETS, Preset};
use hitofude::zoo;

#[test]
fn every_preset_builds_and_the_deep_one_is_the_sources() {
    for preset in PRESETS {
        let net = preset.build().unwrap();
        preset.options.check().unwrap();
        let (first, again) = (preset.begin(&net, 1).unwrap(), preset.begin(&net, 1).unwrap());
        assert_eq!(first.values(), again.values(), "{}", preset.name);
        assert_eq!(PRESETS.iter().filter(|other| other.name == preset.name).count(), 1);
    }
    let deep = Preset::named("deep").unwrap().build().unwrap();
    assert_eq!(deep.views(), zoo::build("deep_convnet").unwrap().views());
    assert_eq!(Preset::named("relu, He").unwrap().build().unwrap().parameters(), 785 * 40 + 41 * 20 + 21 * 10);
    assert!(Preset::named("relu").unwrap_err().to_string().contains("relu, He"));
}

#[test]
fn three_hundred_images_are_known_by_heart() {
    let Some(folder) = common::shared("data/mnist") else { return };
    let (train, test) = (load_mnist(&folder, Split::Train).unwrap(), load_mnist(&folder, Split::Test).unwrap());
    let mut steps = 0;
    let ours = Preset::named("overfitting").unwrap().run(&train, &test, 1, |_, _| steps += 1).unwrap();
    assert_eq!((steps, ours.train), (1000, 1.0));
    assert!((0.7..0.83).contains(&ours.test), "theirs 0.7732, ours {}", ours.test);
}
